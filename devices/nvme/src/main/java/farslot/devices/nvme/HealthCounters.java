package farslot.devices.nvme;

import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.util.concurrent.atomic.LongAdder;

/**
 * What the SMART log counts (NVMe 1.4, 5.14.1.2), from when the device was lent: that is when it is
 * switched on for the first time.
 */
final class HealthCounters {
    private long startedNanos = System.nanoTime();
    private final LongAdder sectorsRead = new LongAdder();
    private final LongAdder sectorsWritten = new LongAdder();
    private final LongAdder reads = new LongAdder();
    private final LongAdder writes = new LongAdder();
    private final LongAdder powerCycles = new LongAdder();
    private final LongAdder unsafeShutdowns = new LongAdder();
    private final LongAdder mediaErrors = new LongAdder();
    private volatile boolean spareUsedUp;
    private long busyNanos;
    private long busySinceNanos;
    private boolean busy;

    HealthCounters() {
        powerCycles.increment();
    }

    /** A Read or a Compare. */
    void countRead(long bytes) {
        reads.increment();
        sectorsRead.add(bytes / 512);
    }

    void countWrite(long bytes) {
        writes.increment();
        sectorsWritten.add(bytes / 512);
    }

    /** From now on at least one I/O command is executed. */
    synchronized void beginBusy() {
        busySinceNanos = System.nanoTime();
        busy = true;
    }

    /** From now on none is. */
    synchronized void endBusy() {
        busyNanos += System.nanoTime() - busySinceNanos;
        busy = false;
    }

    void countPowerCycle() {
        powerCycles.increment();
        spareUsedUp = false;
    }

    /** The image's file system is full: written data has found no room. */
    void spareUsedUp() {
        spareUsedUp = true;
    }

    void countUnsafeShutdown() {
        unsafeShutdowns.increment();
    }

    void countMediaError() {
        mediaErrors.increment();
    }

    /** In thousands of 512 bytes, rounded up. */
    long dataUnitsRead() {
        return (sectorsRead.sum() + 999) / 1000;
    }

    long dataUnitsWritten() {
        return (sectorsWritten.sum() + 999) / 1000;
    }

    long reads() {
        return reads.sum();
    }

    long writes() {
        return writes.sum();
    }

    synchronized long busyMinutes() {
        long running = busy ? System.nanoTime() - busySinceNanos : 0;
        return (busyNanos + running) / 60_000_000_000L;
    }

    long powerCycles() {
        return powerCycles.sum();
    }

    /** Until power is cycled: how much room there is again, nobody has tried. */
    boolean isSpareUsedUp() {
        return spareUsedUp;
    }

    synchronized void save(StateWriter state) {
        state.put("on nanos", System.nanoTime() - startedNanos);
        state.put("busy nanos", busyNanos);
        state.put("sectors read", sectorsRead.sum());
        state.put("sectors written", sectorsWritten.sum());
        state.put("reads", reads.sum());
        state.put("writes", writes.sum());
        state.put("power cycles", powerCycles.sum());
        state.put("unsafe shutdowns", unsafeShutdowns.sum());
        state.put("media errors", mediaErrors.sum());
        state.put("spare used up", spareUsedUp);
    }

    synchronized void load(StateReader state) throws StateException {
        startedNanos = System.nanoTime() - state.number("on nanos", 0, Long.MAX_VALUE);
        busyNanos = state.number("busy nanos", 0, Long.MAX_VALUE);
        load(sectorsRead, state, "sectors read");
        load(sectorsWritten, state, "sectors written");
        load(reads, state, "reads");
        load(writes, state, "writes");
        load(powerCycles, state, "power cycles");
        load(unsafeShutdowns, state, "unsafe shutdowns");
        load(mediaErrors, state, "media errors");
        spareUsedUp = state.flag("spare used up");
    }

    private static void load(LongAdder counter, StateReader state, String name)
            throws StateException {
        long saved = state.number(name, 0, Long.MAX_VALUE);
        counter.reset();
        counter.add(saved);
    }

    synchronized long powerOnHours() {
        return (System.nanoTime() - startedNanos) / 3_600_000_000_000L;
    }

    long unsafeShutdowns() {
        return unsafeShutdowns.sum();
    }

    long mediaErrors() {
        return mediaErrors.sum();
    }
}
