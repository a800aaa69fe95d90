package farslot.integration;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A TCP relay that keeps every byte in its place and nothing else: what came in one piece goes on
 * in several, what came in several in one, and after a while of up to 50 µs; each by chance from
 * the seed, in both directions.
 */
final class ShufflingProxy implements AutoCloseable {
    private static final int MOST_DELAY_NANOS = 50_000;

    private final InetSocketAddress target;
    private final long seed;
    private final ServerSocket server;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();

    ShufflingProxy(InetSocketAddress target, long seed) throws IOException {
        this.target = target;
        this.seed = seed;
        server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        start(this::serve);
    }

    int port() {
        return server.getLocalPort();
    }

    private void start(Runnable work) {
        threads.add(Thread.ofPlatform().daemon().name("shuffle").start(work));
    }

    private void serve() {
        try {
            for (long link = 0; ; link += 2) {
                Socket client = server.accept();
                Socket onward = new Socket(target.getAddress(), target.getPort());
                open.addAll(List.of(client, onward));
                client.setTcpNoDelay(true);
                onward.setTcpNoDelay(true);
                SplittableRandom there = new SplittableRandom(seed + link);
                SplittableRandom back = new SplittableRandom(seed + link + 1);
                start(() -> relay(client, onward, there));
                start(() -> relay(onward, client, back));
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private static void relay(Socket from, Socket to, SplittableRandom chance) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[1 << 16];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                if (chance.nextBoolean()) {
                    delay(chance.nextInt(MOST_DELAY_NANOS));
                    count += join(in, buffer, count);
                }
                split(out, buffer, count, chance);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            // One side is gone; the other learns it by its own read.
        }
    }

    /** By looking at the clock: a sleep of microseconds lasts as long as the kernel likes. */
    private static void delay(long nanos) {
        long due = System.nanoTime() + nanos;
        while (System.nanoTime() - due < 0) {
            Thread.onSpinWait();
        }
    }

    /** What has come meanwhile goes on in the same piece. */
    private static int join(InputStream in, byte[] buffer, int count) throws IOException {
        int more = Math.min(in.available(), buffer.length - count);
        return more > 0 ? Math.max(0, in.read(buffer, count, more)) : 0;
    }

    private static void split(OutputStream out, byte[] buffer, int count, SplittableRandom chance)
            throws IOException {
        int at = 0;
        while (at < count && chance.nextInt(3) == 0) {
            int piece = 1 + chance.nextInt(Math.min(200, count - at));
            out.write(buffer, at, piece);
            at += piece;
        }
        if (at < count) {
            out.write(buffer, at, count - at);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
