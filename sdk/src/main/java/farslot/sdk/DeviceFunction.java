package farslot.sdk;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpace;
import farslot.core.DmaMap;
import farslot.core.DmaTable;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.core.StateException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * A {@link Device} as a {@link PciFunction}: what a lender lends.
 *
 * <p>Accesses run on the threads of those who ask, one at a time: there is no queue and no thread
 * between an access and its handler. Two locks keep the order. The first admits one caller at a
 * time; the second is what handlers and {@link Tasks#inOrder} hold, and a handler that waits for
 * its tasks lets go of the second alone.
 *
 * <p>The maps and the vectors that the driver's side has set up are its own: a reset leaves them
 * alone, a change of host forgets them.
 */
public final class DeviceFunction implements PciFunction, AutoCloseable {
    private static final long QUIESCE_NANOS = TimeUnit.SECONDS.toNanos(3);

    /** Whether the driver waits for what is done under the second lock. */
    private enum Waiting {
        /** A posted write: nobody waits for it. */
        NO,
        /** An access with a completion, or work in between which the next access waits for. */
        MAYBE
    }

    private final String kind;
    private final Device device;
    private final Map<String, String> options;
    private final System.Logger log;
    private final TimeSource time;
    private final Dma dma = new Dma(this);
    private final Interrupts interrupts = new Interrupts(this);
    private final Tasks tasks = new Tasks(this);
    private final DmaTable maps = new DmaTable();

    private final ReentrantLock callers = new ReentrantLock();
    private final ReentrantLock order = new ReentrantLock();
    private final Condition workEnded = order.newCondition();
    private Waiting waiting = Waiting.MAYBE;

    private final FunctionDescription description;
    private final ConfigurationSpace configuration;
    private final MsixTable msixTable;
    private final Bar[] bars;
    private final Region[] regions = new Region[Region.COUNT];

    private volatile Binding binding = new Binding(null, 1);
    private volatile boolean closed;

    /** In the function's order: it works on its own at {@link #resume} only. */
    private boolean quiesced;

    /** In the function's order: the next host is the one that the loaded state had. */
    private boolean awaitsHost;

    private DeviceFunction(
            String kind, Device device, Map<String, String> options, TimeSource time) {
        this.kind = kind;
        this.device = device;
        this.options = options;
        this.time = time;
        this.log = System.getLogger("farslot.device." + kind);
        FunctionBuilder builder = new FunctionBuilder(this);
        device.assemble(builder);
        bars = builder.bars();
        configuration = builder.configuration();
        msixTable = builder.msixTable();
        description = builder.description(configuration, device instanceof Savable);
        for (Region region : description.regions()) {
            regions[region.index()] = region;
        }
        interrupts.assemble(configuration, description.msiVectors(), description.msixVectors());
    }

    /**
     * Makes a device a function, which owns it from then on: {@link #close} closes it.
     *
     * @param kind the name of its kind
     */
    public static DeviceFunction of(String kind, Device device) {
        return new DeviceFunction(kind, device, Map.of(), TimeSource.clock());
    }

    /** The same; a state is loaded only into a device with the options of the one that saved it. */
    public static DeviceFunction of(String kind, Device device, Options options) {
        return new DeviceFunction(kind, device, options.values(), TimeSource.clock());
    }

    /** The same, with timers that follow another time. */
    public static DeviceFunction of(String kind, Device device, TimeSource time) {
        return new DeviceFunction(kind, device, Map.of(), time);
    }

    @Override
    public FunctionDescription describe() {
        return description;
    }

    @Override
    public void attach(PciHost host) {
        callers.lock();
        order.lock();
        try {
            binding = new Binding(host, binding.generation);
            if (awaitsHost && host != null) {
                awaitsHost = false;
                return;
            }
            awaitsHost = false;
            tasks.dropWaiting();
            interrupts.hostChanged();
            maps.clear();
            drainOrWarn("a change of host");
        } finally {
            order.unlock();
            callers.unlock();
        }
    }

    @Override
    public int generation() {
        return binding.generation;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        Region place = region(region);
        if (place == null || !place.contains(offset, into.byteSize())) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        callers.lock();
        try {
            if (region == Region.CONFIGURATION) {
                return configuration.read(offset, into);
            }
            order.lock();
            Waiting before = waiting;
            waiting = Waiting.MAYBE;
            try {
                return configuration.answers(place)
                        ? bars[region].read(offset, into, widthBytes)
                        : CompletionStatus.UNSUPPORTED_REQUEST;
            } catch (RuntimeException e) {
                return failed("reading", place, offset, e);
            } finally {
                waiting = before;
                order.unlock();
            }
        } finally {
            callers.unlock();
        }
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        Region place = region(region);
        if (place == null || !place.contains(offset, from.byteSize())) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        callers.lock();
        try {
            order.lock();
            Waiting before = waiting;
            waiting = place.postedWrites() ? Waiting.NO : Waiting.MAYBE;
            try {
                if (region == Region.CONFIGURATION) {
                    return configure(offset, from, byteEnables);
                }
                return configuration.answers(place) && !place.has(Region.Attribute.READ_ONLY)
                        ? bars[region].write(offset, from, widthBytes, byteEnables)
                        : CompletionStatus.UNSUPPORTED_REQUEST;
            } catch (RuntimeException e) {
                return failed("writing", place, offset, e);
            } finally {
                waiting = before;
                order.unlock();
            }
        } finally {
            callers.unlock();
        }
    }

    private Region region(int index) {
        return index >= 0 && index < Region.COUNT && !closed ? regions[index] : null;
    }

    private CompletionStatus failed(String doing, Region place, long offset, RuntimeException e) {
        String where = place.label() + " at 0x" + Long.toHexString(offset);
        log.log(Level.ERROR, "The device " + kind + " failed while " + doing + " " + where, e);
        return CompletionStatus.COMPLETER_ABORT;
    }

    private CompletionStatus configure(long offset, MemorySegment from, long byteEnables) {
        Set<ConfigurationSpace.Change> changes = configuration.write(offset, from, byteEnables);
        if (changes == null) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        if (changes.contains(ConfigurationSpace.Change.FUNCTION_LEVEL_RESET)) {
            resetInOrder(ResetKind.FLR);
            PciHost host = binding.host;
            if (host != null) {
                host.event(new FunctionEvent.NewGeneration(binding.generation, ResetKind.FLR));
            }
        } else if (!changes.isEmpty()) {
            interrupts.configurationChanged();
        }
        return CompletionStatus.SUCCESS;
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        int vectors = description.vectors(kind);
        if (first < 0 || count < 1 || first > vectors - count) {
            throw new IllegalArgumentException(
                    kind
                            + " vectors "
                            + first
                            + " to "
                            + (first + count - 1)
                            + " are not within the "
                            + vectors
                            + " of "
                            + this.kind
                            + ".");
        }
        callers.lock();
        try {
            interrupts.apply(kind, first, count, action);
        } finally {
            callers.unlock();
        }
    }

    @Override
    public void map(DmaMap map) {
        if (!maps.add(map).status().isSuccess()) {
            log.log(Level.WARNING, "A DMA map that overlaps another is ignored: " + map);
        }
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        callers.lock();
        try {
            return maps.remove(address, length).status();
        } finally {
            callers.unlock();
        }
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        callers.lock();
        order.lock();
        try {
            resetInOrder(kind);
            return CompletionStatus.SUCCESS;
        } finally {
            order.unlock();
            callers.unlock();
        }
    }

    private void resetInOrder(ResetKind kind) {
        Binding old = binding;
        binding = new Binding(old.host, old.generation + 1);
        tasks.dropWaiting();
        drainOrWarn("a reset");
        quiesced = false;
        clear(kind);
    }

    private void clear(ResetKind kind) {
        configuration.reset();
        interrupts.reset();
        for (Bar bar : bars) {
            if (bar != null) {
                bar.reset(kind);
            }
        }
        if (msixTable != null) {
            msixTable.reset();
        }
        try {
            device.reset(kind);
        } catch (RuntimeException e) {
            log.log(Level.ERROR, "The device " + this.kind + " failed in its reset", e);
        }
    }

    private void drainOrWarn(String cause) {
        if (!tasks.drain()) {
            log.log(
                    Level.WARNING,
                    "A task of {0} has not ended within a second of {1}; it goes on without effect.",
                    kind,
                    cause);
        }
    }

    @Override
    public CompletionStatus quiesce() {
        callers.lock();
        order.lock();
        try {
            device.quiesce();
            quiesced = tasks.drain(QUIESCE_NANOS, true);
            if (!quiesced) {
                device.resume();
            }
            return quiesced ? CompletionStatus.SUCCESS : CompletionStatus.TIMED_OUT;
        } finally {
            order.unlock();
            callers.unlock();
        }
    }

    @Override
    public void resume() {
        callers.lock();
        order.lock();
        try {
            if (quiesced) {
                quiesced = false;
                device.resume();
                interrupts.resume();
            }
        } finally {
            order.unlock();
            callers.unlock();
        }
    }

    @Override
    public byte[] save() throws StateException {
        callers.lock();
        order.lock();
        try {
            if (!quiesced || !(device instanceof Savable savable)) {
                throw new StateException(
                        device instanceof Savable
                                ? "The device " + kind + " is at work: it is saved at rest only."
                                : "The device " + kind + " cannot be saved.");
            }
            return saved(savable);
        } finally {
            order.unlock();
            callers.unlock();
        }
    }

    private byte[] saved(Savable savable) throws StateException {
        StateWriter own = new StateWriter();
        savable.save(own);
        StateWriter state = new StateWriter();
        state.put("generation", binding.generation);
        state.put("configuration", configuration.save());
        state.group("interrupts", interrupts::save);
        if (msixTable != null) {
            state.put("MSI-X table", msixTable.save());
        }
        for (Bar bar : bars) {
            if (bar != null && !bar.region().has(Region.Attribute.READ_ONLY)) {
                state.group(bar.region().label(), bar::save);
            }
        }
        state.put("device", own.toBytes());
        return envelope(savable).seal(state.toBytes());
    }

    @Override
    public void load(byte[] state) throws StateException {
        callers.lock();
        order.lock();
        try {
            if (!(device instanceof Savable savable) || binding.host != null || closed) {
                throw new StateException(
                        "The device " + kind + " cannot load a state, or is in use already.");
            }
            byte[] opened = envelope(savable).open(state);
            try {
                load(savable, StateReader.of(opened));
            } catch (StateException | RuntimeException e) {
                clear(ResetKind.COLD);
                interrupts.hostChanged();
                throw e instanceof StateException unfit
                        ? unfit
                        : new StateException(
                                "The device " + kind + " failed to load its state: " + e, e);
            }
        } finally {
            order.unlock();
            callers.unlock();
        }
    }

    private StateEnvelope envelope(Savable savable) {
        return new StateEnvelope(kind, savable.stateVersion(), options);
    }

    private void load(Savable savable, StateReader state) throws StateException {
        int generation = state.int32("generation", 1, Integer.MAX_VALUE);
        if (!configuration.load(state.bytes("configuration"))) {
            throw state.wrong("configuration", "is that of another function");
        }
        interrupts.load(state.group("interrupts"));
        if (msixTable != null) {
            msixTable.load(state.bytes("MSI-X table", msixTable.sizeBytes()));
        }
        for (Bar bar : bars) {
            if (bar != null && !bar.region().has(Region.Attribute.READ_ONLY)) {
                bar.load(state.group(bar.region().label()));
            }
        }
        savable.load(StateReader.of(state.bytes("device")));
        binding = new Binding(null, generation);
        quiesced = true;
        awaitsHost = true;
    }

    /**
     * Waits until no task runs or waits for a thread; timers that have not gone off do not count.
     *
     * @return false where that is not so in time
     */
    public boolean awaitTasks(Duration atMost) {
        return tasks.drain(atMost.toNanos(), false);
    }

    /** Ends its tasks and timers and closes the device. Accesses are unsupported requests then. */
    @Override
    public void close() {
        callers.lock();
        order.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            binding = new Binding(null, binding.generation);
            tasks.dropWaiting();
            drainOrWarn("its end");
            tasks.close();
            time.close();
            device.close();
        } finally {
            order.unlock();
            callers.unlock();
        }
    }

    // For the device's side.

    String kind() {
        return kind;
    }

    System.Logger log() {
        return log;
    }

    TimeSource time() {
        return time;
    }

    Dma dma() {
        return dma;
    }

    Interrupts interrupts() {
        return interrupts;
    }

    Tasks tasks() {
        return tasks;
    }

    boolean isClosed() {
        return closed;
    }

    Binding binding() {
        return binding;
    }

    /** What the calling thread's work belongs to: a task's own, else the present. */
    Binding caller() {
        if (Thread.currentThread() instanceof Tasks.TaskThread thread
                && thread.function == this
                && thread.binding != null) {
            return thread.binding;
        }
        return binding;
    }

    boolean isStale(Binding work) {
        return work != binding;
    }

    boolean busMaster() {
        return configuration.busMaster();
    }

    /** Shows in the status register how DMA ended (PCI 3.0, 6.2.3). */
    void noteDmaStatus(CompletionStatus status) {
        switch (status) {
            case COMPLETER_ABORT ->
                    configuration.status(ConfigurationSpace.STATUS_RECEIVED_TARGET_ABORT);
            case UNSUPPORTED_REQUEST ->
                    configuration.status(ConfigurationSpace.STATUS_RECEIVED_MASTER_ABORT);
            default -> {}
        }
    }

    /** Whether this thread holds up accesses that the driver may be waiting for. */
    boolean driverMayWaitForThisThread() {
        return order.isHeldByCurrentThread() && waiting == Waiting.MAYBE;
    }

    boolean inOrder(Binding work, Runnable action) {
        order.lock();
        Waiting before = waiting;
        if (order.getHoldCount() == 1) {
            waiting = Waiting.MAYBE;
        }
        try {
            if (isStale(work)) {
                return false;
            }
            action.run();
            return true;
        } finally {
            waiting = before;
            order.unlock();
        }
    }

    boolean abandonTasks() {
        order.lock();
        try {
            binding = new Binding(binding.host, binding.generation);
            tasks.dropWaiting();
            return tasks.drain();
        } finally {
            order.unlock();
        }
    }

    /** Work has ended that somebody may wait for. */
    void workEnded() {
        order.lock();
        try {
            workEnded.signalAll();
        } finally {
            order.unlock();
        }
    }

    /** Waits for a condition about tasks; others may use the order meanwhile. */
    boolean awaitWork(BooleanSupplier done, long nanos) {
        order.lock();
        boolean interrupted = false;
        Waiting before = waiting;
        try {
            long deadline = System.nanoTime() + nanos;
            while (!done.getAsBoolean()) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                try {
                    workEnded.awaitNanos(left);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            return true;
        } finally {
            waiting = before;
            order.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
