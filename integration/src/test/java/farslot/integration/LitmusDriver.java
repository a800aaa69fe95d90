package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionEvent;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.NearMemory;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.posix.MappedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

/**
 * The driver's side of a {@link LitmusDevice}: its memory, its accesses, its interrupts, and how it
 * waits for what the device does. What it then looks for is in {@link LitmusRounds}.
 */
final class LitmusDriver implements InProcessHost.Listener, AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int COMMAND = 4;
    private static final short IO_MEMORY_AND_BUS_MASTER = 7;

    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

    private final PciFunction function;
    private final LitmusDevice device;
    private final ReorderingTap tap;
    private final LitmusPath path;
    private final long seed;
    private final MappedMemory data;
    private final MappedMemory flags;
    private final MemorySegment dataMemory;
    private final MemorySegment flagMemory;
    private final Port port = new Port();
    private final AtomicReference<LitmusViolation> heard = new AtomicReference<>();
    private volatile Runnable onInterrupt = () -> {};
    private volatile LitmusRule rule = LitmusRule.DATA_THEN_INTERRUPT;

    /**
     * Attaches itself and gives the device its memory.
     *
     * @param tap what breaks a rule, or null
     */
    LitmusDriver(
            PciFunction function,
            LitmusDevice device,
            ReorderingTap tap,
            LitmusPath path,
            long seed)
            throws IOException {
        this.function = function;
        this.device = device;
        this.tap = tap;
        this.path = path;
        this.seed = seed;
        data = MappedMemory.create("litmus-data", LitmusDevice.DATA_BYTES);
        flags = MappedMemory.create("litmus-flags", LitmusDevice.FLAGS_BYTES);
        dataMemory = data.segment();
        flagMemory = flags.segment();
        for (long at = 0; at < LitmusDevice.SOURCE_BYTES; at += 8) {
            set(LitmusDevice.SOURCE_AT + at, LitmusDevice.SOURCE_AT + at);
        }
    }

    void attach() {
        InProcessHost host = new InProcessHost(function, this);
        boolean mixed = path == LitmusPath.UNIX_MIXED;
        host.map(map(LitmusDevice.DATA, data, mixed ? -1 : data.descriptor().number()));
        host.map(map(LitmusDevice.FLAGS, flags, flags.descriptor().number()));
        MemorySegment command = Arena.ofAuto().allocate(2, 2);
        command.set(ValueLayout.JAVA_SHORT, 0, IO_MEMORY_AND_BUS_MASTER);
        function.write(Region.CONFIGURATION, COMMAND, command, 2, PciFunction.ALL_BYTES);
    }

    private static DmaMap map(long address, MappedMemory memory, int descriptor) {
        MemorySegment segment = memory.segment();
        NearMemory near = new NearMemory(segment, descriptor, 0);
        return new DmaMap(address, segment.byteSize(), Direction.READ_WRITE, near, true);
    }

    @Override
    public void close() {
        function.attach(null);
        data.close();
        flags.close();
    }

    LitmusDevice device() {
        return device;
    }

    long seed() {
        return seed;
    }

    /** Whether a reordering is planted: then what it is to meet must not depend on chance. */
    boolean isPlanted() {
        return tap != null;
    }

    // One test.

    void begin(LitmusRule begun) {
        rule = begun;
        port.write(0, LitmusDevice.SEED, seed);
        port.write(0, LitmusDevice.PACE, isPlanted() ? 1 : 0);
    }

    void start(LitmusDevice.Program program) {
        port.write(0, LitmusDevice.PROGRAM, program.code());
    }

    /** Ends the device's program and waits until it is over. */
    void end() {
        start(LitmusDevice.Program.IDLE);
        await(0, () -> port.read(0, LitmusDevice.PROGRAM) == 0, false);
        onInterrupt = () -> {};
    }

    /** Takes this kind's only vector; {@code handler} runs where interrupts are delivered. */
    void takeInterrupts(InterruptKind kind, Runnable handler) {
        onInterrupt = handler;
        function.interrupts(kind, 0, 1, InterruptAction.ENABLE);
    }

    void unmask() {
        function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
    }

    @Override
    public void interrupt(InterruptKind kind, int vector) {
        onInterrupt.run();
    }

    @Override
    public void event(FunctionEvent event) {
        hear(violation(0, "The device's side says " + event));
    }

    /** The driver has looked at what this round did. */
    void looked(long round) {
        if (tap != null) {
            tap.looked(round);
        }
    }

    // What is found.

    LitmusViolation violation(long round, String seen) {
        return new LitmusViolation(rule, path, round, seed, seen);
    }

    /** Keeps what a thread found that cannot throw; the first counts. */
    void hear(LitmusViolation violation) {
        heard.compareAndSet(null, violation);
    }

    /** Throws what anybody has found. */
    void check(long round) {
        LitmusDevice.Fault fault = device.fault();
        if (fault != null) {
            throw violation(fault.round(), fault.seen());
        }
        if (heard.get() != null) {
            throw heard.get();
        }
        if (round < 0) {
            throw violation(round, "The test has lost count");
        }
    }

    /**
     * Waits for something, by looking: so that the driver looks while the device is about it.
     *
     * @return whether it was not there yet: the driver was looking when it came
     */
    boolean await(long round, BooleanSupplier there) {
        return await(round, there, true);
    }

    @SuppressWarnings("ThreadPriorityCheck") // Nothing depends on it: others need the processor.
    private boolean await(long round, BooleanSupplier there, boolean checking) {
        if (there.getAsBoolean()) {
            return false;
        }
        long began = System.nanoTime();
        for (long look = 1; !there.getAsBoolean(); look++) {
            if (look < 200) {
                Thread.onSpinWait();
                continue;
            }
            Thread.yield();
            if ((look & 0x3f) == 0) {
                if (checking) {
                    check(round);
                }
                if (System.nanoTime() - began > PATIENCE_NANOS) {
                    throw violation(round, "What the driver waits for did not come for a minute");
                }
            }
        }
        return true;
    }

    // Memory, as another processor sees it.

    private MemorySegment memory(long address) {
        return address >= LitmusDevice.FLAGS ? flagMemory : dataMemory;
    }

    private static long offset(long address) {
        return address - (address >= LitmusDevice.FLAGS ? LitmusDevice.FLAGS : LitmusDevice.DATA);
    }

    long word(long address) {
        return (long) WORD.getAcquire(memory(address), offset(address));
    }

    void set(long address, long value) {
        WORD.setRelease(memory(address), offset(address), value);
    }

    /** Whether all words there are the value; the first that is not goes into the violation. */
    LitmusViolation mismatch(long round, long address, long bytes, long value) {
        for (long at = 0; at < bytes; at += 8) {
            long seen = word(address + at);
            if (seen != value) {
                String where =
                        String.format(
                                "word %d of %d at 0x%x is %d instead of %d",
                                at / 8, bytes / 8, address, seen, value);
                return violation(round, where);
            }
        }
        return null;
    }

    static long scratchValue(int lane, long round) {
        return (LitmusDevice.mix(round) & -4L) | lane;
    }

    // Registers.

    /** The accesses of one thread. */
    Port port() {
        return port;
    }

    /** Accesses of a thread of its own. */
    Port anotherPort() {
        return new Port();
    }

    /** Makes accesses of 8 bytes, and 4 where it says so. Belongs to one thread. */
    final class Port {
        private final MemorySegment long8 = Arena.ofAuto().allocate(8, 8);
        private final MemorySegment int4 = long8.asSlice(0, 4);

        void write(int region, long offset, long value) {
            long8.set(ValueLayout.JAVA_LONG, 0, value);
            CompletionStatus status =
                    function.write(region, offset, long8, 8, PciFunction.ALL_BYTES);
            require(status, "A write", region, offset);
        }

        void writeInt(int region, long offset, int value) {
            int4.set(ValueLayout.JAVA_INT, 0, value);
            CompletionStatus status =
                    function.write(region, offset, int4, 4, PciFunction.ALL_BYTES);
            require(status, "A write", region, offset);
        }

        long read(int region, long offset) {
            long8.set(ValueLayout.JAVA_LONG, 0, -1);
            require(function.read(region, offset, long8, 8), "A read", region, offset);
            return long8.get(ValueLayout.JAVA_LONG, 0);
        }

        private void require(CompletionStatus status, String what, int region, long offset) {
            if (!status.isSuccess()) {
                throw violation(
                        0,
                        String.format(
                                "%s at 0x%x of region %d ended as %s",
                                what, offset, region, status));
            }
        }
    }
}
