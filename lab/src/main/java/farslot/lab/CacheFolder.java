package farslot.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
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
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The folder in the user's cache where prepared things lie, each a folder of its own. They are made
 * aside and put in place by one rename, under a lock between processes: each is there whole or not
 * at all, and what an interrupted preparation left is swept away by the next.
 */
final class CacheFolder {
    private static final System.Logger LOG = System.getLogger("farslot.lab");
    private static final ReentrantLock WITHIN_PROCESS = new ReentrantLock();

    /** Something done under the lock. */
    interface Step {
        void run() throws IOException;
    }

    /** Fills the new folder {@code aside}. */
    interface Filler {
        void fill(Path aside) throws IOException;
    }

    private final Path path;
    private final long roomBytes;

    /**
     * @param roomBytes what must be free on its disk beside a download
     */
    CacheFolder(Path path, long roomBytes) {
        this.path = path.toAbsolutePath();
        this.roomBytes = roomBytes;
    }

    Path path() {
        return path;
    }

    /**
     * Runs a step by one thread of one process at a time; makes the folder first.
     *
     * @throws LabException where the folder cannot be made
     */
    void locked(Consumer<String> progress, Step step) throws IOException {
        create();
        WITHIN_PROCESS.lock();
        try (FileChannel channel =
                        FileChannel.open(
                                path.resolve("lab.lock"),
                                StandardOpenOption.CREATE,
                                StandardOpenOption.WRITE);
                FileLock _ = lock(channel, progress)) {
            step.run();
        } finally {
            WITHIN_PROCESS.unlock();
        }
    }

    private void create() {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw new LabException(
                    "The cache folder "
                            + path
                            + " cannot be made: set XDG_CACHE_HOME to a folder that you may write"
                            + " to.",
                    e);
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

    /** Makes {@code folder} anew, whole or not at all. Only under the lock. */
    void make(Path folder, Filler filler) throws IOException {
        sweep();
        Path aside = aside();
        Files.createDirectories(aside);
        Thread hook = new Thread(() -> abandon(aside), "remove-half-a-lab");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            filler.fill(aside);
            if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
                delete(folder);
            }
            Files.move(aside, folder, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            delete(aside);
            forget(hook);
        }
    }

    /** Removes folders, and what interrupted preparations left. Only under the lock. */
    void remove(List<Path> folders) throws IOException {
        sweep();
        for (Path folder : folders) {
            // First out of the way, so that no half of it is ever taken for a whole.
            Path aside = aside();
            Files.move(folder, aside, StandardCopyOption.ATOMIC_MOVE);
            delete(aside);
        }
    }

    /**
     * Refuses to begin what would fill the disk.
     *
     * @throws LabException that says what is needed and what is free
     */
    void refuseFullDisk(long downloadBytes) throws IOException {
        long usable = Files.getFileStore(path).getUsableSpace();
        long needed = downloadBytes + roomBytes;
        if (usable < needed) {
            throw new LabException(
                    "There is not enough room for the lab in "
                            + path
                            + ": "
                            + DataSize.text(needed)
                            + " are needed on the way, "
                            + DataSize.text(usable)
                            + " are free. Make room, or set XDG_CACHE_HOME to a folder on"
                            + " another disk.");
        }
    }

    /** What went wrong, as half a sentence. */
    static String sentence(Exception e) {
        Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
        String message = String.valueOf(cause.getMessage());
        return message.contains("No space left")
                ? "the disk is full. Make room, or set XDG_CACHE_HOME to a folder on another disk."
                : cause.getClass().getSimpleName() + ": " + message;
    }

    static void delete(Path folder) throws IOException {
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

    private Path aside() {
        return path.resolve("lab.part-" + ProcessHandle.current().pid());
    }

    private void sweep() throws IOException {
        try (Stream<Path> all = Files.list(path)) {
            for (Path found : all.filter(CacheFolder::isAside).toList()) {
                delete(found);
            }
        }
    }

    private static boolean isAside(Path path) {
        return path.getFileName().toString().startsWith("lab.part-");
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
}
