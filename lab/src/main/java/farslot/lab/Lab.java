package farslot.lab;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.locks.ReentrantLock;
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
    private static final String RECIPE = "3";

    /** Room needed beside the download itself: packages and what is unpacked, measured, and air. */
    private static final long UNPACKED_BYTES = 900_000_000;

    private static final Path APT_FOLDER = Path.of("/etc/apt");
    private static final System.Logger LOG = System.getLogger("farslot.lab");
    private static final String MANIFEST = "manifest";
    private static final ReentrantLock WITHIN_PROCESS = new ReentrantLock();

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

    private final Path cache;
    private final Path aptFolder;
    private final long roomBytes;

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
        this.cache = cache.toAbsolutePath();
        this.aptFolder = aptFolder;
        this.roomBytes = roomBytes;
    }

    /** The user's: $XDG_CACHE_HOME/farslot or ~/.cache/farslot. */
    public static Lab ofUser() {
        String xdg = System.getenv("XDG_CACHE_HOME");
        // XDG base directory specification: a path that is not absolute is to be ignored.
        if (xdg != null && xdg.startsWith("/")) {
            return new Lab(Path.of(xdg, "farslot"));
        }
        String home = System.getenv("HOME");
        Path base = Path.of(home == null ? System.getProperty("user.home") : home);
        return new Lab(base.resolve(".cache").resolve("farslot"));
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
                accelerator = new KvmTrial(cache).remembered(lab);
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
            makeFolder();
            locked(
                    progress,
                    () -> {
                        if (!isPrepared()) {
                            make(progress);
                        }
                    });
            return open();
        } catch (IOException | UncheckedIOException e) {
            throw new LabException(
                    "The lab could not be prepared in " + cache + ": " + sentence(e), e);
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
        return new KvmTrial(cache).find(lab, progress);
    }

    /** Why this machine cannot {@link #prepare}, as half a sentence; null where it can. */
    public static String unpreparable() {
        return DebianArchive.lacking(APT_FOLDER);
    }

    /** Removes what the lab put into the cache folder, but for the empty file of its lock. */
    public void clean() {
        try {
            if (!Files.isDirectory(cache)) {
                return;
            }
            locked(
                    _ -> {},
                    () -> {
                        sweep();
                        for (Path lab : labs()) {
                            // First out of the way, so that no half of it is ever taken for a lab.
                            Path aside = aside();
                            Files.move(lab, aside, StandardCopyOption.ATOMIC_MOVE);
                            delete(aside);
                        }
                        new KvmTrial(cache).forget();
                    });
        } catch (IOException e) {
            throw new LabException("Cleaning " + cache + " failed: " + sentence(e), e);
        }
    }

    static Path readable(Path file, String what) {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new LabException("There is no " + what + " at " + file + " that can be read.");
        }
        return file;
    }

    private Path folder() {
        return cache.resolve("lab-" + RECIPE);
    }

    private Path aside() {
        return cache.resolve("lab.part-" + ProcessHandle.current().pid());
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

    private void makeFolder() throws IOException {
        try {
            Files.createDirectories(cache);
        } catch (IOException e) {
            throw new LabException(
                    "The cache folder "
                            + cache
                            + " cannot be made: set XDG_CACHE_HOME to a folder that you may write"
                            + " to.",
                    e);
        }
    }

    private interface Step {
        void run() throws IOException;
    }

    /** One thread of one process at a time. */
    private void locked(Consumer<String> progress, Step step) throws IOException {
        WITHIN_PROCESS.lock();
        try (FileChannel channel =
                        FileChannel.open(
                                cache.resolve("lab.lock"),
                                StandardOpenOption.CREATE,
                                StandardOpenOption.WRITE);
                FileLock _ = lock(channel, progress)) {
            step.run();
        } finally {
            WITHIN_PROCESS.unlock();
        }
    }

    private static FileLock lock(FileChannel channel, Consumer<String> progress)
            throws IOException {
        FileLock lock = channel.tryLock();
        if (lock != null) {
            return lock;
        }
        progress.accept("another process is preparing the lab: waiting for it");
        return channel.lock();
    }

    private void make(Consumer<String> progress) throws IOException {
        Qemu system = Qemu.ofSystem();
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
        sweep();
        Path aside = aside();
        Files.createDirectories(aside);
        Thread hook = new Thread(() -> abandon(aside), "remove-half-a-lab");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            fill(aside, system, progress);
            if (Files.exists(folder(), LinkOption.NOFOLLOW_LINKS)) {
                delete(folder());
            }
            Files.move(aside, folder(), StandardCopyOption.ATOMIC_MOVE);
            progress.accept("the lab is ready: " + folder());
        } finally {
            delete(aside);
            forget(hook);
        }
    }

    /** When this program is ended half-way: the next preparation would sweep it too. */
    private static void abandon(Path aside) {
        ChildProcess.closeAll();
        try {
            delete(aside);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "Left to the next preparation: " + aside, e);
        }
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            LOG.log(System.Logger.Level.DEBUG, "The program is being ended", e);
        }
    }

    private void fill(Path aside, Qemu system, Consumer<String> progress) throws IOException {
        Path apt = aside.resolve("apt");
        Path root = aside.resolve("root");
        Files.createDirectories(apt);
        refuseFullDisk(0);
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
        refuseFullDisk(sizeBytes);
        archive.fetch(plan);
        progress.accept("fetching the kernel");
        archive.fetchAlone(kernel);
        archive.unpackInto(root);
        delete(apt);
        String kernelVersion = kernel.substring("linux-image-".length());
        Files.move(root.resolve("boot/vmlinuz-" + kernelVersion), aside.resolve("vmlinuz"));
        progress.accept("making the initial RAM disk");
        Path scratch = Files.createDirectories(aside.resolve("scratch"));
        new Initramfs(root, kernelVersion, scratch).write(aside.resolve("initrd"));
        delete(scratch);
        for (String unneeded :
                List.of("usr/share/doc", "usr/share/man", "usr/share/locale", "boot")) {
            delete(root.resolve(unneeded));
        }
        Qemu qemu = system == null ? Qemu.below(root) : system;
        progress.accept(
                "QEMU " + qemu.version() + (system == null ? "" : " (the system's)") + " works");
        writeManifest(aside, kernelVersion, qemu, system != null);
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

    private void refuseFullDisk(long downloadBytes) throws IOException {
        long usable = Files.getFileStore(cache).getUsableSpace();
        long needed = downloadBytes + roomBytes;
        if (usable < needed) {
            throw new LabException(
                    "There is not enough room for the lab in "
                            + cache
                            + ": "
                            + DataSize.text(needed)
                            + " are needed on the way, "
                            + DataSize.text(usable)
                            + " are free. Make room, or set XDG_CACHE_HOME to a folder on"
                            + " another disk.");
        }
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

    /** What preparations that were interrupted left behind. Only under the lock. */
    private void sweep() throws IOException {
        try (Stream<Path> all = Files.list(cache)) {
            for (Path path : all.filter(Lab::isAside).toList()) {
                delete(path);
            }
        }
    }

    /** All labs here, those of older and newer versions too. */
    private List<Path> labs() throws IOException {
        try (Stream<Path> all = Files.list(cache)) {
            return all.filter(path -> path.getFileName().toString().matches("lab|lab-[0-9]+"))
                    .toList();
        }
    }

    private static boolean isAside(Path path) {
        return path.getFileName().toString().startsWith("lab.part-");
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

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path path, IOException e)
                            throws IOException {
                        Files.delete(path);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    private static String sentence(Exception e) {
        Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
        String message = String.valueOf(cause.getMessage());
        return message.contains("No space left")
                ? "the disk is full. Make room, or set XDG_CACHE_HOME to a folder on another disk."
                : cause.getClass().getSimpleName() + ": " + message;
    }
}
