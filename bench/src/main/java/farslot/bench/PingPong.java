package farslot.bench;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A bare socket with a thread at its other end that answers: the least that any path over such a
 * socket can cost. Messages are as long as those of the link for a 4-byte access.
 */
final class PingPong implements Target {
    static final String UNIX = "bare UNIX socket";
    static final String TCP = "bare TCP socket";

    private static final int REQUEST_BYTES = 48;
    private static final int REPLY_BYTES = 32;

    private final String name;
    private final SocketChannel near;
    private final Thread echo;
    private final ByteBuffer request = ByteBuffer.allocateDirect(REQUEST_BYTES);
    private final ByteBuffer reply = ByteBuffer.allocateDirect(REPLY_BYTES);

    private PingPong(String name, SocketChannel near, SocketChannel far) {
        this.name = name;
        this.near = near;
        this.echo = Thread.ofPlatform().daemon().name("bench " + name).start(() -> answer(far));
    }

    /** Over a UNIX socket in {@code folder}. */
    static PingPong unix(Path folder) throws IOException {
        Path socket = folder.resolve("ping.sock");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            return between(UNIX, server);
        } finally {
            Files.deleteIfExists(socket);
        }
    }

    /** Over TCP on the loopback interface, without Nagle's waiting. */
    static PingPong tcp() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            PingPong pair = between(TCP, server);
            pair.near.setOption(StandardSocketOptions.TCP_NODELAY, true);
            return pair;
        }
    }

    private static PingPong between(String name, ServerSocketChannel server) throws IOException {
        SocketAddress address = server.getLocalAddress();
        SocketChannel near = SocketChannel.open(address);
        SocketChannel far = server.accept();
        if (address instanceof InetSocketAddress) {
            far.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        return new PingPong(name, near, far);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String baseline() {
        return null;
    }

    @Override
    public void read() throws IOException {
        send((byte) 1);
        reply.clear();
        fill(near, reply);
    }

    @Override
    public void write() throws IOException {
        send((byte) 0);
    }

    private void send(byte wantsReply) throws IOException {
        request.clear();
        request.put(0, wantsReply);
        while (request.hasRemaining()) {
            near.write(request);
        }
    }

    private static void answer(SocketChannel far) {
        ByteBuffer request = ByteBuffer.allocateDirect(REQUEST_BYTES);
        ByteBuffer reply = ByteBuffer.allocateDirect(REPLY_BYTES);
        try (far) {
            while (true) {
                request.clear();
                fill(far, request);
                if (request.get(0) == 0) {
                    continue;
                }
                reply.clear();
                while (reply.hasRemaining()) {
                    far.write(reply);
                }
            }
        } catch (IOException e) {
            // The near end has closed: the measurement is over.
        }
    }

    private static void fill(SocketChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException();
            }
        }
    }

    @Override
    public void close() throws IOException {
        near.close();
        try {
            echo.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
