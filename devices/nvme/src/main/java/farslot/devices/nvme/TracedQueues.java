package farslot.devices.nvme;

import farslot.sdk.decode.Observation.When;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** The queues that a trace shows being made, by their numbers and by their memory. */
final class TracedQueues {
    private final Map<Integer, Submission> submissions = new TreeMap<>();
    private final Map<Integer, Completion> completions = new TreeMap<>();
    private final TreeMap<Long, Submission> submissionsByBase =
            new TreeMap<>(Long::compareUnsigned);
    private final TreeMap<Long, Completion> completionsByBase =
            new TreeMap<>(Long::compareUnsigned);

    /** A tail doorbell, and how many of its entries are not fetched yet. */
    private static final class Doorbell {
        final When when;
        int left;

        Doorbell(When when, int left) {
            this.when = when;
            this.left = left;
        }
    }

    /** A submission queue (NVMe 1.4, 4.1). */
    static final class Submission {
        final int id;
        final long base;
        final int entries;
        final int completionQueue;

        /** Fetched and not completed, by identifier, in the order in which they were fetched. */
        final Map<Integer, TracedCommand> underWay = new LinkedHashMap<>();

        /** The same, of those whose identifiers were not recorded. */
        final Deque<TracedCommand> unnamed = new ArrayDeque<>();

        private final Deque<Doorbell> doorbells = new ArrayDeque<>();
        private int tail;
        private int head;

        Submission(int id, long base, int entries, int completionQueue) {
            this.id = id;
            this.base = base;
            this.entries = entries;
            this.completionQueue = completionQueue;
        }

        /** The tail doorbell; a value outside the queue is the device's to complain of. */
        void ring(When when, int newTail) {
            if (newTail >= entries || newTail == tail) {
                return;
            }
            doorbells.addLast(new Doorbell(when, Math.floorMod(newTail - tail, entries)));
            tail = newTail;
        }

        /** The doorbell that announced the entry at a place of the ring; null if none was seen. */
        When announced(int place) {
            int skipped = Math.floorMod(place - head, entries);
            head = (place + 1) % entries;
            while (skipped > 0 && !doorbells.isEmpty()) {
                int taken = Math.min(skipped, doorbells.getFirst().left);
                take(taken);
                skipped -= taken;
            }
            if (doorbells.isEmpty()) {
                return null;
            }
            When when = doorbells.getFirst().when;
            take(1);
            return when;
        }

        private void take(int count) {
            Doorbell first = doorbells.getFirst();
            first.left -= count;
            if (first.left == 0) {
                doorbells.removeFirst();
            }
        }
    }

    /** An entry that was posted and not acknowledged. */
    record Posted(int place, TracedCommand command) {}

    /** A completion queue. */
    static final class Completion {
        final int id;
        final long base;
        final int entries;
        final boolean interruptsEnabled;
        final int vector;
        final Deque<Posted> posted = new ArrayDeque<>();
        private int head;

        Completion(int id, long base, int entries, boolean interruptsEnabled, int vector) {
            this.id = id;
            this.base = base;
            this.entries = entries;
            this.interruptsEnabled = interruptsEnabled;
            this.vector = vector;
        }

        /** The head doorbell: the next entry that it acknowledges, taken out; null if none. */
        TracedCommand acknowledged(int newHead) {
            if (newHead >= entries || posted.isEmpty()) {
                return null;
            }
            int freed = Math.floorMod(newHead - head, entries);
            if (Math.floorMod(posted.getFirst().place() - head, entries) >= freed) {
                return null;
            }
            return posted.removeFirst().command();
        }

        /** The head is there now. */
        void moveHead(int newHead) {
            head = newHead < entries ? newHead : head;
        }
    }

    /** Adds a queue, in place of one with its number. */
    void add(Submission queue) {
        remove(submissions.get(queue.id));
        submissions.put(queue.id, queue);
        submissionsByBase.put(queue.base, queue);
    }

    void add(Completion queue) {
        remove(completions.get(queue.id));
        completions.put(queue.id, queue);
        completionsByBase.put(queue.base, queue);
    }

    void remove(Submission queue) {
        if (queue != null) {
            submissions.remove(queue.id, queue);
            submissionsByBase.remove(queue.base, queue);
        }
    }

    void remove(Completion queue) {
        if (queue != null) {
            completions.remove(queue.id, queue);
            completionsByBase.remove(queue.base, queue);
        }
    }

    /** The queue with this number, or null. */
    Submission submission(int id) {
        return submissions.get(id);
    }

    Completion completion(int id) {
        return completions.get(id);
    }

    Collection<Submission> submissions() {
        return submissions.values();
    }

    Collection<Completion> completions() {
        return completions.values();
    }

    /** The queue that has this address, or null. */
    Submission submissionAt(long address) {
        Map.Entry<Long, Submission> entry = submissionsByBase.floorEntry(address);
        long end = entry == null ? 0 : entry.getKey() + 64L * entry.getValue().entries;
        return entry != null && Long.compareUnsigned(address, end) < 0 ? entry.getValue() : null;
    }

    Completion completionAt(long address) {
        Map.Entry<Long, Completion> entry = completionsByBase.floorEntry(address);
        long end = entry == null ? 0 : entry.getKey() + 16L * entry.getValue().entries;
        return entry != null && Long.compareUnsigned(address, end) < 0 ? entry.getValue() : null;
    }

    /** All are gone: the controller was disabled. */
    void clear() {
        submissions.clear();
        completions.clear();
        submissionsByBase.clear();
        completionsByBase.clear();
    }
}
