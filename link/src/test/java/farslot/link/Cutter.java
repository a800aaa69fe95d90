package farslot.link;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/** Forwards TCP connections, and cuts each after so many bytes of one direction. */
final class Cutter implements AutoCloseable {
    /** How a connection ends. */
    enum Cut {
        /** Both ends see a reset. */
        RESET,
        /** Both ends see the end of the stream. */
        END,
        /** The client sees a reset, the server nothing. */
        HALF_OPEN,
        /** Nobody sees anything: nothing passes any more. */
        SILENCE
    }

    /**
     * When the next connection is cut.
     *
     * @param bytes after so many from the client, or where negative so many from the server; 0
     *     never
     */
    record Plan(Cut how, long bytes) {}

    private static final Plan NEVER = new Plan(Cut.END, 0);

    private final ServerSocketChannel listening;
    private final Address.Tcp to;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private volatile Supplier<Plan> next = () -> NEVER;
    private volatile boolean refusing;
    final AtomicLong connections = new AtomicLong();
    final AtomicLong cuts = new AtomicLong();

    Cutter(Address address) throws IOException {
        to = (Address.Tcp) address;
        listening = ServerSocketChannel.open();
        listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        Thread.ofPlatform().daemon(true).start(this::accept);
    }

    Address address() {
        return new Address.Tcp("127.0.0.1", listening.socket().getLocalPort());
    }

    /** For the connections that come from now on: asked for each. */
    void planBy(Supplier<Plan> plans) {
        next = plans;
    }

    /** Connections that come are closed at once, as long as this is so. */
    void refuse(boolean refused) {
        refusing = refused;
    }

    private final class Pair {
        final SocketChannel client;
        final SocketChannel server;
        final Plan plan;
        volatile boolean silent;

        Pair(SocketChannel client, SocketChannel server, Plan plan) {
            this.client = client;
            this.server = server;
            this.plan = plan;
        }

        void cut(Cut how) {
            cuts.incrementAndGet();
            switch (how) {
                case RESET -> {
                    reset(client);
                    reset(server);
                }
                case END -> {
                    shut(client);
                    shut(server);
                }
                case HALF_OPEN -> {
                    silent = true;
                    reset(client);
                }
                case SILENCE -> silent = true;
            }
        }
    }

    private volatile Pair last;

    /** Cuts the connection that came last, now. */
    void cut(Cut how) {
        last.cut(how);
    }

    private static void reset(SocketChannel channel) {
        try {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
        } catch (IOException e) {
            // It is closed already.
        }
        shut(channel);
    }

    private static void shut(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            // It is closed all the same.
        }
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel client = listening.accept();
                if (refusing) {
                    client.close();
                    continue;
                }
                connections.incrementAndGet();
                SocketChannel server =
                        SocketChannel.open(new InetSocketAddress(to.host(), to.port()));
                client.setOption(StandardSocketOptions.TCP_NODELAY, true);
                server.setOption(StandardSocketOptions.TCP_NODELAY, true);
                open.add(client);
                open.add(server);
                Pair pair = new Pair(client, server, next.get());
                last = pair;
                long bytes = pair.plan.bytes();
                Thread.ofPlatform()
                        .daemon(true)
                        .start(() -> forward(pair, client, server, Math.max(bytes, 0)));
                Thread.ofPlatform()
                        .daemon(true)
                        .start(() -> forward(pair, server, client, Math.max(-bytes, 0)));
            }
        } catch (IOException e) {
            // It is closed.
        }
    }

    private void forward(Pair pair, SocketChannel from, SocketChannel into, long most) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(0x10000);
        long left = most == 0 ? Long.MAX_VALUE : most;
        try {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                if (!pair.silent) {
                    buffer.limit((int) Math.min(buffer.limit(), left));
                    left -= buffer.limit();
                    while (buffer.hasRemaining()) {
                        into.write(buffer);
                    }
                }
                buffer.clear();
                if (left == 0) {
                    left = Long.MAX_VALUE;
                    pair.cut(pair.plan.how());
                }
            }
        } catch (IOException e) {
            // One end has gone, or was cut.
        }
        if (!pair.silent) {
            shut(from);
            shut(into);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        open.forEach(Cutter::shut);
    }
}
