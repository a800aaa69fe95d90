package farslot.lab;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A folder for the files of one run: image, sockets, log. It is removed when closed, and when this
 * program is ended, after all of its children have ended. Any thread may close it, several times.
 *
 * <p>Beside it a shell waits for the end of its standard input, which comes when this program ends
 * in any way, {@code kill -9} too, and removes what is left.
 */
public final class TemporaryFolder implements AutoCloseable {
    /**
     * Makes the folder, says where, waits, and removes what is left. Tries for a while: programs of
     * before may still be ending there.
     */
    private static final String WATCHER =
            """
            trap '' INT TERM HUP
            folder=$(mktemp -d "$0/$1XXXXXXXXXX" 2>&1) || { printf %s "$folder"; exit 1; }
            printf %s "$folder"
            exec >&- 2>&-
            read -r _
            for try in 1 2 3 4 5 6 7 8 9 10; do
                rm -rf "$folder" && [ ! -e "$folder" ] && exit
                sleep 1
            done
            """;

    private final Thread hook = new Thread(this::removeAfterChildren, "remove-temporary-folder");
    private Path path;
    private Process watcher;
    private volatile Runnable last = () -> {};
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
        Process starting = watcher(above.toAbsolutePath(), prefix);
        byte[] said = starting.getInputStream().readAllBytes();
        Path made =
                Path.of(new String(said, Charset.forName(System.getProperty("native.encoding"))));
        if (!Files.isDirectory(made)) {
            throw new IOException("A temporary folder could not be made: " + made);
        }
        path = made;
        watcher = starting;
    }

    /** In a session of its own where it can be: then it lives when all of this one is killed. */
    private static Process watcher(Path above, String prefix) throws IOException {
        List<String> words = new ArrayList<>();
        if (Command.exists("setsid")) {
            words.add("setsid");
        }
        words.addAll(List.of("/bin/sh", "-c", WATCHER, above.toString(), prefix));
        return new ProcessBuilder(words).directory(new File("/")).redirectErrorStream(true).start();
    }

    private static IOException ending() {
        return new IOException("this program is being ended.");
    }

    public synchronized Path path() {
        return path;
    }

    /** When this program is ended, what is to be done before the folder is removed. */
    public void beforeRemoval(Runnable action) {
        last = action;
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
        last.run();
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
        endWatcher();
    }

    private void endWatcher() {
        try {
            watcher.getOutputStream().close();
            watcher.waitFor(ChildProcess.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (IOException e) {
            System.getLogger("farslot.lab").log(System.Logger.Level.DEBUG, "its watcher", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
