package farslot.devices.nvme;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/**
 * The controller's life: disabled, enabled, shut down, failed (NVMe 1.4, 3.1.5, 3.1.6, 7.6).
 *
 * <p><b>Threads.</b> One thread at a time calls, in the function's order, and never waits; {@link
 * #status} may be asked by any.
 */
final class Controller {
    /** The longest queue; CAP.MQES is one less. */
    static final int MAX_QUEUE_ENTRIES = 1024;

    /** CAP.MPSMAX. The largest memory page is 4 KiB times 2 to this power: 64 KiB. */
    private static final int MAX_PAGE_SIZE = 4;

    private static final int ENABLE = 1;
    private static final int READY = 1;
    private static final int FATAL = 1 << 1;
    private static final int SHUTDOWN_OCCURRING = 1 << 2;
    private static final int SHUTDOWN_COMPLETE = 2 << 2;

    private static final Logger LOG = System.getLogger("farslot.nvme");

    private final ControllerState state;
    private final InterruptStatus interrupts;
    private final Executor workers;
    private final Supplier<DriverMemory> memory;

    private int configuration;
    private int adminQueues;
    private long adminSubmissionBase;
    private long adminCompletionBase;
    private boolean ready;
    private boolean failed;
    private int shutdown;
    private Enablement enablement;
    private boolean draining;
    private Runnable whenDrained;

    /**
     * @param memory gives the driver's memory as of the generation that it is asked in
     */
    Controller(
            ControllerState state,
            InterruptStatus interrupts,
            Executor workers,
            Supplier<DriverMemory> memory) {
        this.state = state;
        this.interrupts = interrupts;
        this.workers = workers;
        this.memory = memory;
    }

    /** What CSTS reads as (3.1.6). */
    synchronized int status() {
        return (ready ? READY : 0) | (failed ? FATAL : 0) | shutdown;
    }

    /** A write of a doorbell (3.1.24, 3.1.25); ignored unless the controller is ready. */
    void ring(int queue, boolean completion, int value) {
        Enablement target;
        synchronized (this) {
            target = ready && !failed ? enablement : null;
        }
        // The upper half of a doorbell is reserved.
        if (target != null) {
            target.ring(queue, completion, value & 0xFFFF);
        }
    }

    /**
     * A write of CC (3.1.5).
     *
     * @param value CC as it is now
     * @param attributes AQA, used where the write enables the controller, as are the bases
     * @param submissionBase ASQ
     * @param completionBase ACQ
     */
    synchronized void configure(
            int value, int attributes, long submissionBase, long completionBase) {
        int before = configuration;
        configuration = value;
        adminQueues = attributes;
        adminSubmissionBase = submissionBase;
        adminCompletionBase = completionBase;
        boolean wasEnabled = (before & ENABLE) != 0;
        boolean isEnabled = (value & ENABLE) != 0;
        if (wasEnabled && !isEnabled) {
            disable();
        } else if (!wasEnabled && isEnabled) {
            enableWhenDrained();
        }
        int notification = value >>> 14 & 3;
        if (notification != 0 && notification != (before >>> 14 & 3) && shutdown == 0) {
            shutDown(notification);
        }
    }

    private void enableWhenDrained() {
        if (draining) {
            return; // drained() goes on
        }
        String wrong = whyNotEnabled();
        if (wrong != null) {
            fail("The controller cannot be enabled: " + wrong + ".");
            return;
        }
        shutdown = 0;
        interrupts.begin();
        enablement =
                new Enablement(
                        memory.get(),
                        configuration,
                        adminQueues,
                        adminSubmissionBase,
                        adminCompletionBase,
                        state,
                        interrupts,
                        workers,
                        this::fail);
        ready = true;
    }

    /** What is wrong with CC or the admin queues, or null (7.6.1). */
    private String whyNotEnabled() {
        int pageSize = configuration >>> 7 & 0xF;
        if ((configuration >>> 4 & 7) != 0) {
            return "CC.CSS names another command set than NVM";
        }
        if (pageSize > MAX_PAGE_SIZE) {
            return "CC.MPS is above CAP.MPSMAX";
        }
        if ((configuration >>> 11 & 7) != 0) {
            return "CC.AMS names an arbitration that CAP.AMS does not offer";
        }
        if ((adminQueues & 0xFFF) == 0 || (adminQueues >>> 16 & 0xFFF) == 0) {
            return "AQA names a queue of less than two entries";
        }
        long within = (4096L << pageSize) - 1;
        if (((adminSubmissionBase | adminCompletionBase) & within) != 0) {
            return "ASQ or ACQ does not begin at a memory page";
        }
        return null;
    }

    private synchronized void fail(String sentence) {
        if (!failed) {
            failed = true;
            LOG.log(Level.WARNING, sentence);
        }
    }

    /**
     * A controller reset (7.3.2): RDY stays until what was under way has ended, since the driver
     * takes its memory back then.
     */
    private void disable() {
        failed = false;
        shutdown = 0;
        Enablement ending = enablement;
        enablement = null;
        if (ending == null) {
            ready &= draining;
            interrupts.reset();
            return;
        }
        draining = true;
        interrupts.reset();
        ending.end(this::drained);
    }

    private synchronized void drained() {
        draining = false;
        ready = false;
        if (whenDrained != null) {
            whenDrained.run();
            whenDrained = null;
        }
        if ((configuration & ENABLE) != 0) {
            enableWhenDrained();
        }
    }

    /** A shutdown notification (7.6.2); all data is on the disk when it is complete. */
    private void shutDown(int notification) {
        if (notification == 2) {
            state.counters().countUnsafeShutdown();
        }
        shutdown = SHUTDOWN_OCCURRING;
        Enablement of = enablement;
        Runnable flush = () -> workers.execute(() -> flushAndCompleteShutdown(of));
        if (of != null) {
            of.shutDown(flush);
        } else if (draining) {
            whenDrained = flush;
        } else {
            flush.run();
        }
    }

    private void flushAndCompleteShutdown(Enablement of) {
        try {
            state.namespace().image().flush();
        } catch (IOException e) {
            state.counters().countMediaError();
            LOG.log(Level.WARNING, e.getMessage());
        }
        synchronized (this) {
            if (enablement == of && shutdown == SHUTDOWN_OCCURRING) {
                shutdown = SHUTDOWN_COMPLETE;
            }
        }
    }

    /**
     * A reset of the function: as after power came on. What was under way ends in the background,
     * and the controller is not ready before it has.
     */
    synchronized void reset() {
        configuration = 0;
        whenDrained = null;
        disable();
        ready = false;
    }
}
