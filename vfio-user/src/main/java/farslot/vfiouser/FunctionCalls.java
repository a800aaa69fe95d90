package farslot.vfiouser;

import farslot.core.PciFunction;
import java.util.ArrayDeque;
import java.util.function.Consumer;

/**
 * The calls of one client's threads on the function. Usually the thread that serves makes them
 * itself. Where one of them does not come back, the others are kept in their order for the thread
 * that is stuck there, which makes them when it is free, and nobody else waits longer than an
 * emulator allows.
 */
final class FunctionCalls {
    private static final int MOST_WAITING = 4096;
    private static final long MOST_WAITING_BYTES = 1 << 20;

    private final PciFunction function;
    private final Object lock = new Object();
    private final ArrayDeque<Consumer<PciFunction>> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private long refused;

    /** A thread is inside the function and no longer serves. */
    private volatile boolean stuck;

    /** Somebody has waited in vain, so nobody else waits until the function is free. */
    private boolean suspended;

    FunctionCalls(PciFunction function) {
        this.function = function;
    }

    PciFunction function() {
        return function;
    }

    boolean isStuck() {
        return stuck;
    }

    /**
     * From now on a thread of this client is stuck in the function.
     *
     * @param inVain whether the client has waited for it in vain already
     */
    void stuck(boolean inVain) {
        synchronized (lock) {
            stuck = true;
            suspended = inVain;
        }
    }

    /**
     * Makes a call that has no result, now or behind those that wait.
     *
     * @param bytes what keeping it costs
     * @return false where too much waits; the call is not made then
     */
    boolean tell(int bytes, Consumer<PciFunction> call) {
        if (stuck) {
            synchronized (lock) {
                if (stuck) {
                    if (waiting.size() >= MOST_WAITING
                            || waitingBytes + bytes > MOST_WAITING_BYTES) {
                        suspended = true;
                        refused++;
                        return false;
                    }
                    waiting.add(call);
                    waitingBytes += bytes;
                    return true;
                }
            }
        }
        call.accept(function);
        return true;
    }

    /**
     * Waits until the function is free.
     *
     * @return false where it did not become free in time, or was given up before
     */
    boolean awaitFree(long timeoutNanos) throws InterruptedException {
        if (!stuck) {
            return true;
        }
        long deadline = System.nanoTime() + timeoutNanos;
        synchronized (lock) {
            while (stuck) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                if (suspended || left <= 0) {
                    suspended = true;
                    return false;
                }
                lock.wait(left);
            }
            return true;
        }
    }

    /**
     * Makes the calls that wait; by the thread that was stuck.
     *
     * @return how many were refused meanwhile
     */
    long free() {
        while (true) {
            Consumer<PciFunction> call;
            synchronized (lock) {
                call = waiting.poll();
                if (call == null) {
                    stuck = false;
                    suspended = false;
                    waitingBytes = 0;
                    long lost = refused;
                    refused = 0;
                    lock.notifyAll();
                    return lost;
                }
            }
            call.accept(function);
        }
    }
}
