package farslot.devices.nvme;

import farslot.core.InterruptKind;
import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Decides when an interrupt is signalled (NVMe 1.4, 7.5): the registers INTMS and INTMC and the
 * hidden register IS, which count for the pin and for MSI; MSI-X has masks of its own.
 *
 * <p>Any thread may call; what is called under its lock never waits for the driver.
 */
final class InterruptStatus {
    private final InterruptLines lines;
    private final List<CompletionQueue> queues = new CopyOnWriteArrayList<>();
    private int mask;
    private int status;
    private boolean pin;

    InterruptStatus(InterruptLines lines) {
        this.lines = lines;
    }

    int vectors() {
        return lines.vectors();
    }

    void add(CompletionQueue queue) {
        queues.add(queue);
    }

    void remove(CompletionQueue queue) {
        queues.remove(queue);
        refresh();
    }

    /** The controller is enabled: it begins without queues. Masks set before count. */
    synchronized void begin() {
        queues.clear();
        refresh();
    }

    /** A reset of the controller: no queues, nothing masked (NVMe 1.4, 3.1.3). */
    synchronized void reset() {
        queues.clear();
        mask = 0;
        status = 0;
        pin = false;
        lines.pin(false);
    }

    /** INTMS and INTMC both read as the mask. */
    synchronized int mask() {
        return mask;
    }

    synchronized void setMask(int bits) {
        mask |= bits;
        refresh();
    }

    synchronized void clearMask(int bits) {
        mask &= ~bits;
        refresh();
    }

    /** An entry was posted to the queue, and the driver can see it. */
    void posted(CompletionQueue queue) {
        if (!queue.interruptsEnabled()) {
            return;
        }
        if (lines.kind() == InterruptKind.MSIX) {
            lines.message(queue.vector());
            return;
        }
        synchronized (this) {
            // Each new entry is an edge of its own: the driver may be about to acknowledge only
            // those before it.
            status &= ~bit(queue.vector());
            refresh();
        }
    }

    /**
     * Works out IS anew: after an acknowledgement, a change of masks or queues, or when the driver
     * has changed the mechanism.
     */
    synchronized void refresh() {
        InterruptKind kind = lines.kind();
        int now = kind == InterruptKind.MSIX ? 0 : unacknowledged() & ~mask;
        int risen = now & ~status;
        status = now;
        boolean level = kind == InterruptKind.INTX && now != 0;
        if (level != pin) {
            pin = level;
            lines.pin(level);
        }
        if (kind == InterruptKind.MSI) {
            for (int bits = risen; bits != 0; bits &= bits - 1) {
                lines.message(Integer.numberOfTrailingZeros(bits));
            }
        }
    }

    synchronized void save(StateWriter state) {
        state.put("mask", mask);
        state.put("status", status);
        state.put("pin", pin);
    }

    /** The queues are added already. Drives nothing: the lines are as they were. */
    synchronized void load(StateReader state) throws StateException {
        mask = state.bits32("mask");
        status = state.bits32("status");
        pin = state.flag("pin");
    }

    private int unacknowledged() {
        int vectors = 0;
        for (CompletionQueue queue : queues) {
            if (queue.interruptsEnabled() && queue.hasUnacknowledgedEntries()) {
                vectors |= bit(queue.vector());
            }
        }
        return vectors;
    }

    private static int bit(int vector) {
        // IS has 32 bits: MSI has no more vectors, and the pin uses the first only.
        return vector < 32 ? 1 << vector : 0;
    }
}
