package farslot.core;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets calls through until it is closed, once and for all, and then knows when the last of them has
 * left: what makes "no DMA afterwards" true when a lease ends or a link is lost.
 *
 * <p>Any thread may call. Passing costs two atomic additions and no lock:
 *
 * <pre>{@code
 * if (!gate.enter()) {
 *     return CompletionStatus.STALE_GENERATION;
 * }
 * try {
 *     ...
 * } finally {
 *     gate.leave();
 * }
 * }</pre>
 */
public final class Gate {
    private final AtomicInteger inside = new AtomicInteger();
    private volatile boolean closed;

    /** An open gate. */
    public Gate() {}

    /** Whether the caller may pass; then it calls {@link #leave} when it is done. */
    public boolean enter() {
        inside.incrementAndGet();
        if (closed) {
            leave();
            return false;
        }
        return true;
    }

    /** The caller is done. */
    public void leave() {
        if (inside.decrementAndGet() == 0 && closed) {
            synchronized (this) {
                notifyAll();
            }
        }
    }

    /** Lets nobody through from now on; does not wait for those inside. */
    public void close() {
        closed = true;
    }

    public boolean isClosed() {
        return closed;
    }

    /**
     * Waits until nobody is inside a closed gate, up to {@code timeoutMillis}. Never to be called
     * from inside.
     *
     * @return whether it is so
     */
    public boolean awaitEmpty(long timeoutMillis) throws InterruptedException {
        long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
        synchronized (this) {
            while (inside.get() != 0) {
                long leftMillis = (deadline - System.nanoTime()) / 1_000_000L;
                if (leftMillis <= 0) {
                    return false;
                }
                wait(leftMillis);
            }
        }
        return true;
    }
}
