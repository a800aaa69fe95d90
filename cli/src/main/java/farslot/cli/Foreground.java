package farslot.cli;

import java.util.concurrent.CountDownLatch;

/**
 * A verb that stays until Ctrl-C or until an operator stops it: cleans up once, whichever comes
 * first, and is done with that before the process ends.
 */
final class Foreground {
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Runnable cleanUp;
    private boolean cleaned;

    /**
     * @param cleanUp gives everything back; run once. Must not end the process
     */
    Foreground(Runnable cleanUp) {
        this.cleanUp = cleanUp;
    }

    /** Lets {@link #await} return. Any thread; returns at once. */
    void stop() {
        stopped.countDown();
    }

    /** Waits until {@link #stop}, then cleans up; or does so when the process is ended. */
    int await() {
        Thread hook = new Thread(this::clean, "clean up");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        clean();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process ends already; the hook finds everything clean.
        }
        return ExitCode.OK;
    }

    private synchronized void clean() {
        if (!cleaned) {
            cleaned = true;
            cleanUp.run();
        }
    }
}
