package farslot.sdk;

import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Where a device's timers get their time: a clock, or a test that lets time pass as it likes. One
 * for each function.
 */
public interface TimeSource extends AutoCloseable {
    /**
     * Runs something later. It is short and never waits.
     *
     * @param delayNanos not negative
     * @return cancels it
     */
    Timer after(long delayNanos, Runnable action);

    /** Drops what has not run yet. */
    @Override
    void close();

    /** The machine's clock; a thread begins with the first timer. */
    static TimeSource clock() {
        ScheduledThreadPoolExecutor thread =
                new ScheduledThreadPoolExecutor(
                        1, action -> Thread.ofPlatform().daemon().name("timers").unstarted(action));
        thread.setRemoveOnCancelPolicy(true);
        return new TimeSource() {
            @Override
            public Timer after(long delayNanos, Runnable action) {
                ScheduledFuture<?> future =
                        thread.schedule(action, delayNanos, TimeUnit.NANOSECONDS);
                return () -> future.cancel(false);
            }

            @Override
            public void close() {
                thread.shutdownNow();
            }
        };
    }
}
