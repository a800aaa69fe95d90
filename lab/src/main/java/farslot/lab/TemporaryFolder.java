package farslot.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder for the files of one run: image, sockets, log. It is removed when closed, and when this
 * program is ended, after all of its children have ended. Any thread may close it, several times.
 */
public final class TemporaryFolder implements AutoCloseable {
    private final Thread hook = new Thread(this::removeAfterChildren, "remove-temporary-folder");
    private Path path;
    private boolean removed;

    private TemporaryFolder() {}

    /**
     * A new folder for this user alone, where the system keeps such folders.
     *
     * @throws IOException where it cannot be made, or this program is being ended already
     */
    public static TemporaryFolder create(String prefix) throws IOException {
        return createIn(Path.of(System.getProperty("java.io.tmpdir")), prefix);
    }

    /** The same below another folder. */
    static TemporaryFolder createIn(Path above, String prefix) throws IOException {
        TemporaryFolder folder = new TemporaryFolder();
        try {
            // First: from here on whatever is made is removed.
            Runtime.getRuntime().addShutdownHook(folder.hook);
        } catch (IllegalStateException e) {
            throw ending();
        }
        folder.make(above, prefix);
        return folder;
    }

    private synchronized void make(Path above, String prefix) throws IOException {
        if (removed) {
            throw ending();
        }
        path = Files.createTempDirectory(above, prefix);
    }

    private static IOException ending() {
        return new IOException("this program is being ended.");
    }

    public synchronized Path path() {
        return path;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // The hook runs already, and does it when it is time.
        }
        remove();
    }

    private void removeAfterChildren() {
        ChildProcess.closeAll();
        remove();
    }

    private synchronized void remove() {
        if (removed || path == null) {
            removed = true;
            return;
        }
        removed = true;
        try (Stream<Path> all = Files.walk(path)) {
            List<Path> deepestFirst = all.sorted((a, b) -> b.compareTo(a)).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            System.getLogger("farslot.lab")
                    .log(System.Logger.Level.WARNING, "Cannot remove " + path, e);
        }
    }
}
