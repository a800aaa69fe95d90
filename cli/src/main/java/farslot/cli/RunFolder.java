package farslot.cli;

import farslot.lab.ChildProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder for the files of one run: image, sockets, log. It is removed when closed, and when this
 * program is ended, after all programs that use it have ended.
 */
final class RunFolder implements AutoCloseable {
    private final Thread hook = new Thread(this::removeAfterChildren, "remove-run-folder");
    private Path path;
    private boolean removed;

    private RunFolder() {}

    /** Makes the folder, unless this program is being ended already. */
    static RunFolder create() throws IOException {
        RunFolder folder = new RunFolder();
        try {
            // First: from here on whatever is made is removed.
            Runtime.getRuntime().addShutdownHook(folder.hook);
        } catch (IllegalStateException e) {
            throw ending();
        }
        folder.make();
        return folder;
    }

    private synchronized void make() throws IOException {
        if (removed) {
            throw ending();
        }
        path = Files.createTempDirectory("farslot-run-");
    }

    private static IOException ending() {
        return new IOException("this program is being ended.");
    }

    synchronized Path path() {
        return path;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // The hook runs already.
        }
        remove();
    }

    private void removeAfterChildren() {
        ChildProcess.closeAll();
        remove();
    }

    private synchronized void remove() {
        removed = true;
        if (path == null) {
            return;
        }
        try (Stream<Path> all = Files.walk(path)) {
            List<Path> deepestFirst = all.sorted((a, b) -> b.compareTo(a)).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            System.getLogger("farslot.cli")
                    .log(System.Logger.Level.WARNING, "Cannot remove " + path, e);
        }
    }
}
