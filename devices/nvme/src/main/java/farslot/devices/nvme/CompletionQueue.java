package farslot.devices.nvme;

import farslot.core.CompletionStatus;
import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A completion queue (NVMe 1.4, 4.1 and 4.6).
 *
 * <p>An entry is claimed before the command it is for is fetched, so a completion always finds room
 * and a driver that does not acknowledge stops its own submission queues only.
 *
 * <p><b>Threads.</b> {@link #post} may wait for the driver's side; nothing that a doorbell write
 * needs is held meanwhile.
 */
final class CompletionQueue {
    static final int ENTRY_BYTES = 16;

    private final int id;
    private final DriverMemory memory;
    private final long base;
    private final int size;
    private final boolean interruptsEnabled;
    private final int vector;
    private final MemorySegment entry = Arena.ofAuto().allocate(ENTRY_BYTES, 8);
    private final AtomicInteger claimed = new AtomicInteger();
    private final List<SubmissionQueue> submissionQueues = new CopyOnWriteArrayList<>();
    private boolean phase = true;
    private volatile int tail;

    /**
     * What {@link #tail} will be when the entry being written is posted: the driver may see it, and
     * acknowledge it, before the write has returned here.
     */
    private volatile int nextTail;

    private volatile int head;

    /**
     * @param base where it lies in the driver's memory
     * @param size in entries, at least 2
     */
    CompletionQueue(
            int id,
            DriverMemory memory,
            long base,
            int size,
            boolean interruptsEnabled,
            int vector) {
        this.id = id;
        this.memory = memory;
        this.base = base;
        this.size = size;
        this.interruptsEnabled = interruptsEnabled;
        this.vector = vector;
    }

    int id() {
        return id;
    }

    synchronized void save(StateWriter state) {
        state.put("id", id);
        state.put("base", base);
        state.put("size", size);
        state.put("interrupts enabled", interruptsEnabled);
        state.put("vector", vector);
        state.put("claimed", claimed.get());
        state.put("phase", phase);
        state.put("tail", tail);
        state.put("next tail", nextTail);
        state.put("head", head);
    }

    /** Takes over where a queue of this base and size stood. */
    synchronized void load(StateReader state) throws StateException {
        claimed.set(state.int32("claimed", 0, size - 1));
        phase = state.flag("phase");
        tail = state.int32("tail", 0, size - 1);
        nextTail = state.int32("next tail", 0, size - 1);
        head = state.int32("head", 0, size - 1);
    }

    boolean interruptsEnabled() {
        return interruptsEnabled;
    }

    int vector() {
        return vector;
    }

    /** The submission queues whose completions come here. */
    List<SubmissionQueue> submissionQueues() {
        return submissionQueues;
    }

    boolean hasUnacknowledgedEntries() {
        int acknowledged = head;
        return acknowledged != tail && acknowledged != nextTail;
    }

    /** Claims up to {@code wanted} entries; returns how many. One always stays free (4.1.1). */
    int claim(int wanted) {
        while (true) {
            int before = claimed.get();
            int granted = Math.min(wanted, size - 1 - before);
            if (granted <= 0) {
                return 0;
            }
            if (claimed.compareAndSet(before, before + granted)) {
                return granted;
            }
        }
    }

    boolean hasRoom() {
        return claimed.get() < size - 1;
    }

    /** Gives back a claim that no entry was posted for. */
    void unclaim() {
        claimed.decrementAndGet();
    }

    /**
     * Posts a claimed entry.
     *
     * @return how the driver's memory took it; the entry counts as posted only on success
     */
    synchronized CompletionStatus post(
            int result, int submissionQueue, int submissionHead, int command, int statusField) {
        entry.set(LittleEndian.INT, 0, result);
        entry.set(LittleEndian.INT, 4, 0);
        entry.set(LittleEndian.INT, 8, submissionHead | submissionQueue << 16);
        entry.set(LittleEndian.INT, 12, command | (phase ? 1 << 16 : 0) | statusField << 17);
        int at = tail;
        nextTail = (at + 1) % size;
        CompletionStatus status = memory.write(base + (long) at * ENTRY_BYTES, entry);
        if (status.isSuccess()) {
            phase ^= at + 1 == size;
            tail = nextTail;
        }
        return status;
    }

    /**
     * The head doorbell (NVMe 1.4, 3.1.25). Called by one thread at a time.
     *
     * @return false, and nothing done, where the value is outside of the queue or passes what was
     *     posted
     */
    boolean acknowledge(int newHead) {
        if (newHead < 0 || newHead >= size) {
            return false;
        }
        int freed = Math.floorMod(newHead - head, size);
        if (freed > Math.floorMod(nextTail - head, size)) {
            return false;
        }
        head = newHead;
        claimed.addAndGet(-freed);
        return true;
    }
}
