package farslot.devices.nvme;

import java.util.concurrent.atomic.LongAdder;

/** What the SMART log counts (NVMe 1.4, 5.14.1.2), from the start of the device's process. */
final class HealthCounters {
    private final long startedNanos = System.nanoTime();
    private final LongAdder sectorsRead = new LongAdder();
    private final LongAdder sectorsWritten = new LongAdder();
    private final LongAdder reads = new LongAdder();
    private final LongAdder writes = new LongAdder();
    private final LongAdder busyNanos = new LongAdder();
    private final LongAdder unsafeShutdowns = new LongAdder();
    private final LongAdder mediaErrors = new LongAdder();

    void countRead(long bytes) {
        reads.increment();
        sectorsRead.add(bytes / 512);
    }

    void countWrite(long bytes) {
        writes.increment();
        sectorsWritten.add(bytes / 512);
    }

    void countBusy(long nanos) {
        busyNanos.add(nanos);
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

    long busyMinutes() {
        return busyNanos.sum() / 60_000_000_000L;
    }

    long powerOnHours() {
        return (System.nanoTime() - startedNanos) / 3_600_000_000_000L;
    }

    long unsafeShutdowns() {
        return unsafeShutdowns.sum();
    }

    long mediaErrors() {
        return mediaErrors.sum();
    }
}
