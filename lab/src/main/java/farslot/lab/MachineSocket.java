package farslot.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A UNIX socket on which we listen and QEMU connects, one line a message. A thread of its own takes
 * the connection and the lines.
 */
final class MachineSocket implements AutoCloseable {
    /** More lines than this unread end the machine's talk: nothing here is unbounded. */
    private static final int UNREAD_LINES = 1 << 16;

    private final Path path;
    private final ServerSocketChannel server;
    private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>(UNREAD_LINES);
    private final CountDownLatch connected = new CountDownLatch(1);
    private volatile SocketChannel channel;

    MachineSocket(Path path) throws IOException {
        this.path = path;
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        Thread.ofPlatform().name(path.getFileName().toString()).daemon().start(this::serve);
    }

    Path path() {
        return path;
    }

    /** The next line; null when the time is up; empty when the machine is gone, then and ever. */
    Optional<String> line(long nanos) throws InterruptedException {
        Optional<String> line = lines.poll(Math.max(0, nanos), TimeUnit.NANOSECONDS);
        if (line != null && line.isEmpty()) {
            end();
        }
        return line;
    }

    /** Sends one line once QEMU has connected. */
    void send(String line, Duration time) {
        try {
            if (!connected.await(time.toMillis(), TimeUnit.MILLISECONDS) || channel == null) {
                throw new LabException("The machine is not there.");
            }
            OutputStream out = Channels.newOutputStream(channel);
            out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new LabException("The machine is gone: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("Interrupted while talking to a machine.", e);
        }
    }

    @Override
    public void close() {
        try (server) {
            SocketChannel open = channel;
            if (open != null) {
                open.close();
            }
        } catch (IOException e) {
            System.getLogger("farslot.lab").log(System.Logger.Level.DEBUG, "closing", e);
        }
    }

    private void serve() {
        try (SocketChannel peer = server.accept()) {
            channel = peer;
            connected.countDown();
            BufferedReader reader =
                    new BufferedReader(
                            new InputStreamReader(
                                    Channels.newInputStream(peer), StandardCharsets.UTF_8));
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                if (!lines.offer(Optional.of(line))) {
                    break;
                }
            }
        } catch (IOException e) {
            System.getLogger("farslot.lab").log(System.Logger.Level.DEBUG, "the machine's end", e);
        } finally {
            connected.countDown();
            end();
        }
    }

    private void end() {
        if (!lines.offer(Optional.empty())) {
            lines.clear();
            lines.offer(Optional.empty());
        }
    }
}
