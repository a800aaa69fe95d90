package farslot.devices.nvme;

import farslot.core.StateException;
import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * A submission queue (NVMe 1.4, 4.1): what the driver has submitted, and the commands of it that
 * are under way. Nothing here waits.
 */
final class SubmissionQueue {
    private final int id;
    private final long base;
    private final int size;
    private final CompletionQueue completionQueue;
    private final Arbitration.Priority priority;

    /** Fetched and not ended, by identifier. */
    private final Map<Integer, Command> underWay = new HashMap<>();

    /** Fetched and not begun, in order; those that were aborted meanwhile among them. */
    private final Deque<Command> fetched = new ArrayDeque<>();

    /** Abort commands for entries that are not fetched yet, by place in the ring. */
    private final Map<Integer, Command> abortsAhead = new HashMap<>();

    private int head;
    private int tail;
    private boolean fetching;
    private boolean deleted;
    private int unfinished;
    private Command deletedBy;

    // These two belong to Workers and Arbitration, under the workers' lock.
    private int jobs;
    private boolean listed;

    /**
     * @param base where it lies in the driver's memory
     * @param size in entries, at least 2
     */
    SubmissionQueue(
            int id,
            long base,
            int size,
            CompletionQueue completionQueue,
            Arbitration.Priority priority) {
        this.id = id;
        this.base = base;
        this.size = size;
        this.completionQueue = completionQueue;
        this.priority = priority;
    }

    int id() {
        return id;
    }

    /**
     * Writes where it stands.
     *
     * @throws StateException where one of an I/O queue's commands is under way
     */
    synchronized void save(StateWriter state) throws StateException {
        if (!isAdmin() && !underWay.isEmpty()) {
            throw new StateException("Queue " + id + " has commands under way.");
        }
        state.put("id", id);
        state.put("base", base);
        state.put("size", size);
        state.put("completion queue", completionQueue.id());
        state.put("priority", priority.name());
        state.put("head", head);
        state.put("tail", tail);
        for (Map.Entry<Integer, Command> ahead : new TreeMap<>(abortsAhead).entrySet()) {
            state.put("abort ahead " + ahead.getKey(), ahead.getValue().identifier());
        }
    }

    /**
     * Takes over where a queue of this base and size stood.
     *
     * @param aborts the admin queue's commands, by identifier
     */
    synchronized void load(StateReader state, IntFunction<Command> aborts) throws StateException {
        head = state.int32("head", 0, size - 1);
        tail = state.int32("tail", 0, size - 1);
        for (int place = 0; place < size; place++) {
            String name = "abort ahead " + place;
            if (state.has(name)) {
                Command abort = aborts.apply(state.int32(name, 0, 0xFFFF));
                if (abort == null || !abortAhead(place, abort)) {
                    throw state.wrong(name, "aborts nothing");
                }
            }
        }
    }

    /** Those that are fetched and have not ended, by identifier. */
    synchronized List<Command> underWay() {
        return underWay.values().stream()
                .sorted(Comparator.comparingInt(Command::identifier))
                .toList();
    }

    /** Takes in a command that was under way; false where another has its identifier. */
    synchronized boolean restore(Command command) {
        boolean restored =
                command.begin() && underWay.putIfAbsent(command.identifier(), command) == null;
        unfinished += restored ? 1 : 0;
        return restored;
    }

    boolean isAdmin() {
        return id == 0;
    }

    CompletionQueue completionQueue() {
        return completionQueue;
    }

    Arbitration.Priority priority() {
        return priority;
    }

    /** How many workers are at work for it. */
    int jobs() {
        return jobs;
    }

    void setJobs(int jobs) {
        this.jobs = jobs;
    }

    /** Whether {@link Arbitration} has it. */
    boolean isListed() {
        return listed;
    }

    void setListed(boolean listed) {
        this.listed = listed;
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

    /** Whether a command waits to be executed. */
    synchronized boolean hasCommand() {
        while (!fetched.isEmpty() && !fetched.getFirst().isWaiting()) {
            fetched.removeFirst(); // aborted
        }
        return !fetched.isEmpty();
    }

    /** The next command, begun; or null where none waits. */
    synchronized Command take() {
        Command command = fetched.pollFirst();
        while (command != null && !command.begin()) {
            command = fetched.pollFirst();
        }
        return command;
    }

    /** Whether there is anything to fetch, and a place for its completion. */
    synchronized boolean canFetch() {
        return !fetching && !deleted && head != tail && completionQueue.hasRoom();
    }

    /** Takes the right to fetch; false where {@link #canFetch} says no. */
    synchronized boolean beginFetching() {
        boolean granted = canFetch();
        fetching |= granted;
        return granted;
    }

    /**
     * Gives the right to fetch back.
     *
     * @return the command that waits for the queue to be quiet, which it is now; or null
     */
    synchronized Command endFetching() {
        fetching = false;
        return deletionIfQuiet();
    }

    /** How many entries can be fetched at once: they do not pass the end of the ring. */
    synchronized int fetchable(int atMost) {
        if (deleted) {
            return 0;
        }
        int end = tail >= head ? tail : size;
        return Math.min(atMost, end - head);
    }

    /** The address of the entry at a place of the ring. */
    long address(int place) {
        return base + (long) place * Command.ENTRY_BYTES;
    }

    /** What is submitted and not fetched: from a place on, so many, in pieces of the ring. */
    record Submitted(int place, int entries) {}

    synchronized List<Submitted> submitted() {
        if (deleted || head == tail) {
            return List.of();
        }
        if (head < tail) {
            return List.of(new Submitted(head, tail - head));
        }
        return List.of(new Submitted(head, size - head), new Submitted(0, tail));
    }

    /**
     * Takes in the commands at the head.
     *
     * @return those that are not to be executed: one whose identifier another that is under way has
     *     (4.6.1.2.1), or that is to be aborted
     */
    synchronized List<Command> takeIn(List<Command> commands) {
        List<Command> refused = new ArrayList<>();
        for (Command command : commands) {
            unfinished++;
            Command abort = abortsAhead.remove(head);
            head = (head + 1) % size;
            boolean aborted = abort != null && command.abortBy(abort);
            boolean inUse = underWay.putIfAbsent(command.identifier(), command) != null;
            if (aborted || inUse) {
                refused.add(command);
            } else {
                fetched.addLast(command);
            }
        }
        return refused;
    }

    /**
     * Remembers that the entry at a place of the ring is to be aborted when it is fetched.
     *
     * @return false where it is not among those submitted and not fetched, or is aborted already
     */
    synchronized boolean abortAhead(int place, Command abort) {
        boolean ahead = Math.floorMod(place - head, size) < Math.floorMod(tail - head, size);
        return ahead && !deleted && abortsAhead.putIfAbsent(place, abort) == null;
    }

    /** The driver may use the command's identifier again once it sees the completion. */
    synchronized void release(Command command) {
        underWay.remove(command.identifier(), command);
    }

    /**
     * A command's completion is posted.
     *
     * @return the command that waits for the queue to be quiet, which it is now; or null
     */
    synchronized Command end() {
        unfinished--;
        return deletionIfQuiet();
    }

    /** The command with this identifier that is fetched and has not ended, or null. */
    synchronized Command underWay(int identifier) {
        return underWay.get(identifier);
    }

    /** What deleting a queue leaves to be ended. */
    record Deletion(List<Command> underWay, List<Command> aborts, boolean isQuiet) {}

    /**
     * Fetches no more.
     *
     * @param by completed by whoever ends the last command; at once where the answer says "quiet"
     */
    synchronized Deletion delete(Command by) {
        deleted = true;
        deletedBy = by;
        List<Command> aborts = List.copyOf(abortsAhead.values());
        abortsAhead.clear();
        List<Command> left = List.copyOf(underWay.values());
        return new Deletion(left, aborts, deletionIfQuiet() != null);
    }

    private Command deletionIfQuiet() {
        boolean quiet = deleted && !fetching && unfinished == 0;
        Command once = quiet ? deletedBy : null;
        deletedBy = quiet ? null : deletedBy;
        return once;
    }
}
