package farslot.link;

import farslot.link.LinkException.Cause;
import farslot.link.Messages.Goodbye;
import farslot.posix.UnixListener;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Listens on one or several addresses and serves every link that comes: control links, and one link
 * for each borrowed function. Nothing that one link does holds another.
 *
 * <p>A UNIX socket's file is made with mode 600 and removed at {@link #close}; a file there that
 * nobody listens on any more is replaced.
 */
public final class LinkServer implements AutoCloseable {
    /** More links at once are turned away: what each may buffer is bounded, and so is all. */
    private static final int MOST_LINKS = 1024;

    /** So many more for peers on UNIX sockets: no crowd from the network shuts the operator out. */
    private static final int KEPT_FOR_NEAR = 64;

    /** How many are told at the same time why they are turned away. */
    private static final int MOST_TURNED_AWAY = 32;

    private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final LinkOptions options;
    private final Offer offer;
    private final List<Listener> listeners = new ArrayList<>();
    private final Set<ServedLink> links = ConcurrentHashMap.newKeySet();
    private final AtomicInteger turningAway = new AtomicInteger();
    private final ServedLink.Registry registry =
            new ServedLink.Registry() {
                @Override
                public ServedLink find(byte[] secret) {
                    return LinkServer.this.find(secret);
                }

                @Override
                public void gone(ServedLink link) {
                    left(link);
                }

                @Override
                public boolean standsStill() {
                    return standingStill;
                }

                @Override
                public boolean begin(ServedLink link) {
                    synchronized (borrowed) {
                        return !standingStill && borrowed.add(link);
                    }
                }
            };

    /** Those that have or had a function. */
    private final Set<ServedLink> borrowed = new HashSet<>();

    /** From {@link #standStill} on. */
    private volatile boolean standingStill;

    /** Whether new connections are turned away: handed over, or closed. */
    private volatile boolean closing;

    private volatile boolean closed;

    private LinkServer(LinkOptions options, Offer offer) {
        this.options = options;
        this.offer = offer;
    }

    /** One address that is listened on. */
    private interface Listener {
        Address address();

        /** Waits for a connection; null once closed. */
        Connector.Connected accept() throws IOException;

        void close();
    }

    private record UnixDoor(UnixListener listener) implements Listener {
        @Override
        public Address address() {
            return new Address.Unix(listener.path());
        }

        @Override
        public Connector.Connected accept() throws IOException {
            UnixStream stream = listener.accept();
            return stream == null ? null : Connector.unix(stream);
        }

        @Override
        public void close() {
            listener.close();
        }
    }

    private record TcpDoor(Address.Tcp address, ServerSocketChannel channel) implements Listener {
        @Override
        public Connector.Connected accept() throws IOException {
            SocketChannel accepted = next();
            return accepted == null ? null : Connector.tcp(accepted);
        }

        /** Waits for a connection; null once closed. */
        SocketChannel next() throws IOException {
            try {
                return channel.accept();
            } catch (ClosedChannelException closed) {
                return null;
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                Connection.LOG.log(Level.DEBUG, "closing a listener", e);
            }
        }
    }

    /** Those who connect there prove first who they are, while others may come. */
    private record TlsDoor(TcpDoor tcp, TlsReception reception) implements Listener {
        @Override
        public Address address() {
            return tcp.address();
        }

        /** {@inheritDoc} The reception hands over who came. */
        @Override
        public Connector.Connected accept() throws IOException {
            for (SocketChannel came = tcp.next(); came != null; came = tcp.next()) {
                reception.take(came);
            }
            return null;
        }

        @Override
        public void close() {
            tcp.close();
            reception.close();
        }
    }

    /**
     * Listens and serves from now on, on threads of its own.
     *
     * @param addresses at least one
     * @throws IOException a {@link LinkException} with the sentence: TCP with neither {@link
     *     LinkOptions#trust} nor {@link LinkOptions#insecure}, an address in use, no such address
     *     here
     */
    public static LinkServer open(LinkOptions options, Offer offer, List<Address> addresses)
            throws IOException {
        return open(options, offer, addresses, List.of());
    }

    /**
     * As the other, and goes on with the sessions that another process handed over.
     *
     * @param saved each is offered to {@link Offer#adopt} before anybody can connect
     */
    public static LinkServer open(
            LinkOptions options, Offer offer, List<Address> addresses, List<SavedSession> saved)
            throws IOException {
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("A server needs an address to listen on.");
        }
        for (Address address : addresses) {
            Connector.requireProof(address, options);
        }
        LinkServer server = new LinkServer(options, offer);
        saved.forEach(server::goOn);
        try {
            for (Address address : addresses) {
                server.listeners.add(server.listen(address));
            }
        } catch (IOException failed) {
            server.close("The lender cannot listen: " + failed.getMessage());
            throw failed;
        }
        for (Listener listener : server.listeners) {
            Thread.ofPlatform()
                    .daemon(true)
                    .name("farslot-accept")
                    .start(() -> server.acceptLoop(listener));
        }
        return server;
    }

    private Listener listen(Address address) throws IOException {
        try {
            return switch (address) {
                case Address.Unix unix -> new UnixDoor(UnixListener.listen(unix.path()));
                case Address.Tcp tcp when options.insecure() -> listen(tcp);
                case Address.Tcp tcp -> {
                    // Also finds out now, not when somebody comes, whether this side has proof.
                    options.trust().server();
                    yield new TlsDoor(
                            listen(tcp),
                            new TlsReception(options.trust(), this::serve, offer::turnedAway));
                }
            };
        } catch (BindException inUse) {
            throw new LinkException(
                    Cause.UNREACHABLE,
                    "Cannot listen on " + address + ": " + inUse.getMessage(),
                    inUse);
        }
    }

    private static TcpDoor listen(Address.Tcp address) throws IOException {
        InetSocketAddress at = new InetSocketAddress(address.host(), address.port());
        if (at.isUnresolved()) {
            throw new LinkException(
                    Cause.UNREACHABLE,
                    "Cannot listen on "
                            + address
                            + ": there is no machine named "
                            + address.host()
                            + ".");
        }
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.bind(at);
            int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
            return new TcpDoor(new Address.Tcp(address.host(), port), channel);
        } catch (IOException failed) {
            channel.close();
            throw failed;
        }
    }

    private void acceptLoop(Listener listener) {
        while (!closing) {
            try {
                Connector.Connected connected = listener.accept();
                if (connected == null) {
                    return;
                }
                serve(connected);
            } catch (IOException | RuntimeException failed) {
                // Out of descriptors, or the peer left at once: others may come.
                Connection.LOG.log(Level.WARNING, "Accepting at " + listener.address(), failed);
            }
        }
    }

    private void serve(Connector.Connected connected) {
        boolean near = connected.peer().uid() >= 0;
        if (closing || links.size() >= (near ? MOST_LINKS + KEPT_FOR_NEAR : MOST_LINKS)) {
            connected.wire().close();
            return;
        }
        ServedLink link =
                new ServedLink(connected.wire(), options, offer, connected.peer(), registry);
        try {
            offer.arrived(link);
        } catch (RefusedException refused) {
            turnAway(link, connected.wire(), refused.getMessage());
            return;
        }
        links.add(link);
        link.start();
        // Not after a handover: this may be the link whose request that was.
        if (closed) {
            link.endByLender(Goodbye.SHUTTING_DOWN, "The server ends.");
        }
    }

    private void left(ServedLink link) {
        synchronized (borrowed) {
            borrowed.remove(link);
        }
        if (links.remove(link)) {
            offer.left(link);
        } else {
            turningAway.decrementAndGet();
        }
    }

    /** Tells why, to as many at once as cannot hurt; the others see a closed connection. */
    private void turnAway(ServedLink link, Wire wire, String sentence) {
        if (turningAway.incrementAndGet() > MOST_TURNED_AWAY) {
            turningAway.decrementAndGet();
            wire.close();
            return;
        }
        link.start();
        link.turnAway(sentence);
    }

    /** Where it listens, in the order given, with the ports that the system chose for 0. */
    public List<Address> addresses() {
        return listeners.stream().map(Listener::address).toList();
    }

    /** What cannot go on is over, and its slot will hear it when it comes. */
    private void goOn(SavedSession saved) {
        try {
            ServedLink link = ServedLink.restored(saved, options, offer, registry);
            offer.arrived(link);
            links.add(link);
            registry.begin(link);
            try {
                link.goOn(saved);
            } catch (RefusedException refused) {
                left(link);
                throw refused;
            }
        } catch (LinkException | RefusedException failed) {
            Connection.LOG.log(
                    Level.WARNING,
                    "The session of {0} does not go on: {1}",
                    saved.function(),
                    failed.getMessage());
        }
    }

    /**
     * Lets all borrowed functions stand still, so that they can be handed over to another process.
     *
     * @param patience how long an access may take that is under way
     * @throws IllegalStateException where it stands still already, was handed over, or a function
     *     does not come back from an access; everything goes on then
     */
    public Standstill standStill(Duration patience) {
        synchronized (borrowed) {
            if (standingStill || closing) {
                throw new IllegalStateException("The server stands still already, or ends.");
            }
            standingStill = true;
        }
        HandingOver handingOver = new HandingOver();
        try {
            handingOver.begin(System.nanoTime() + patience.toNanos());
            return handingOver;
        } catch (RuntimeException failed) {
            handingOver.close();
            throw failed;
        }
    }

    private final class HandingOver implements Standstill {
        private static final String SENTENCE = "The lender hands over to its successor.";

        private final List<ServedLink> still;
        private final List<ServedLink> saved = new ArrayList<>();
        private boolean done;

        HandingOver() {
            synchronized (borrowed) {
                still = List.copyOf(borrowed);
            }
        }

        void begin(long deadlineNanos) {
            still.forEach(Connection::pause);
            for (ServedLink link : still) {
                try {
                    if (link.awaitPaused(deadlineNanos)) {
                        continue;
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                throw new IllegalStateException(
                        "An access of "
                                + link.peer()
                                + " is still under way in its function: it cannot be handed over.");
            }
        }

        @Override
        public List<SavedSession> sessions() {
            List<SavedSession> sessions = new ArrayList<>();
            for (ServedLink link : still) {
                if (link.session() == null) {
                    continue;
                }
                link.leave(SENTENCE);
                SavedSession session = link.save();
                if (session != null) {
                    saved.add(link);
                    sessions.add(session);
                }
            }
            return sessions;
        }

        @Override
        public void handOver(String sentence) {
            done = true;
            closing = true;
            for (ServedLink link : still) {
                if (saved.contains(link)) {
                    link.endHandedOver(sentence);
                } else {
                    link.endByLender(Goodbye.SHUTTING_DOWN, sentence);
                }
            }
            for (ServedLink link : still) {
                link.awaitClosed(CLOSE_NANOS);
            }
        }

        @Override
        public void close() {
            if (!done) {
                done = true;
                standingStill = false;
                still.forEach(Connection::unpause);
            }
        }
    }

    /** Looks at all of them, however early it finds one: the time it takes says nothing. */
    private ServedLink find(byte[] secret) {
        ServedLink found = null;
        for (ServedLink link : links) {
            Session session = link.session();
            if (session != null && session.isNamed(secret)) {
                found = link;
            }
        }
        return found;
    }

    /**
     * Ends a session at once, as ABANDONED: who has it is gone for sure and will not come back.
     *
     * @param session its secret
     * @param by who says so: of the same subject as the session's borrower
     * @param sentence why, for people
     * @return whether there was such a session
     */
    public boolean abandon(byte[] session, Peer by, String sentence) {
        ServedLink link = find(session);
        if (link == null || !link.peer().subject().equals(by.subject())) {
            return false;
        }
        link.goodbye(Cause.LOST, Goodbye.REVOKED, sentence);
        return true;
    }

    /** For tests, which look at what they buffer. */
    List<Connection> links() {
        return List.copyOf(links);
    }

    /**
     * Stops listening, says goodbye on every link with the sentence, ends every lease as REVOKED,
     * and returns when all is ended, or after 10 s where a function does not come back. Not to be
     * called by what a link calls ({@link Offer}).
     */
    public void close(String sentence) {
        closing = true;
        closed = true;
        listeners.forEach(Listener::close);
        List<ServedLink> open = List.copyOf(links);
        for (ServedLink link : open) {
            link.endByLender(Goodbye.SHUTTING_DOWN, sentence);
        }
        long deadline = System.nanoTime() + CLOSE_NANOS;
        for (ServedLink link : open) {
            if (!link.awaitClosed(Math.max(0, deadline - System.nanoTime()))) {
                Connection.LOG.log(
                        Level.WARNING,
                        "{0} is left behind: its function does not come back from an access",
                        link.peerWords());
            }
        }
    }

    @Override
    public void close() {
        close("The server ends.");
    }
}
