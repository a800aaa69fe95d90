package farslot.vfiouser;

import farslot.posix.EventFd;
import farslot.posix.PollSet;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/**
 * Waits on the descriptor by which KVM tells the end of an INTx interrupt (SET_IRQS 0x14): each
 * signal is an UNMASK. The guest's acknowledging write comes by the socket and the signal beside
 * it, so the unmask waits until all that had been sent is done. A client that sends without pause
 * for a second does not hold it up any longer.
 */
final class ResampleThread implements AutoCloseable {
    private static final long LOOK_AGAIN_NANOS = 20_000;
    private static final int LOOKS = 50_000;

    private final EventFd event;
    private final PollSet set;
    private final Unmask unmask;
    private volatile boolean ended;

    /** What a signal leads to. */
    interface Unmask {
        /** Whether nothing that the client has sent waits to be done. */
        boolean isIdle() throws IOException;

        void unmask();
    }

    ResampleThread(String name, EventFd event, Unmask unmask) throws IOException {
        this.event = event;
        this.unmask = unmask;
        set = new PollSet();
        set.add(event.descriptor());
        Thread.ofPlatform().daemon().name(name).start(this::run);
    }

    private void run() {
        try {
            while (!ended) {
                if (set.await(-1) && !ended && event.drain() > 0) {
                    for (int look = 0; look < LOOKS && !ended && !unmask.isIdle(); look++) {
                        LockSupport.parkNanos(LOOK_AGAIN_NANOS);
                    }
                    unmask();
                }
            }
        } catch (IOException closed) {
            // The client has left.
        } finally {
            set.close();
            event.close();
        }
    }

    /** None is under way, and none follows, once this is closed: the next client has its own. */
    private synchronized void unmask() {
        if (!ended) {
            unmask.unmask();
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            ended = true;
        }
        try {
            set.wake();
        } catch (IOException alreadyEnded) {
            // Then it needs no waking.
        }
    }
}
