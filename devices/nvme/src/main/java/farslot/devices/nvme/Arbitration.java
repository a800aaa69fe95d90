package farslot.devices.nvme;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Which submission queue is served next: round robin, or weighted round robin with an urgent class
 * (NVMe 1.4, 4.13). Under round robin all queues are of one class.
 *
 * <p>Has no lock: {@link Workers} calls under its own.
 */
final class Arbitration {
    /** The classes, in the order of precedence; the last three share by weight. */
    enum Priority {
        ADMIN,
        URGENT,
        HIGH,
        MEDIUM,
        LOW;

        /** What QPRIO of Create I/O Submission Queue says (5.4), two bits. */
        static Priority ofCode(int code) {
            return switch (code) {
                case 0 -> URGENT;
                case 1 -> HIGH;
                case 2 -> MEDIUM;
                default -> LOW;
            };
        }
    }

    /** What a queue that is listed here could be given. */
    enum Standing {
        /** It has work, and may be served. */
        READY,
        /** It has work, and is served as much as it may be. */
        HELD,
        /** It has no work, so it leaves the list. */
        IDLE
    }

    /** The queues of one class that may have work. */
    private static final class Line {
        private final Deque<SubmissionQueue> queues = new ArrayDeque<>();

        /** How many commands the first queue has had in its turn. */
        private int taken;

        /** How many the class may have before all classes get new credits; and how many then. */
        private int credits;

        private int weight = 1;

        /** The first queue that is ready, at the head now; null where none is. */
        SubmissionQueue first(Function<SubmissionQueue, Standing> standing) {
            for (int left = queues.size(); left > 0; left--) {
                SubmissionQueue queue = queues.getFirst();
                switch (standing.apply(queue)) {
                    case READY -> {
                        return queue;
                    }
                    case HELD -> passTurn();
                    case IDLE -> {
                        queues.removeFirst();
                        queue.setListed(false);
                        taken = 0;
                    }
                }
            }
            return null;
        }

        void passTurn() {
            queues.addLast(queues.removeFirst());
            taken = 0;
        }
    }

    private static final int UNLIMITED_BURST = 7;
    private static final List<Priority> STRICT = List.of(Priority.ADMIN, Priority.URGENT);
    private static final List<Priority> WEIGHTED =
            List.of(Priority.HIGH, Priority.MEDIUM, Priority.LOW);

    private final Map<Priority, Line> lines = new EnumMap<>(Priority.class);
    private int burst = 1;

    Arbitration() {
        for (Priority priority : Priority.values()) {
            lines.put(priority, new Line());
        }
    }

    /** Takes over what the feature of this name says (5.21.1.1): the burst and the weights. */
    void configure(int feature) {
        burst = (feature & 7) == UNLIMITED_BURST ? Integer.MAX_VALUE : 1 << (feature & 7);
        // Weights are 0's based.
        lines.get(Priority.LOW).weight = (feature >>> 8 & 0xFF) + 1;
        lines.get(Priority.MEDIUM).weight = (feature >>> 16 & 0xFF) + 1;
        lines.get(Priority.HIGH).weight = (feature >>> 24 & 0xFF) + 1;
    }

    /** Lists a queue that may have work; returns false where it is listed already. */
    boolean list(SubmissionQueue queue) {
        if (queue.isListed()) {
            return false;
        }
        queue.setListed(true);
        lines.get(queue.priority()).queues.addLast(queue);
        return true;
    }

    /** The queue whose turn it is, which has one turn less then; null where none is ready. */
    SubmissionQueue next(Function<SubmissionQueue, Standing> standing) {
        for (Priority priority : STRICT) {
            SubmissionQueue queue = lines.get(priority).first(standing);
            if (queue != null) {
                return take(queue);
            }
        }
        SubmissionQueue queue = nextByCredit(standing);
        if (queue == null) {
            for (Priority priority : WEIGHTED) {
                lines.get(priority).credits = lines.get(priority).weight;
            }
            queue = nextByCredit(standing);
        }
        return queue == null ? null : take(queue);
    }

    /** Whether {@link #next} would give a queue. */
    boolean isReady(Function<SubmissionQueue, Standing> standing) {
        for (Line line : lines.values()) {
            if (line.first(standing) != null) {
                return true;
            }
        }
        return false;
    }

    private SubmissionQueue nextByCredit(Function<SubmissionQueue, Standing> standing) {
        for (Priority priority : WEIGHTED) {
            Line line = lines.get(priority);
            SubmissionQueue queue = line.credits > 0 ? line.first(standing) : null;
            if (queue != null) {
                line.credits--;
                return queue;
            }
        }
        return null;
    }

    private SubmissionQueue take(SubmissionQueue queue) {
        Line line = lines.get(queue.priority());
        line.taken++;
        if (line.taken >= burst) {
            line.passTurn();
        }
        return queue;
    }
}
