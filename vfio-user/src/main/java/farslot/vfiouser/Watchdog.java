package farslot.vfiouser;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Sees to it that a client is answered in time whatever the function does. An emulator waits 5
 * seconds, with its whole virtual machine, and an answer that comes later destroys its connection
 * for good; so an answer that takes too long is given by this thread and the late one is dropped,
 * and behind a posted write that takes {@link #POSTED_TICKS} another thread reads on.
 *
 * <p>It looks every {@link #TICK_MILLIS} while messages come and sleeps while none do, so that what
 * it watches needs no clock.
 */
final class Watchdog implements Runnable {
    static final long TICK_MILLIS = 200;

    static final int POSTED_TICKS = 2;
    private static final int QUIET_TICKS = 10;

    private final Turn turn;
    private final TakeOver takeOver;
    private final int owedTicks;
    private volatile boolean asleep;
    private volatile boolean ended;
    private volatile Thread thread;

    /** What to do about a turn that takes too long. */
    interface TakeOver {
        void takeOver(long ticket);
    }

    /**
     * @param holdMillis how long the function may hold an access; what it has not answered at most
     *     400 ms later is answered in its stead
     */
    Watchdog(Turn turn, TakeOver takeOver, long holdMillis) {
        this.turn = turn;
        this.takeOver = takeOver;
        // From being seen first, which is a tick after the beginning at most.
        owedTicks = (int) Math.min(holdMillis / TICK_MILLIS + 1, Integer.MAX_VALUE);
    }

    void start(String name) {
        thread = Thread.ofPlatform().daemon().name(name).start(this);
    }

    /** A message has come; by the thread that serves, each time. */
    void wakeIfAsleep() {
        if (asleep) {
            asleep = false;
            LockSupport.unpark(thread);
        }
    }

    void end() {
        ended = true;
        LockSupport.unpark(thread);
    }

    @Override
    public void run() {
        long seen = Turn.NONE;
        int ticks = 0;
        long activity = 0;
        int quiet = 0;
        while (!ended) {
            long ticket = turn.current();
            ticks = ticket == seen ? ticks + 1 : 0;
            seen = ticket;
            int most = Turn.isOwed(ticket) ? owedTicks : POSTED_TICKS;
            if (ticket != Turn.NONE && ticks >= most) {
                takeOver.takeOver(ticket);
            }
            long now = turn.activity();
            quiet = now == activity && ticket == Turn.NONE ? quiet + 1 : 0;
            activity = now;
            if (quiet < QUIET_TICKS) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS));
            } else {
                quiet = 0;
                sleep(now);
            }
        }
    }

    private void sleep(long activity) {
        asleep = true;
        while (asleep && !ended && turn.activity() == activity) {
            LockSupport.park(this);
        }
        asleep = false;
    }
}
