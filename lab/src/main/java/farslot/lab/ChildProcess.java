package farslot.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A program that this one started and that must not outlive it: it is ended when closed, and when
 * the Java machine ends for whatever reason, {@code kill -9} too ({@link DeathSignal}).
 *
 * <p>Ending is asked for first (SIGTERM), so that the program can clean up, and forced after {@link
 * #PATIENCE}. Only the process started here is signalled, by its handle. Any thread may call.
 */
public final class ChildProcess implements AutoCloseable {
    /** How long a program may take to leave by itself. */
    public static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Set<ChildProcess> RUNNING = ConcurrentHashMap.newKeySet();

    /** Held while a program starts, so that none starts unseen while all are ended. */
    private static final Object STARTING = new Object();

    /** Open for good after {@link #closeAll}: what starts then would outlive this program. */
    private static final CountDownLatch ENDING = new CountDownLatch(1);

    static {
        try {
            Runtime.getRuntime()
                    .addShutdownHook(new Thread(ChildProcess::closeAll, "end-children"));
        } catch (IllegalStateException e) {
            // This class is first asked for while the program is being ended.
            ENDING.countDown();
        }
    }

    private final Process process;

    private ChildProcess(Process process) {
        this.process = process;
    }

    /**
     * Starts the program.
     *
     * @throws LabException where it cannot be started, or after {@link #closeAll}
     */
    public static ChildProcess start(ProcessBuilder builder) {
        synchronized (STARTING) {
            if (ENDING.getCount() == 0) {
                throw new LabException(
                        "Not started: "
                                + builder.command().get(0)
                                + ", since this program is being ended.",
                        null);
            }
            String program = builder.command().getFirst();
            try {
                ChildProcess child = new ChildProcess(DeathSignal.start(builder));
                RUNNING.add(child);
                var _ = child.process.onExit().thenRun(() -> RUNNING.remove(child));
                return child;
            } catch (IOException e) {
                throw new LabException("Cannot start " + program + ": " + e.getMessage() + ".", e);
            }
        }
    }

    /**
     * Whether this program is being ended, or is within this time. Ctrl-C reaches children too, and
     * their end may be noticed first: then it is no failure of theirs.
     */
    public static boolean isEndingWithin(Duration time) {
        try {
            return ENDING.await(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** The process itself, for its streams and its exit code. */
    public Process process() {
        return process;
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Waits for the program's own end; false when the time is up first. */
    public boolean await(Duration time) {
        try {
            return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Ends the program and waits until it is gone. */
    @Override
    public void close() {
        process.destroy();
        awaitEnd();
    }

    private void awaitEnd() {
        boolean interrupted = Thread.interrupted();
        if (!await(PATIENCE)) {
            process.destroyForcibly();
            await(PATIENCE);
        }
        RUNNING.remove(this);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Ends all that run, for those who clean up after them when this program is ended. No other
     * starts after it.
     */
    public static void closeAll() {
        synchronized (STARTING) {
            ENDING.countDown();
        }
        // All are asked before any is waited for: together they need the time of the slowest.
        RUNNING.forEach(child -> child.process.destroy());
        RUNNING.forEach(ChildProcess::awaitEnd);
    }
}
