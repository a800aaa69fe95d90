package farslot.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Debian's packages without root: an apt of our own, with its lists and its cache in a folder of
 * ours, that believes nothing is installed. Signatures are apt's work, by Debian's keyring; the
 * system's own settings for proxies and authentication hold.
 */
final class DebianArchive {
    /** The suite whose kernel the lab boots; the same whatever Debian the machine runs. */
    static final String SUITE = "trixie";

    /** Where a QEMU with vfio-user-pci comes from. */
    static final String BACKPORTS = SUITE + "-backports";

    private static final Path KEYRING = Path.of("/usr/share/keyrings/debian-archive-keyring.gpg");

    /** What will be fetched: how many packages, and bytes over the network. */
    record Plan(List<String> packages, int count, long sizeBytes) {}

    private final Path folder;
    private final Consumer<String> progress;

    private DebianArchive(Path folder, Consumer<String> progress) {
        this.folder = folder;
        this.progress = progress;
    }

    /** Why this machine cannot fetch Debian's packages, as half a sentence; or null. */
    static String lacking(Path aptFolder) {
        for (String program : List.of("apt-get", "apt-cache", "apt-config", "dpkg-deb")) {
            if (!Command.exists(program)) {
                return "this system has no " + program;
            }
        }
        if (!System.getProperty("os.arch").equals("amd64")) {
            return "it does so on x86-64 only so far, and this is " + System.getProperty("os.arch");
        }
        if (!Files.isReadable(KEYRING)) {
            return "there is no " + KEYRING + " (Debian's package debian-archive-keyring)";
        }
        if (AptSources.mirrors(aptFolder).isEmpty()) {
            return aptFolder + " names no mirror of Debian";
        }
        return null;
    }

    /**
     * Reads the lists of the system's mirror.
     *
     * @param aptFolder the system's /etc/apt
     * @param folder empty; takes some 70 MB of lists, and the packages
     * @throws LabException where no mirror can be reached or believed
     */
    static DebianArchive open(Path folder, Path aptFolder, Consumer<String> progress)
            throws IOException {
        DebianArchive archive = new DebianArchive(folder, progress);
        for (String name : List.of("state/lists/partial", "cache/archives/partial", "empty")) {
            Files.createDirectories(folder.resolve(name));
        }
        Files.writeString(folder.resolve("status"), "");
        Files.writeString(folder.resolve("apt.conf"), archive.configuration());
        String said = "";
        for (String mirror : AptSources.mirrors(aptFolder)) {
            progress.accept("reading the package lists of " + mirror);
            Files.writeString(folder.resolve("sources.list"), sources(mirror));
            Command.Outcome outcome = archive.apt("apt-get", "update", "--error-on=any").run();
            if (outcome.ok()) {
                return archive;
            }
            said = complaint(outcome);
        }
        throw new LabException(
                "The mirror of Debian that /etc/apt names could not be read: is there a network? apt"
                        + " said: "
                        + said);
    }

    /** What the packages and all that they need come to. Names may end in "/suite". */
    Plan plan(List<String> packages) {
        List<String> words = new ArrayList<>(List.of("apt-get", "-y", "--print-uris", "install"));
        words.addAll(packages);
        Command.Outcome outcome = apt(words.toArray(String[]::new)).run();
        if (!outcome.ok()) {
            throw new LabException("apt cannot find the packages: " + outcome.lastLines());
        }
        // 'URI' file size hash
        List<String> uris = outcome.text().lines().filter(line -> line.startsWith("'")).toList();
        long size = uris.stream().mapToLong(line -> Long.parseLong(line.split(" ", -1)[2])).sum();
        return new Plan(packages, uris.size(), size);
    }

    /** Fetches all of a plan. */
    void fetch(Plan plan) {
        List<String> words =
                new ArrayList<>(List.of("apt-get", "-y", "--download-only", "-oAPT::Status-Fd=1"));
        words.add("install");
        words.addAll(plan.packages());
        Percent percent = new Percent(plan.sizeBytes());
        Command.Outcome outcome = apt(words.toArray(String[]::new)).lines(percent::line).run();
        refuse(outcome);
    }

    /** The name of the package that holds the newest kernel of the suite. */
    String kernelPackage() {
        Command.Outcome outcome = apt("apt-cache", "depends", "linux-image-amd64/" + SUITE).run();
        return outcome.text()
                .lines()
                .map(String::trim)
                .filter(line -> line.startsWith("Depends: linux-image-"))
                .map(line -> line.substring("Depends: ".length()))
                .findFirst()
                .orElseThrow(() -> new LabException("apt names no kernel: " + outcome.lastLines()));
    }

    /** The size of one package alone. */
    long sizeBytes(String name) {
        Command.Outcome outcome = apt("apt-cache", "show", "--no-all-versions", name).run();
        return outcome.text()
                .lines()
                .filter(line -> line.startsWith("Size: "))
                .mapToLong(line -> Long.parseLong(line.substring("Size: ".length()).trim()))
                .findFirst()
                .orElse(0);
    }

    /**
     * Fetches one package without what it needs: a kernel runs without its installation's tools.
     */
    void fetchAlone(String name) {
        Percent percent = new Percent(sizeBytes(name));
        refuse(
                apt("apt-get", "-oAPT::Status-Fd=1", "download", name)
                        .in(packages())
                        .lines(percent::line)
                        .run());
    }

    /** Unpacks everything fetched into {@code root}, without scripts, and forgets the packages. */
    void unpackInto(Path root) throws IOException {
        Files.createDirectories(root);
        List<Path> files;
        try (Stream<Path> all = Files.list(packages())) {
            files = all.filter(path -> path.toString().endsWith(".deb")).sorted().toList();
        }
        progress.accept("unpacking " + files.size() + " packages");
        for (Path file : files) {
            Command.Outcome outcome =
                    Command.of("dpkg-deb", "-x", file.toString(), root.toString()).run();
            if (!outcome.ok()) {
                throw new LabException("Unpacking failed: " + outcome.lastLines());
            }
            Files.delete(file);
        }
    }

    private Path packages() {
        return folder.resolve("cache/archives");
    }

    private void refuse(Command.Outcome outcome) {
        if (!outcome.ok()) {
            throw new LabException("Fetching the packages failed; apt said: " + complaint(outcome));
        }
    }

    /** The first thing that apt complained of. */
    private static String complaint(Command.Outcome outcome) {
        return outcome.text()
                .lines()
                .filter(line -> line.startsWith("E: "))
                .findFirst()
                .orElseGet(outcome::lastLines);
    }

    private Command apt(String... words) {
        // DEBIAN_FRONTEND: nothing is installed, so nothing may ask.
        return Command.of(words)
                .within(Duration.ofMinutes(30))
                .with(
                        Map.of(
                                "APT_CONFIG",
                                folder.resolve("apt.conf").toString(),
                                "DEBIAN_FRONTEND",
                                "noninteractive"));
    }

    private static String sources(String mirror) {
        String line = "deb [signed-by=" + KEYRING + "] " + mirror + " %s main%n";
        return line.formatted(SUITE) + line.formatted(BACKPORTS);
    }

    /**
     * An own apt: the system's hooks, preferences and sources are left out, its Acquire settings
     * (proxies, time-outs) are taken over.
     */
    private String configuration() {
        StringBuilder text = new StringBuilder();
        Command.of("apt-config", "dump", "Acquire")
                .run()
                .text()
                .lines()
                .filter(line -> line.startsWith("Acquire::") && line.endsWith("\";"))
                .filter(line -> !line.startsWith("Acquire::IndexTargets"))
                .filter(line -> !line.startsWith("Acquire::Languages"))
                .forEach(line -> text.append(line).append('\n'));
        Path empty = folder.resolve("empty");
        setting(text, "Dir::State", folder.resolve("state"));
        setting(text, "Dir::State::status", folder.resolve("status"));
        setting(text, "Dir::Cache", folder.resolve("cache"));
        setting(text, "Dir::Etc::main", empty.resolve("apt.conf"));
        setting(text, "Dir::Etc::parts", empty);
        setting(text, "Dir::Etc::sourcelist", folder.resolve("sources.list"));
        setting(text, "Dir::Etc::sourceparts", empty);
        setting(text, "Dir::Etc::preferences", empty.resolve("preferences"));
        setting(text, "Dir::Etc::preferencesparts", empty);
        setting(text, "Dir::Log", folder.resolve("log"));
        setting(text, "APT::Sandbox::User", "");
        setting(text, "APT::Install-Recommends", false);
        setting(text, "APT::Architecture", "amd64");
        setting(text, "APT::Get::AllowUnauthenticated", false);
        setting(text, "Acquire::Languages", "none");
        setting(text, "Acquire::Retries", 2);
        return text.toString();
    }

    private static void setting(StringBuilder text, String name, Object value) {
        text.append(name).append(" \"").append(value).append("\";\n");
    }

    /** Turns apt's "dlstatus:N:PERCENT:text" into a line for each quarter. */
    private final class Percent {
        private final long sizeBytes;
        private int said;

        Percent(long sizeBytes) {
            this.sizeBytes = sizeBytes;
        }

        void line(String line) {
            String[] parts = line.split(":", 4);
            if (parts.length < 4 || !parts[0].equals("dlstatus")) {
                return;
            }
            int percent = (int) Double.parseDouble(parts[2]);
            if (percent / 25 > said) {
                said = percent / 25;
                progress.accept("  " + said * 25 + " % of " + DataSize.text(sizeBytes));
            }
        }
    }
}
