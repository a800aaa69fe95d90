package farslot.bench;

import farslot.lab.TemporaryFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * What measurements are made with: a folder, and the processes and connections that were opened.
 * {@link #close} ends and removes everything, what came last first.
 */
final class Workbench implements AutoCloseable {
    private final TemporaryFolder folder = TemporaryFolder.create("farslot-bench-");
    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Consumer<String> progress;
    private final boolean hasBaselines;
    private int files;

    private Workbench(Consumer<String> progress, boolean withBaselines) throws IOException {
        this.progress = progress;
        boolean ready = false;
        try {
            hasBaselines = withBaselines && Baselines.compile(folder.path());
            ready = true;
        } finally {
            if (!ready) {
                folder.close();
            }
        }
        if (!hasBaselines) {
            progress.accept("There is no gcc: no baselines, and so no ratios.");
        }
    }

    /**
     * Makes a folder and the baselines in it.
     *
     * @param progress is told what is done
     * @param withBaselines false to do as if there were no gcc
     */
    static Workbench open(Consumer<String> progress, boolean withBaselines) throws IOException {
        return new Workbench(progress, withBaselines);
    }

    /** Whether the programs of {@link Baselines} are there. */
    boolean hasBaselines() {
        return hasBaselines;
    }

    Consumer<String> progress() {
        return progress;
    }

    /** The path of a file that is not there yet; short enough for a socket. */
    Path file() {
        return folder.path().resolve("f" + files++);
    }

    Path program(String name) {
        return folder.path().resolve(name);
    }

    /** Closes it too, before everything that was made before it. */
    <T extends AutoCloseable> T keep(T closeable) {
        open.push(closeable);
        return closeable;
    }

    /** A bare UNIX socket: the side that orders rounds. Null without baselines. */
    Peer unixSocket(int requestBytes, int replyBytes) throws IOException {
        if (!hasBaselines) {
            return null;
        }
        Path program = program("socket");
        Path path = file();
        keep(Peer.program(program, "serve", "unix", path, requestBytes, replyBytes)).line();
        return keep(Peer.program(program, "drive", "unix", path, requestBytes, replyBytes));
    }

    /** A bare TCP connection, likewise. */
    Peer tcpSocket(int requestBytes, int replyBytes) throws IOException {
        if (!hasBaselines) {
            return null;
        }
        Path program = program("socket");
        String port =
                keep(Peer.program(program, "serve", "tcp", 0, requestBytes, replyBytes)).line();
        return keep(Peer.program(program, "drive", "tcp", port, requestBytes, replyBytes));
    }

    /** A turn of a baseline; null where there is none. */
    static Contest.Turn turn(Peer baseline, String order) {
        return baseline == null ? null : () -> baseline.round(order);
    }

    @Override
    public void close() throws IOException {
        IOException failed = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (Exception e) {
                failed = failed == null ? new IOException(e.getMessage(), e) : failed;
            }
        }
        folder.close();
        if (failed != null) {
            throw failed;
        }
    }
}
