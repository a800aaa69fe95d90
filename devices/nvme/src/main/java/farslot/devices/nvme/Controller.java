package farslot.devices.nvme;

import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
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

    private static final int READY = 1;
    private static final int FATAL = 1 << 1;
    private static final int SHUTDOWN_OCCURRING = 1 << 2;
    private static final int SHUTDOWN_COMPLETE = 2 << 2;

    private static final Logger LOG = System.getLogger("farslot.nvme");

    private final ControllerState state;
    private final InterruptStatus interrupts;
    private final Executor workers;
    private final Supplier<DriverMemory> memory;

    private ControllerConfiguration configuration = new ControllerConfiguration(0);
    private AdminQueues adminQueues = new AdminQueues(0, 0, 0);
    private boolean ready;
    private boolean failed;
    private int shutdown;
    private Enablement enablement;
    private boolean draining;
    private Runnable whenDrained;
    private boolean paused;

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
     * @param now CC as it is now
     * @param queues used where the write enables the controller
     */
    synchronized void configure(ControllerConfiguration now, AdminQueues queues) {
        ControllerConfiguration before = configuration;
        configuration = now;
        adminQueues = queues;
        if (before.isEnabled() && !now.isEnabled()) {
            disable();
        } else if (!before.isEnabled() && now.isEnabled()) {
            enableWhenDrained();
        }
        int notification = now.shutdownNotification();
        if (notification != 0 && notification != before.shutdownNotification() && shutdown == 0) {
            shutDown();
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
        enablement = makeEnablement();
        ready = true;
    }

    private Enablement makeEnablement() {
        Enablement made =
                new Enablement(
                        memory.get(),
                        configuration,
                        adminQueues,
                        state,
                        interrupts,
                        workers,
                        this::fail);
        if (paused) {
            made.pause();
        }
        return made;
    }

    /** What is wrong with CC or the admin queues, or null (7.6.1). */
    private String whyNotEnabled() {
        if (configuration.commandSet() != 0) {
            return "CC.CSS names another command set than NVM";
        }
        if (configuration.pageSize() > MAX_PAGE_SIZE) {
            return "CC.MPS is above CAP.MPSMAX";
        }
        if (configuration.arbitration() > ControllerConfiguration.WEIGHTED_ROUND_ROBIN) {
            return "CC.AMS names an arbitration that CAP.AMS does not offer";
        }
        if (adminQueues.submissionEntries() < 2 || adminQueues.completionEntries() < 2) {
            return "AQA names a queue of less than two entries";
        }
        long within = configuration.pageBytes() - 1L;
        if (((adminQueues.submissionBase() | adminQueues.completionBase()) & within) != 0) {
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
        state.errors().clear();
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
        // What failed while it was being disabled is over too.
        failed = false;
        ready = false;
        if (whenDrained != null) {
            whenDrained.run();
            whenDrained = null;
        }
        if (configuration.isEnabled()) {
            enableWhenDrained();
        }
    }

    /** A shutdown notification (7.6.2); all data is on the disk when it is complete. */
    private void shutDown() {
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
            state.namespaces().flush();
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

    /** Fetches nothing until {@link #goOn} or a reset; commands that were fetched end. */
    synchronized void pause() {
        paused = true;
        if (enablement != null) {
            enablement.pause();
        }
    }

    /** What was paused, or loaded, goes on. */
    synchronized void goOn() {
        paused = false;
        if (enablement != null) {
            enablement.goOn();
        }
    }

    /** Writes all of it, while it is paused and nothing is executed. */
    synchronized void save(StateWriter saved) throws StateException {
        if (draining || shutdown == SHUTDOWN_OCCURRING) {
            throw new StateException("The controller is being disabled or shut down.");
        }
        saved.put("CC", configuration.value());
        saved.put("AQA", adminQueues.attributes());
        saved.put("ASQ", adminQueues.submissionBase());
        saved.put("ACQ", adminQueues.completionBase());
        saved.put("ready", ready);
        saved.put("failed", failed);
        saved.put("shut down", shutdown != 0);
        saved.group("interrupts", interrupts::save);
        saved.group("counters", state.counters()::save);
        saved.group("errors", state.errors()::save);
        if (enablement != null) {
            StateWriter enabled = new StateWriter();
            enablement.save(enabled);
            saved.put("enabled", enabled);
        }
    }

    /** Makes a controller as after power came on what was saved; paused. */
    synchronized void load(StateReader saved) throws StateException {
        paused = true;
        if (saved.has("enabled")) {
            StateReader enabled = saved.group("enabled");
            takeOver(enabled);
            String wrong = whyNotEnabled();
            if (wrong != null) {
                throw saved.wrong("enabled", "cannot be: " + wrong);
            }
            enablement = makeEnablement();
            enablement.load(enabled);
        }
        takeOver(saved);
        ready = saved.flag("ready") && enablement != null;
        failed = saved.flag("failed");
        interrupts.load(saved.group("interrupts"));
        state.counters().load(saved.group("counters"));
        state.errors().load(saved.group("errors"));
        if (saved.flag("shut down")) {
            shutdown = SHUTDOWN_COMPLETE;
            if (enablement != null) {
                enablement.shutDown(() -> {});
            }
        }
    }

    private void takeOver(StateReader saved) throws StateException {
        configuration = new ControllerConfiguration(saved.bits32("CC"));
        adminQueues =
                new AdminQueues(saved.bits32("AQA"), saved.number("ASQ"), saved.number("ACQ"));
    }

    /**
     * A reset of the function: as after power came on. What was under way ends in the background,
     * and the controller is not ready before it has.
     *
     * @param powerLost whether power did come on; without a shutdown before, that is an unsafe one
     */
    synchronized void reset(boolean powerLost) {
        if (powerLost) {
            state.counters().countPowerCycle();
            if (configuration.isEnabled() && shutdown != SHUTDOWN_COMPLETE) {
                state.counters().countUnsafeShutdown();
            }
        }
        configuration = new ControllerConfiguration(0);
        paused = false;
        whenDrained = null;
        disable();
        ready = false;
    }
}
