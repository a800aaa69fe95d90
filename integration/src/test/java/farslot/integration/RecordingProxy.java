package farslot.integration;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** A relay for one connection that keeps the frames which the server sends. */
final class RecordingProxy implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final Socket server;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private final Thread relay;
    private volatile Socket client;

    RecordingProxy(int port) throws IOException {
        server = new Socket(InetAddress.getLoopbackAddress(), port);
        server.setTcpNoDelay(true);
        relay = Thread.ofPlatform().daemon().name("recording").start(this::run);
    }

    int port() {
        return listener.getLocalPort();
    }

    private void run() {
        try (Socket accepted = listener.accept()) {
            client = accepted;
            accepted.setTcpNoDelay(true);
            Thread there =
                    Thread.ofPlatform()
                            .daemon()
                            .name("recording-there")
                            .start(() -> pass(accepted, server, null));
            pass(server, accepted, kept);
            there.join();
        } catch (IOException | InterruptedException e) {
            // The test has ended.
        }
    }

    private static void pass(Socket from, Socket to, OutputStream copy) {
        try {
            InputStream in = from.getInputStream();
            byte[] buffer = new byte[8192];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                to.getOutputStream().write(buffer, 0, count);
                if (copy != null) {
                    copy.write(buffer, 0, count);
                }
            }
            to.shutdownOutput();
        } catch (IOException e) {
            // One of the two is gone, and so is what it would have said.
        }
    }

    /** All frames that the server sent, once both sides have closed. */
    List<byte[]> frames() throws IOException, InterruptedException {
        relay.join();
        InputStream all = new ByteArrayInputStream(kept.toByteArray());
        all.skipNBytes(RawFrames.PREAMBLE.length);
        List<byte[]> frames = new ArrayList<>();
        for (byte[] frame = RawFrames.next(all); frame != null; frame = RawFrames.next(all)) {
            frames.add(frame);
        }
        return frames;
    }

    @Override
    public void close() throws IOException {
        listener.close();
        server.close();
        Socket accepted = client;
        if (accepted != null) {
            accepted.close();
        }
    }
}
