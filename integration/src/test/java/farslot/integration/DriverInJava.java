package farslot.integration;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.NearMemory;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.posix.MappedMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;

/** Java code as the driver, on a function that may be anywhere; its memory can be passed on. */
final class DriverInJava extends DriverPlace {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final PciFunction function;
    private final MappedMemory ram;
    private long changes;

    DriverInJava(PciFunction function, int ramBytes, int vectors) throws IOException {
        super(vectors);
        this.function = function;
        ram = MappedMemory.create("farslot-test", ramBytes);
        InProcessHost host = new InProcessHost(function, this::interrupted);
        NearMemory near = new NearMemory(ram.segment(), ram.descriptor().number(), 0);
        host.map(new DmaMap(RAM_ADDRESS, ramBytes, Direction.READ_WRITE, near, true));
        makeReady(function.describe());
        function.interrupts(InterruptKind.MSIX, 0, vectors, InterruptAction.ENABLE);
    }

    private synchronized void interrupted(InterruptKind kind, int vector) {
        count(kind, vector);
        changes++;
        notifyAll();
    }

    @Override
    long read(int region, long offset, int bytes) {
        MemorySegment into = MemorySegment.ofArray(new long[1]);
        succeeded(function.read(region, offset, into.asSlice(0, bytes), bytes));
        return into.get(LONG, 0);
    }

    @Override
    void write(int region, long offset, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(new long[1]);
        from.set(LONG, 0, value);
        succeeded(
                function.write(
                        region, offset, from.asSlice(0, bytes), bytes, PciFunction.ALL_BYTES));
    }

    private static void succeeded(CompletionStatus status) {
        if (!status.isSuccess()) {
            throw new AssertionError("The access ended as " + status);
        }
    }

    @Override
    void reset() {
        succeeded(function.reset(ResetKind.FLR));
        makeReady(function.describe());
    }

    @Override
    public MemorySegment ram() {
        return ram.segment();
    }

    @Override
    public synchronized int interrupts(InterruptKind kind, int vector) {
        return super.interrupts(kind, vector);
    }

    @Override
    public synchronized long changes() {
        return changes;
    }

    @Override
    public synchronized void awaitChange(long seen) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        try {
            while (changes == seen) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new AssertionError("No interrupt came.");
                }
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        function.attach(null);
        ram.close();
    }

    /** The identity, as a driver that looks for its device reads it. */
    int identity() {
        return (int) read(Region.CONFIGURATION, 0, 4);
    }
}
