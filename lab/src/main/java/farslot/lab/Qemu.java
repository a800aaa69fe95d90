package farslot.lab;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A QEMU for x86-64 on this machine: how it is started, and what it can.
 *
 * @param command the words that start it, before its arguments
 * @param environment variables that it needs
 * @param version such as "11.1.3"
 */
public record Qemu(List<String> command, Map<String, String> environment, String version) {
    /** The device that is a slot's other side; QEMU has it since 10.1. */
    public static final String CLIENT = "vfio-user-pci";

    private static final Pattern VERSION = Pattern.compile("emulator version (\\S+)");
    private static final String NAME = "qemu-system-x86_64";

    public Qemu {
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
    }

    /** The system's own, or null where it has none, or one without {@link #CLIENT}. */
    public static Qemu ofSystem() {
        Path program = Command.find(NAME);
        if (program == null) {
            return null;
        }
        Qemu qemu = new Qemu(List.of(program.toString()), Map.of(), "");
        return qemu.hasClient() ? qemu.withVersion() : null;
    }

    /**
     * The one at a path that the user named.
     *
     * @throws LabException where it is none, or has no {@link #CLIENT}
     */
    public static Qemu at(Path program) {
        if (!Files.isExecutable(program)) {
            throw new LabException("There is no QEMU at " + program + " that could be started.");
        }
        Qemu qemu = new Qemu(List.of(program.toString()), Map.of(), "");
        if (!qemu.hasClient()) {
            throw new LabException(
                    program
                            + " has no device "
                            + CLIENT
                            + ": take QEMU 10.1 or newer, or leave --qemu away and let"
                            + " \"farslot lab prepare\" fetch one.");
        }
        return qemu.withVersion();
    }

    /**
     * One unpacked below a folder, run by that folder's own loader and libraries: they fit each
     * other whatever the system's are.
     */
    static Qemu below(Path root) {
        Path libraries = root.resolve("usr/lib/x86_64-linux-gnu");
        List<String> command = new ArrayList<>();
        command.add(root.resolve("usr/lib64/ld-linux-x86-64.so.2").toString());
        command.add("--library-path");
        command.add(libraries.toString());
        command.add(root.resolve("usr/bin/" + NAME).toString());
        for (String data : List.of("usr/share/qemu", "usr/share/seabios")) {
            command.add("-L");
            command.add(root.resolve(data).toString());
        }
        Map<String, String> environment =
                Map.of("QEMU_MODULE_DIR", libraries.resolve("qemu").toString());
        return new Qemu(command, environment, "").withVersion();
    }

    private boolean hasClient() {
        return run("-device", "help").text().contains("\"" + CLIENT + "\"");
    }

    private Qemu withVersion() {
        Command.Outcome outcome = run("--version");
        Matcher matcher = VERSION.matcher(outcome.text());
        if (!outcome.ok() || !matcher.find()) {
            throw new LabException(
                    command.get(command.size() > 1 ? 3 : 0)
                            + " does not run here: "
                            + outcome.lastLines());
        }
        return new Qemu(command, environment, matcher.group(1));
    }

    private Command.Outcome run(String... arguments) {
        List<String> words = new ArrayList<>(command);
        words.addAll(List.of(arguments));
        return Command.of(words).with(environment).within(Duration.ofMinutes(1)).run();
    }
}
