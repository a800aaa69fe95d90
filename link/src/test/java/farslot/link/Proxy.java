package farslot.link;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CountDownLatch;

/** Forwards TCP connections until it is told to stop forwarding, which nobody can see. */
final class Proxy implements AutoCloseable {
    private final ServerSocketChannel listening;
    private final Address.Tcp to;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final CountDownLatch closed = new CountDownLatch(1);

    Proxy(Address address) throws IOException {
        to = (Address.Tcp) address;
        listening = ServerSocketChannel.open();
        listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofPlatform().daemon(true).start(this::accept);
    }

    Address address() {
        return new Address.Tcp("127.0.0.1", listening.socket().getLocalPort());
    }

    void stop() {
        stopped.countDown();
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel from = listening.accept();
                SocketChannel far = SocketChannel.open(new InetSocketAddress(to.host(), to.port()));
                Thread.ofPlatform().daemon(true).start(() -> forward(from, far));
                Thread.ofPlatform().daemon(true).start(() -> forward(far, from));
            }
        } catch (IOException e) {
            // It is closed.
        }
    }

    private void forward(SocketChannel from, SocketChannel into) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(0x10000);
        try {
            while (from.read(buffer) >= 0) {
                if (stopped.getCount() == 0) {
                    closed.await();
                    break;
                }
                buffer.flip();
                while (buffer.hasRemaining()) {
                    into.write(buffer);
                }
                buffer.clear();
            }
            from.close();
            into.close();
        } catch (IOException | InterruptedException e) {
            // One end has gone; the other sees it when this thread's twin ends.
        }
    }

    @Override
    public void close() throws IOException {
        closed.countDown();
        listening.close();
    }
}
