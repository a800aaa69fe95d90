package farslot.devices.nvme;

import farslot.core.InterruptKind;
import java.util.HashMap;
import java.util.Map;

/** Counts what a device does, and lets a test wait for it. */
final class Changes {
    private static final long PATIENCE_NANOS = 30_000_000_000L;

    private final Map<String, Integer> interrupts = new HashMap<>();
    private long count;

    synchronized void memoryWritten() {
        count++;
        notifyAll();
    }

    synchronized void interrupt(InterruptKind kind, int vector) {
        interrupts.merge(kind + " " + vector, 1, Integer::sum);
        count++;
        notifyAll();
    }

    synchronized int interrupts(InterruptKind kind, int vector) {
        return interrupts.getOrDefault(kind + " " + vector, 0);
    }

    synchronized long count() {
        return count;
    }

    synchronized void await(long seen) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (count == seen) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new AssertionError("The device does nothing.");
            }
            try {
                wait(left / 1_000_000 + 1);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
