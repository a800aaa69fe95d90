package farslot.link;

import farslot.link.Connector.Connected;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.SocketChannel;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The TLS handshakes that are under way at a server, each on a thread of its own, so that none
 * holds who comes after it. There are at most so many: for one more the oldest is cut, since who
 * means well is done within milliseconds.
 */
final class TlsReception implements AutoCloseable {
    static final int MOST_UNDER_WAY = 256;

    private final Trust trust;
    private final Consumer<Connected> done;
    private final BiConsumer<Peer, String> turnedAway;
    private final Set<SocketChannel> underWay = new LinkedHashSet<>();
    private boolean closed;

    /**
     * @param done takes those who have proven who they are; on the handshake's thread
     * @param turnedAway is told of the others, and why; likewise
     */
    TlsReception(Trust trust, Consumer<Connected> done, BiConsumer<Peer, String> turnedAway) {
        this.trust = trust;
        this.done = done;
        this.turnedAway = turnedAway;
    }

    /** Shakes hands with who connected; returns at once. Any thread. */
    void take(SocketChannel channel) {
        SocketChannel oldest = null;
        synchronized (this) {
            if (closed) {
                close(channel);
                return;
            }
            if (underWay.size() == MOST_UNDER_WAY) {
                oldest = underWay.iterator().next();
                underWay.remove(oldest);
            }
            underWay.add(channel);
        }
        if (oldest != null) {
            close(oldest);
        }
        Thread.ofPlatform().daemon(true).name("farslot-tls").start(() -> shakeHands(channel));
    }

    private void shakeHands(SocketChannel channel) {
        Connected connected = null;
        Peer stranger = stranger(channel);
        try {
            connected = TlsHandshake.accept(channel, trust);
        } catch (IOException | RuntimeException failed) {
            boolean crowded;
            synchronized (this) {
                crowded = !underWay.contains(channel);
            }
            String why =
                    crowded
                            ? "it was the slowest of too many that shook hands at once."
                            : failed.getMessage();
            Connection.LOG.log(Level.WARNING, "Turned away: {0}", why);
            turnedAway.accept(stranger, why);
        }
        boolean wanted;
        synchronized (this) {
            wanted = underWay.remove(channel) && connected != null;
        }
        if (wanted) {
            done.accept(connected);
        } else {
            close(channel);
        }
    }

    /** Who comes from there, before it has proven anything. */
    private static Peer stranger(SocketChannel channel) {
        String identity = "a stranger";
        String address = "";
        try {
            Address.Tcp from = Connector.remote(channel);
            identity += " at " + from;
            address = from.host();
        } catch (IOException gone) {
            // It is called a stranger.
        }
        return new Peer(identity, "", "", false, -1, -1, address);
    }

    int underWay() {
        synchronized (this) {
            return underWay.size();
        }
    }

    private static void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException gone) {
            Connection.LOG.log(Level.DEBUG, "closing a connection", gone);
        }
    }

    /** Cuts all that are under way, and takes no more. */
    @Override
    public void close() {
        Set<SocketChannel> left;
        synchronized (this) {
            closed = true;
            left = Set.copyOf(underWay);
            underWay.clear();
        }
        left.forEach(TlsReception::close);
    }
}
