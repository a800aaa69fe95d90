package farslot.vfiouser;

import farslot.core.PciFunction;
import farslot.posix.PeerCredentials;
import farslot.posix.UnixListener;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A slot for emulators: makes a function a device of whatever vfio-user client connects to its UNIX
 * socket, one after another. QEMU 10.1 and newer is one ({@link QemuDevice}).
 *
 * <p>While a client is connected the server is the function's {@link farslot.core.PciHost}. It
 * answers every access in time: the function is expected to come back within 4 seconds, or as long
 * as the emulator was told to wait; where it does not, reads are answered all-ones and its late
 * answer is dropped, because QEMU's connection does not survive one (its time-out is 5 seconds
 * unless {@link QemuDevice#patient} sets another). It never lets a region be mapped, so every
 * access is seen.
 *
 * <p>A second client is refused at once. When a client leaves, all that it had mapped and all its
 * interrupts are taken away, the function loses its host and is reset as when power goes; then
 * {@link ClientListener#clientGone} is called, and the next client may come.
 *
 * <p>Any thread may call. Each client is served by a thread of its own.
 */
public final class VfioUserServer implements AutoCloseable {
    private static final Logger LOG = System.getLogger("farslot.vfiouser");
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long CLOSE_MILLIS = 5000;

    /** Under the 5 s after which QEMU gives up. */
    private static final long HOLD_MILLIS = 4000;

    /** Who connects without a VERSION message keeps the slot for no longer. */
    private long silenceNanos = TimeUnit.SECONDS.toNanos(5);

    private final PciFunction function;
    private final long holdMillis;
    private final UnixListener listener;
    private final ClientListener clients;
    private final String name;
    private final Complaints complaints;
    private final Object lock = new Object();
    private Session session;
    private PeerCredentials peer;

    /** A client that came while the one before it was being cleared away. */
    private UnixStream next;

    private boolean closed;

    /** The thread that is telling that its client is gone. */
    private Thread ending;

    /**
     * Hears of clients, of those that spoke vfio-user; called by the server's threads, one call at
     * a time. May close the server.
     */
    public interface ClientListener {
        /** Hears nothing. */
        ClientListener NONE = new ClientListener() {};

        /** A client has connected and agreed on the protocol's version. */
        default void clientArrived(PeerCredentials peer) {}

        /**
         * A client has left or was ended. The function has no host now; a lease for the client ends
         * here.
         *
         * @param why a sentence's end: "it has left."
         */
        default void clientGone(PeerCredentials peer, String why) {}
    }

    private VfioUserServer(
            PciFunction function, UnixListener listener, ClientListener clients, long holdMillis) {
        this.function = function;
        this.holdMillis = holdMillis;
        this.listener = listener;
        this.clients = clients;
        name = String.valueOf(listener.path().getFileName());
        complaints = new Complaints("vfio-user socket " + name);
    }

    /**
     * Makes the socket and waits for clients.
     *
     * @param socket at most 107 bytes; a dead socket there is replaced
     * @throws IOException where the socket cannot be made, with the reason as a sentence
     */
    public static VfioUserServer start(PciFunction function, Path socket, ClientListener clients)
            throws IOException {
        return start(function, socket, clients, Duration.ofMillis(HOLD_MILLIS));
    }

    /**
     * The same where an access may be held for longer.
     *
     * @param hold how long the function may take for an access; more than 4 seconds only for
     *     emulators that wait for longer than that ({@link QemuDevice#patient})
     */
    public static VfioUserServer start(
            PciFunction function, Path socket, ClientListener clients, Duration hold)
            throws IOException {
        VfioUserServer server =
                new VfioUserServer(function, UnixListener.listen(socket), clients, hold.toMillis());
        Thread.ofPlatform()
                .daemon()
                .name("vfio-user " + server.name + " accept")
                .start(server::accept);
        return server;
    }

    public Path socket() {
        return listener.path();
    }

    /** The value of QEMU's {@code -device} for this slot. */
    public String qemuDevice() {
        return QemuDevice.argument(socket());
    }

    public boolean hasClient() {
        synchronized (lock) {
            return session != null;
        }
    }

    /** For tests, which do not wait. */
    void silenceNanos(long nanos) {
        synchronized (lock) {
            silenceNanos = nanos;
        }
    }

    /** Accepts always, so that a client that must be refused does not wait for that. */
    private void accept() {
        while (true) {
            try {
                UnixStream stream = listener.accept();
                if (stream == null) {
                    return;
                }
                arrived(stream);
            } catch (IOException failed) {
                complaints.say(failed.getMessage());
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
    }

    private void arrived(UnixStream stream) {
        synchronized (lock) {
            if (closed) {
                stream.close();
            } else if (session == null) {
                begin(stream);
            } else if (next == null && (session.isOver() || session.isSilent(silenceNanos))) {
                next = stream;
                session.shutdown();
            } else {
                complaints.say(
                        "A second client is refused; process " + peer.pid() + " uses this slot.");
                stream.close();
            }
        }
    }

    private void begin(UnixStream stream) {
        try {
            peer = stream.peer();
        } catch (IOException leftAlready) {
            stream.close();
            return;
        }
        session = new Session(function, stream, name, new Tell(), holdMillis);
        session.start();
    }

    private final class Tell implements Session.Observer {
        @Override
        public void agreed(Session session) {
            clients.clientArrived(currentPeer());
        }

        @Override
        public void ended(Session over, String why) {
            if (over.isAgreed()) {
                gone(why);
            }
            synchronized (lock) {
                session = null;
                ending = null;
                UnixStream waiting = next;
                next = null;
                if (waiting != null && !closed) {
                    begin(waiting);
                } else if (waiting != null) {
                    waiting.close();
                }
                lock.notifyAll();
            }
        }
    }

    private void gone(String why) {
        synchronized (lock) {
            ending = Thread.currentThread();
        }
        PeerCredentials peerGone = currentPeer();
        LOG.log(
                Level.INFO,
                name + ": process " + peerGone.pid() + " uses this slot no longer: " + why);
        clients.clientGone(peerGone, why);
    }

    private PeerCredentials currentPeer() {
        synchronized (lock) {
            return peer;
        }
    }

    /**
     * Ends the client, if there is one, deletes the socket and returns when the client's memory and
     * interrupts are given up, or after 5 seconds where the function does not come back.
     */
    @Override
    public void close() {
        listener.close();
        synchronized (lock) {
            closed = true;
            if (next != null) {
                next.close();
                next = null;
            }
            if (session != null) {
                session.shutdown();
            }
            if (ending != Thread.currentThread()) {
                awaitEnd();
            }
        }
    }

    private void awaitEnd() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_MILLIS);
        try {
            long left = CLOSE_MILLIS;
            while (session != null && left > 0) {
                lock.wait(left);
                left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
