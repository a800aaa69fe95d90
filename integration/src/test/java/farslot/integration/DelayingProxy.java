package farslot.integration;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;

/** A TCP relay through which every byte takes a while longer, in both directions: a distance. */
final class DelayingProxy implements AutoCloseable {
    /** Bytes and when they are to go on; none say that the stream ends. */
    private static final class Piece {
        final byte[] bytes;
        final long dueNanos;

        Piece(byte[] bytes, long dueNanos) {
            this.bytes = bytes;
            this.dueNanos = dueNanos;
        }

        static Piece end() {
            return new Piece(new byte[0], 0);
        }

        boolean isEnd() {
            return bytes.length == 0;
        }
    }

    private final InetSocketAddress target;
    private final long delayNanos;
    private final ServerSocket server;
    private final List<Socket> open = new CopyOnWriteArrayList<>();

    DelayingProxy(InetSocketAddress target, long delayNanos) throws IOException {
        this.target = target;
        this.delayNanos = delayNanos;
        server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("proxy").start(this::serve);
    }

    int port() {
        return server.getLocalPort();
    }

    private void serve() {
        try {
            while (true) {
                Socket client = server.accept();
                Socket onward = new Socket(target.getAddress(), target.getPort());
                open.addAll(List.of(client, onward));
                client.setTcpNoDelay(true);
                onward.setTcpNoDelay(true);
                relay(client, onward);
                relay(onward, client);
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void relay(Socket from, Socket to) {
        BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>(4096);
        Thread.ofPlatform().daemon().name("proxy-in").start(() -> take(from, pieces));
        Thread.ofPlatform().daemon().name("proxy-out").start(() -> give(to, pieces));
    }

    private void take(Socket from, BlockingQueue<Piece> pieces) {
        try {
            InputStream in = from.getInputStream();
            byte[] buffer = new byte[1 << 16];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                pieces.put(new Piece(Arrays.copyOf(buffer, count), System.nanoTime() + delayNanos));
            }
            pieces.put(Piece.end());
        } catch (IOException | InterruptedException e) {
            pieces.clear();
            pieces.add(Piece.end());
        }
    }

    private static void give(Socket to, BlockingQueue<Piece> pieces) {
        try {
            OutputStream out = to.getOutputStream();
            for (Piece piece = pieces.take(); !piece.isEnd(); piece = pieces.take()) {
                for (long left = left(piece); left > 0; left = left(piece)) {
                    LockSupport.parkNanos(left);
                }
                out.write(piece.bytes);
            }
            to.shutdownOutput();
        } catch (IOException | InterruptedException e) {
            // One side is gone; the other learns it by its own read.
        }
    }

    private static long left(Piece piece) {
        return piece.dueNanos - System.nanoTime();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
