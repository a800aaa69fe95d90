package farslot.lab;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The lab: QEMU with vfio-user-pci, Debian's kernel and our initramfs, in the user's cache folder.
 *
 * <p>It is made aside and put in place by one rename, under a lock between processes: it is there
 * whole or not at all, and an interrupted preparation is swept away by the next. Nothing outside
 * the cache folder is touched, and no root is needed.
 *
 * <p>Any thread may call.
 */
public final class Lab {
    /**
     * Counts changes of what a prepared lab holds. Part of the folder's name, since two checkouts
     * of different age may run at the same time.
     */
    private static final String RECIPE = "4";

    /** Room needed beside the download itself: packages and what is unpacked, measured, and air. */
    private static final long UNPACKED_BYTES = 900_000_000;

    /** Debian's, for {@link #prepareTools}. */
    private static final List<String> TOOL_PACKAGES = List.of("fio", "nvme-cli");

    private static final List<String> TOOLS = List.of("fio", "nvme");

    private static final List<String> UNNEEDED =
            List.of("usr/share/doc", "usr/share/man", "usr/share/locale", "boot");

    private static final Path APT_FOLDER = Path.of("/etc/apt");
    private static final String MANIFEST = "manifest";

    /**
     * How the lab stands.
     *
     * @param prepared whether there is one of this version of Farslot
     * @param folder where it is, or would be
     * @param sizeBytes what it takes on disk
     * @param qemuVersion of the QEMU that would be used, "" without one
     * @param systemQemu whether that is the system's own
     * @param kernelVersion "" when not prepared
     * @param accelerator what trial boots found: "kvm", "tcg", or "" while none was made
     */
    public record Status(
            boolean prepared,
            Path folder,
            long sizeBytes,
            String qemuVersion,
            boolean systemQemu,
            String kernelVersion,
            String accelerator) {}

    private final CacheFolder cache;
    private final Path aptFolder;

    /** A lab in a folder of its own, made when needed. */
    public Lab(Path cache) {
        this(cache, APT_FOLDER, UNPACKED_BYTES);
    }

    /**
     * For tests.
     *
     * @param aptFolder where the system says which mirror it uses
     * @param roomBytes what must be free beside the download
     */
    Lab(Path cache, Path aptFolder, long roomBytes) {
        this.cache = new CacheFolder(cache, roomBytes);
        this.aptFolder = aptFolder;
    }

    /** The user's: $XDG_CACHE_HOME/farslot or ~/.cache/farslot. */
    public static Lab ofUser() {
        return new Lab(UserFolder.of("XDG_CACHE_HOME", ".cache"));
    }

    /** What there is; fetches nothing and starts no machine. */
    public Status status() {
        try {
            boolean prepared = isPrepared();
            Qemu system = Qemu.ofSystem();
            String accelerator = "";
            String kernelVersion = "";
            Qemu qemu = system;
            if (prepared) {
                PreparedLab lab = open();
                qemu = lab.qemu();
                kernelVersion = lab.kernelVersion();
                accelerator = new KvmTrial(cache.path()).remembered(lab);
            }
            return new Status(
                    prepared,
                    folder(),
                    size(folder()),
                    qemu == null ? "" : qemu.version(),
                    qemu != null && system != null && qemu.command().equals(system.command()),
                    kernelVersion,
                    accelerator);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Makes the lab where it is not there yet: some 150 MB over the network. Says beforehand what
     * will be fetched and how large it is, then how it goes on, a line at a time.
     *
     * @throws LabException where this machine cannot (no apt, no network, full disk): the message
     *     says what to do
     */
    public PreparedLab prepare(Consumer<String> progress) {
        try {
            if (isPrepared()) {
                return open();
            }
            cache.locked(
                    progress,
                    () -> {
                        if (!isPrepared()) {
                            make(progress);
                        }
                    });
            return open();
        } catch (IOException | UncheckedIOException e) {
            throw new LabException(
                    "The lab could not be prepared in "
                            + cache.path()
                            + ": "
                            + CacheFolder.sentence(e),
                    e);
        }
    }

    /**
     * The same with Debian's fio and nvme-cli in its machines: some 60 MB more, fetched once. For
     * tests that ask more of a disk than the demo does; such a machine takes 1 GiB of memory.
     *
     * @throws LabException as {@link #prepare}
     */
    public PreparedLab prepareTools(Consumer<String> progress) {
        PreparedLab lab = prepare(progress);
        Path folder = cache.path().resolve("lab-" + RECIPE + "-tools");
        Path initrd = folder.resolve("initrd");
        try {
            if (!Files.isRegularFile(initrd)) {
                cache.locked(
                        progress,
                        () -> {
                            if (!Files.isRegularFile(initrd)) {
                                cache.make(folder, aside -> addTools(lab, aside, progress));
                            }
                        });
            }
            return lab.with(null, null, initrd);
        } catch (IOException | UncheckedIOException e) {
            throw new LabException(
                    "The lab's tools could not be prepared in "
                            + cache.path()
                            + ": "
                            + CacheFolder.sentence(e),
                    e);
        }
    }

    /**
     * The command that runs one program of Debian's on this machine, without its arguments; it and
     * what it needs are fetched once. For tests that try what other people's programs make of our
     * files.
     *
     * @param packageName Debian's package, which has the program of that name too
     * @throws LabException as {@link #prepare}
     */
    public List<String> prepareProgram(String packageName, Consumer<String> progress) {
        Path folder = cache.path().resolve("lab-" + RECIPE + "-" + packageName);
        Path root = folder.resolve("root");
        try {
            if (!Files.isDirectory(root)) {
                cache.locked(
                        progress,
                        () -> {
                            if (!Files.isDirectory(root)) {
                                cache.make(
                                        folder, aside -> addProgram(packageName, aside, progress));
                            }
                        });
            }
            List<String> words = new ArrayList<>(Programs.runner(root));
            words.add(Programs.find(root, packageName).toString());
            return words;
        } catch (IOException | UncheckedIOException e) {
            throw new LabException(
                    "Debian's "
                            + packageName
                            + " could not be prepared in "
                            + cache.path()
                            + ": "
                            + CacheFolder.sentence(e),
                    e);
        }
    }

    /**
     * What {@link #prepare} made.
     *
     * @throws LabException where it is not prepared
     */
    public PreparedLab open() {
        try {
            if (!isPrepared()) {
                throw new LabException(
                        "The lab is not prepared: \"farslot lab prepare\" fetches QEMU and a"
                                + " kernel into "
                                + folder()
                                + ".");
            }
            Properties manifest = manifest();
            Qemu qemu =
                    Boolean.parseBoolean(manifest.getProperty("systemQemu"))
                            ? Qemu.ofSystem()
                            : Qemu.below(folder().resolve("root"));
            if (qemu == null) {
                throw new LabException(
                        "The system's QEMU that the lab was prepared with is gone: run \"farslot"
                                + " lab clean\" and \"farslot lab prepare\".");
            }
            return new PreparedLab(
                    qemu,
                    folder().resolve("vmlinuz"),
                    folder().resolve("initrd"),
                    manifest.getProperty("kernelVersion"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * QEMU, kernel and initial RAM disk that the user brings, where all three are given, else the
     * prepared lab with those that are.
     */
    public PreparedLab open(Path qemu, Path kernel, Path initrd, Consumer<String> progress) {
        if (kernel != null && initrd != null) {
            Qemu own = qemu == null ? Qemu.ofSystem() : Qemu.at(qemu);
            if (own != null) {
                return new PreparedLab(
                        own, readable(kernel, "kernel"), readable(initrd, "initial RAM disk"), "");
            }
        }
        return prepare(progress).with(qemu, kernel, initrd);
    }

    /** The way machines of this lab run: KVM where a trial boot succeeds, else TCG. */
    public Accelerator accelerator(PreparedLab lab, Consumer<String> progress) {
        return new KvmTrial(cache.path()).find(lab, progress);
    }

    /** Why this machine cannot {@link #prepare}, as half a sentence; null where it can. */
    public static String unpreparable() {
        return DebianArchive.lacking(APT_FOLDER);
    }

    /** Removes what the lab put into the cache folder, but for the empty file of its lock. */
    public void clean() {
        try {
            if (!Files.isDirectory(cache.path())) {
                return;
            }
            cache.locked(
                    _ -> {},
                    () -> {
                        cache.remove(labs());
                        new KvmTrial(cache.path()).forget();
                    });
        } catch (IOException e) {
            throw new LabException(
                    "Cleaning " + cache.path() + " failed: " + CacheFolder.sentence(e), e);
        }
    }

    static Path readable(Path file, String what) {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new LabException("There is no " + what + " at " + file + " that can be read.");
        }
        return file;
    }

    private Path folder() {
        return cache.path().resolve("lab-" + RECIPE);
    }

    private boolean isPrepared() throws IOException {
        return Files.isRegularFile(folder().resolve(MANIFEST))
                && RECIPE.equals(manifest().getProperty("recipe"));
    }

    private Properties manifest() throws IOException {
        Properties manifest = new Properties();
        try (Reader reader = Files.newBufferedReader(folder().resolve(MANIFEST))) {
            manifest.load(reader);
        }
        return manifest;
    }

    private void make(Consumer<String> progress) throws IOException {
        refuseWithoutDebian();
        Qemu system = Qemu.ofSystem();
        cache.make(folder(), aside -> fill(aside, system, progress));
        progress.accept("the lab is ready: " + folder());
    }

    private void refuseWithoutDebian() {
        String lacking = DebianArchive.lacking(aptFolder);
        if (lacking != null) {
            throw new LabException(
                    "The lab is made from Debian's packages, which cannot be had here, because "
                            + lacking
                            + ". Bring your own: --qemu (QEMU 10.1 or newer), --kernel and"
                            + " --initrd, the latter two as a Debian machine's \"farslot lab"
                            + " prepare\" makes them (vmlinuz and initrd in its "
                            + folder()
                            + ").");
        }
    }

    private void fill(Path aside, Qemu system, Consumer<String> progress) throws IOException {
        Path apt = aside.resolve("apt");
        Path root = aside.resolve("root");
        Files.createDirectories(apt);
        cache.refuseFullDisk(0);
        DebianArchive archive = DebianArchive.open(apt, aptFolder, progress);
        DebianArchive.Plan plan = archive.plan(packages(system));
        String kernel = archive.kernelPackage();
        long sizeBytes = plan.sizeBytes() + archive.sizeBytes(kernel);
        progress.accept(
                String.format(
                        "to fetch: %s%s and what they need, %d packages, %s; on disk about %s",
                        system == null ? "QEMU, " : "",
                        kernel.replace("linux-image-", "Linux "),
                        plan.count() + 1,
                        DataSize.text(sizeBytes),
                        DataSize.text(400_000_000)));
        cache.refuseFullDisk(sizeBytes);
        archive.fetch(plan);
        progress.accept("fetching the kernel");
        archive.fetchAlone(kernel);
        archive.unpackInto(root);
        CacheFolder.delete(apt);
        String kernelVersion = kernel.substring("linux-image-".length());
        Files.move(root.resolve("boot/vmlinuz-" + kernelVersion), aside.resolve("vmlinuz"));
        progress.accept("making the initial RAM disk");
        Path scratch = Files.createDirectories(aside.resolve("scratch"));
        new Initramfs(root, kernelVersion, scratch).write(aside.resolve("initrd"));
        CacheFolder.delete(scratch);
        for (String unneeded : UNNEEDED) {
            CacheFolder.delete(root.resolve(unneeded));
        }
        Qemu qemu = system == null ? Qemu.below(root) : system;
        progress.accept(
                "QEMU " + qemu.version() + (system == null ? "" : " (the system's)") + " works");
        writeManifest(aside, kernelVersion, qemu, system != null);
    }

    /** An initramfs may be several archives one behind the other: the lab's, then the tools'. */
    private void addTools(PreparedLab lab, Path aside, Consumer<String> progress)
            throws IOException {
        Path apt = aside.resolve("apt");
        Path root = aside.resolve("root");
        fetchInto(root, apt, TOOL_PACKAGES, progress);
        Programs tools = new Programs(root);
        TOOLS.forEach(tools::add);
        try (OutputStream stream =
                new BufferedOutputStream(Files.newOutputStream(aside.resolve("initrd")))) {
            Files.copy(lab.initrd(), stream);
            // The kernel looks for the next archive at a multiple of 4, as cpio ends.
            try (Cpio cpio = new Cpio(stream)) {
                tools.write(cpio);
            }
        }
        CacheFolder.delete(root);
    }

    private void addProgram(String packageName, Path aside, Consumer<String> progress)
            throws IOException {
        Path root = aside.resolve("root");
        fetchInto(root, aside.resolve("apt"), List.of(packageName), progress);
        for (String unneeded : UNNEEDED) {
            CacheFolder.delete(root.resolve(unneeded));
        }
    }

    private void fetchInto(Path root, Path apt, List<String> packages, Consumer<String> progress)
            throws IOException {
        refuseWithoutDebian();
        Files.createDirectories(apt);
        cache.refuseFullDisk(0);
        DebianArchive archive = DebianArchive.open(apt, aptFolder, progress);
        DebianArchive.Plan plan = archive.plan(packages);
        progress.accept(
                String.format(
                        "to fetch: %s and what they need, %d packages, %s",
                        String.join(", ", packages),
                        plan.count(),
                        DataSize.text(plan.sizeBytes())));
        cache.refuseFullDisk(plan.sizeBytes());
        archive.fetch(plan);
        archive.unpackInto(root);
        CacheFolder.delete(apt);
    }

    private static List<String> packages(Qemu system) {
        List<String> packages = new ArrayList<>(List.of("busybox-static", "e2fsprogs", "pciutils"));
        if (system == null) {
            for (String name :
                    List.of(
                            "qemu-system-x86",
                            "qemu-system-common",
                            "qemu-system-data",
                            "seabios")) {
                packages.add(name + "/" + DebianArchive.BACKPORTS);
            }
        }
        if (!Command.exists("xz")) {
            packages.add("xz-utils");
        }
        return packages;
    }

    private static void writeManifest(
            Path aside, String kernelVersion, Qemu qemu, boolean systemQemu) throws IOException {
        Properties manifest = new Properties();
        manifest.setProperty("recipe", RECIPE);
        manifest.setProperty("kernelVersion", kernelVersion);
        manifest.setProperty("qemuVersion", qemu.version());
        manifest.setProperty("systemQemu", Boolean.toString(systemQemu));
        try (Writer writer = Files.newBufferedWriter(aside.resolve(MANIFEST))) {
            manifest.store(writer, "What farslot lab prepare made here");
        }
    }

    /** All labs here, those of older and newer versions too. */
    private List<Path> labs() throws IOException {
        try (Stream<Path> all = Files.list(cache.path())) {
            return all.filter(path ->
                            path.getFileName().toString().matches("lab|lab-[0-9]+(-[a-z0-9]+)?"))
                    .toList();
        }
    }

    private static long size(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(path -> Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))
                    .mapToLong(path -> path.toFile().length())
                    .sum();
        }
    }
}
