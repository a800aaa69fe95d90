package farslot.cli;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/**
 * A verb that stays until Ctrl-C or until an operator stops it. It owns what the verb opens and
 * closes it once, the newest first, whichever end comes first; the process does not end before.
 */
final class Foreground implements AutoCloseable {
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final Deque<AutoCloseable> owned = new ArrayDeque<>();
    private final Consumer<String> talk;
    private final Thread hook = new Thread(this::closeOwned, "clean up");
    private boolean closed;

    /** From now on a signal that ends the process closes what is owned first. */
    Foreground(Consumer<String> talk) {
        this.talk = talk;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Takes something over that is to be closed. Gives it back for use. */
    synchronized <T extends AutoCloseable> T own(T thing) {
        if (closed) {
            // Ctrl-C while the verb is still starting.
            close(thing);
        } else {
            owned.push(thing);
        }
        return thing;
    }

    /** Lets {@link #await} return. Any thread; returns at once. */
    void stop() {
        stopped.countDown();
    }

    /** Waits until {@link #stop} or the end of the process. */
    void await() {
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes what is owned. */
    @Override
    public void close() {
        closeOwned();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process ends already; the hook finds everything closed.
        }
    }

    private synchronized void closeOwned() {
        closed = true;
        while (!owned.isEmpty()) {
            close(owned.pop());
        }
    }

    private void close(AutoCloseable thing) {
        try {
            thing.close();
        } catch (Exception e) {
            talk.accept("Something could not be closed: " + e);
        }
    }
}
