package farslot.integration;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A TCP relay between a slot and its lender that cuts its connections, each behind a random byte of
 * a random direction, until its plan is done; from then on everything passes. It counts how often
 * frames were under way both ways. Where, how and in what order is drawn from a seed.
 *
 * <p>Once the drawn byte has passed it waits, for at most {@link #MOST_WAITED_FOR} bytes more,
 * until both sides lack an acknowledgement: a cut of an idle connection shows nothing.
 */
final class CuttingProxy implements AutoCloseable {
    /** How a connection is cut. */
    enum Cut {
        /** Both sides are told by a reset. */
        RESET,
        /**
         * One side is told, by a reset or by the stream's end; for the other nothing passes any
         * more.
         */
        HALF_OPEN,
        /** Nobody is told, and nothing passes any more. */
        SILENCE
    }

    /** The system property of a seed to be drawn again. */
    private static final String SEED = "farslot.cuts.seed";

    /** More than the longest frame that devices send: 64 KiB of data. */
    private static final int MOST_BYTES = 100_000;

    private static final int MOST_WAITED_FOR = 1 << 20;
    private static final int MOST_PIECE = 256;

    private final InetSocketAddress target;
    private final SplittableRandom chance;
    private final ServerSocket server;
    private final SessionFrames frames = new SessionFrames();
    private final Set<Wire> open = ConcurrentHashMap.newKeySet();
    private final Deque<Cut> plan;
    private final Map<Cut, Integer> done = new EnumMap<>(Cut.class);
    private final List<Long> recoveries = new ArrayList<>();
    private int bothWays;
    private long cutAtNanos;
    private boolean begun;
    private boolean away;

    private CuttingProxy(int port, List<Cut> plan, long seed) throws IOException {
        target = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        this.plan = new ArrayDeque<>(plan);
        chance = new SplittableRandom(seed);
        server = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().name("cutting").start(this::serve);
    }

    /**
     * Cuts this often: of 100 times 97 by a reset, 2 half-open, 1 silent; each kind at least once.
     */
    static CuttingProxy cutting(int port, int cuts, long seed) throws IOException {
        int silent = Math.max(1, cuts / 100);
        int halfOpen = Math.max(1, cuts / 50);
        return cutting(
                port,
                Map.of(
                        Cut.RESET,
                        cuts - halfOpen - silent,
                        Cut.HALF_OPEN,
                        halfOpen,
                        Cut.SILENCE,
                        silent),
                seed);
    }

    /** Cuts so often in each way, in an order of the seed's. */
    static CuttingProxy cutting(int port, Map<Cut, Integer> cuts, long seed) throws IOException {
        List<Cut> plan = new ArrayList<>();
        for (Cut cut : Cut.values()) {
            plan.addAll(Collections.nCopies(cuts.getOrDefault(cut, 0), cut));
        }
        Collections.shuffle(plan, new Random(seed));
        return new CuttingProxy(port, plan, seed);
    }

    /** Another one for each run, or that of the property {@value #SEED}; is printed. */
    static long seed() {
        long seed = Long.getLong(SEED, System.nanoTime());
        System.out.println("cuts are drawn again by -D" + SEED + "=" + seed);
        return seed;
    }

    int port() {
        return server.getLocalPort();
    }

    /** Cuts from now on; before, all passes, so that something can be borrowed first. */
    synchronized void begin() {
        begun = true;
    }

    /** How many cuts of the plan are still to come. */
    synchronized int left() {
        return plan.size();
    }

    synchronized int done(Cut cut) {
        return done.getOrDefault(cut, 0);
    }

    /** Waits until so many are done. */
    synchronized void await(int cuts) throws InterruptedException {
        while (done() < cuts) {
            wait();
        }
    }

    synchronized int done() {
        return done.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** At how many cuts each side had sent frames that the other had not acknowledged. */
    synchronized int bothWays() {
        return bothWays;
    }

    /**
     * While it is so nothing passes, as where the cable is pulled: connections that there are stay
     * open, those that come are taken and never answered. Then all of them are reset.
     */
    synchronized void setAway(boolean away) {
        this.away = away;
        for (Wire wire : open) {
            wire.deaf = true;
            if (!away) {
                wire.close(wire.client, true);
                wire.close(wire.server, true);
            }
        }
    }

    /** For people: the cuts, and how long it took until the session went on. */
    synchronized String report() {
        long[] sorted = recoveries.stream().mapToLong(Long::longValue).sorted().toArray();
        String times =
                sorted.length == 0
                        ? "none recovered"
                        : String.format(
                                Locale.ROOT,
                                "%d recovered after %.1f ms (median), %.1f ms (longest)",
                                sorted.length,
                                sorted[sorted.length / 2] / 1e6,
                                sorted[sorted.length - 1] / 1e6);
        return done() + " cuts " + done + ", " + bothWays + " with frames both ways; " + times;
    }

    private void serve() {
        try {
            while (true) {
                Socket client = server.accept();
                client.setTcpNoDelay(true);
                try {
                    Socket onward = new Socket(target.getAddress(), target.getPort());
                    onward.setTcpNoDelay(true);
                    new Wire(client, onward).start();
                } catch (IOException nobodyThere) {
                    client.close();
                }
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private boolean cuts() {
        return begun && !plan.isEmpty();
    }

    /** One connection. What it decides it decides under the proxy's lock. */
    private final class Wire {
        private final Socket client;
        private final Socket server;
        private final SessionFrames.Stream[] streams = {
            frames.new Stream(SessionFrames.CLIENT), frames.new Stream(SessionFrames.SERVER)
        };
        private final int direction;
        private long untilDrawn;
        private long waitedFor;

        /** Nothing passes any more. */
        private volatile boolean deaf;

        Wire(Socket client, Socket server) {
            this.client = client;
            this.server = server;
            synchronized (CuttingProxy.this) {
                direction = chance.nextInt(2);
                untilDrawn = 1L + chance.nextInt(MOST_BYTES);
                deaf = away;
                open.add(this);
            }
        }

        void start() {
            Thread.ofPlatform().daemon().name("there").start(() -> relay(0, client, server));
            Thread.ofPlatform().daemon().name("back").start(() -> relay(1, server, client));
        }

        private void relay(int from, Socket in, Socket out) {
            try {
                InputStream bytes = in.getInputStream();
                OutputStream onward = out.getOutputStream();
                byte[] buffer = new byte[1 << 16];
                for (int count = bytes.read(buffer); count >= 0; count = bytes.read(buffer)) {
                    for (int at = 0; at < count && !deaf; ) {
                        int some = mayPass(from, count - at);
                        if (!write(onward, buffer, at, some)) {
                            end(out, in, true);
                            break;
                        }
                        passed(from, buffer, at, some);
                        at += some;
                    }
                }
                if (!deaf) {
                    out.shutdownOutput();
                }
                if (deaf || in.isOutputShutdown()) {
                    end(in, out, false);
                }
            } catch (IOException e) {
                end(in, out, true);
            }
        }

        private static boolean write(OutputStream onward, byte[] bytes, int at, int count) {
            try {
                onward.write(bytes, at, count);
                return true;
            } catch (IOException e) {
                return false;
            }
        }

        /** A side has gone: so does the other, unless it is not to be told. */
        private void end(Socket gone, Socket other, boolean reset) {
            close(gone, false);
            if (!deaf) {
                close(other, reset);
            }
            if (client.isClosed() && server.isClosed()) {
                open.remove(this);
            }
        }

        void close(Socket socket, boolean reset) {
            try {
                if (reset) {
                    socket.setSoLinger(true, 0);
                }
                socket.close();
            } catch (IOException e) {
                // It is closed all the same.
            }
        }

        /** How many of the bytes that there are pass before it is decided whether to cut. */
        private int mayPass(int from, int available) {
            synchronized (CuttingProxy.this) {
                if (!cuts()) {
                    return available;
                }
                if (untilDrawn == 0) {
                    return Math.min(available, 1 + chance.nextInt(MOST_PIECE));
                }
                return from == direction ? (int) Math.min(available, untilDrawn) : available;
            }
        }

        private void passed(int from, byte[] bytes, int at, int count) {
            synchronized (CuttingProxy.this) {
                streams[from].passed(bytes, at, count);
                if (cutAtNanos != 0 && streams[from].resumed()) {
                    recoveries.add(System.nanoTime() - cutAtNanos);
                    cutAtNanos = 0;
                }
                if (!cuts() || deaf) {
                    return;
                }
                if (untilDrawn > 0) {
                    untilDrawn -= from == direction ? count : 0;
                } else {
                    waitedFor += count;
                }
                boolean both = frames.unacknowledgedBothWays();
                if (untilDrawn == 0 && (both || waitedFor >= MOST_WAITED_FOR)) {
                    cut(plan.remove(), both);
                }
            }
        }

        private void cut(Cut how, boolean both) {
            done.merge(how, 1, Integer::sum);
            bothWays += both ? 1 : 0;
            cutAtNanos = System.nanoTime();
            deaf = true;
            switch (how) {
                case RESET -> {
                    close(client, true);
                    close(server, true);
                }
                case HALF_OPEN ->
                        close(chance.nextBoolean() ? client : server, chance.nextBoolean());
                case SILENCE -> {}
            }
            CuttingProxy.this.notifyAll();
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Wire wire : open) {
            wire.close(wire.client, false);
            wire.close(wire.server, false);
        }
    }
}
