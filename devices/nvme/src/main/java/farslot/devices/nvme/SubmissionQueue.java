package farslot.devices.nvme;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A submission queue (NVMe 1.4, 4.1): what the driver has submitted, and the commands of it that
 * are under way. Nothing here waits.
 */
final class SubmissionQueue {
    private final int id;
    private final long base;
    private final int size;
    private final CompletionQueue completionQueue;
    private final Map<Integer, Command> underWay = new HashMap<>();
    private int head;
    private int tail;
    private boolean fetching;
    private boolean deleted;
    private int unfinished;
    private Runnable whenIdle;

    /**
     * @param base where it lies in the driver's memory
     * @param size in entries, at least 2
     */
    SubmissionQueue(int id, long base, int size, CompletionQueue completionQueue) {
        this.id = id;
        this.base = base;
        this.size = size;
        this.completionQueue = completionQueue;
    }

    int id() {
        return id;
    }

    boolean isAdmin() {
        return id == 0;
    }

    CompletionQueue completionQueue() {
        return completionQueue;
    }

    /** The next entry to be fetched, which each completion tells the driver. */
    synchronized int head() {
        return head;
    }

    /**
     * The tail doorbell (NVMe 1.4, 3.1.24).
     *
     * @return false, and nothing done, where the value is outside of the queue or passes the head
     */
    synchronized boolean submit(int newTail) {
        if (newTail < 0 || newTail >= size) {
            return false;
        }
        int added = Math.floorMod(newTail - tail, size);
        if (added > size - 1 - Math.floorMod(tail - head, size)) {
            return false;
        }
        tail = newTail;
        return true;
    }

    /** Takes the right to fetch; false if another has it or there is nothing to fetch. */
    synchronized boolean beginFetching() {
        if (fetching || deleted || head == tail) {
            return false;
        }
        fetching = true;
        return true;
    }

    /** Gives the right to fetch back. */
    synchronized void endFetching() {
        fetching = false;
        checkIdle();
    }

    /** How many entries can be fetched at once: they do not pass the end of the ring. */
    synchronized int fetchable(int atMost) {
        if (deleted) {
            return 0;
        }
        int end = tail >= head ? tail : size;
        return Math.min(atMost, end - head);
    }

    /** The address of the next entry to be fetched. */
    synchronized long headAddress() {
        return base + (long) head * Command.ENTRY_BYTES;
    }

    synchronized void fetched(int entries) {
        head = (head + entries) % size;
    }

    /** Takes a command in; false where another with its identifier is under way. */
    synchronized boolean begin(Command command) {
        unfinished++;
        return underWay.putIfAbsent(command.identifier(), command) == null;
    }

    /** The driver may use the command's identifier again once it sees the completion. */
    synchronized void release(Command command) {
        underWay.remove(command.identifier(), command);
    }

    /** The command's completion is posted. */
    synchronized void end() {
        unfinished--;
        checkIdle();
    }

    synchronized Command underWay(int identifier) {
        return underWay.get(identifier);
    }

    /**
     * Fetches no more, and says when nothing is under way.
     *
     * @param whenIdle run once, perhaps before this returns; must not wait
     * @return the commands that were under way
     */
    synchronized List<Command> delete(Runnable whenIdle) {
        deleted = true;
        this.whenIdle = whenIdle;
        List<Command> left = new ArrayList<>(underWay.values());
        checkIdle();
        return left;
    }

    private void checkIdle() {
        if (deleted && !fetching && unfinished == 0 && whenIdle != null) {
            Runnable once = whenIdle;
            whenIdle = null;
            once.run();
        }
    }
}
