package farslot.analysis;

import farslot.core.CompletionStatus;
import farslot.recorder.TraceEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Folds blocks of rows that come again and again, while rows pass. A block is shown twice, at once;
 * what follows of the same shape is counted, and given as one row when something else comes. So
 * nothing is held back but what is counted, which is bounded.
 *
 * <p>Rows have one shape where they are of one kind and place; values, memory addresses and the
 * number of reads of a polling loop may vary, and the row says how values did.
 *
 * <p>For one thread at a time.
 */
final class RepeatFolding {
    /** The longest block, in rows. */
    static final int MAX_ROWS = 32;

    /** How many accesses with varying values a repetition tells of. */
    static final int MAX_VARIED = 4;

    /** Fewer rows are not worth a row that stands for them. */
    private static final int LEAST_ROWS = 3;

    private final Consumer<FoldedRow> next;

    /**
     * The last rows that were given, {@code shown} modulo the length; 0 for rows that never fold.
     */
    private final FoldedRow[] recent = new FoldedRow[MAX_ROWS];

    private final int[] shapes = new int[MAX_ROWS];

    /** For each length of a block, how many rows in a row are as those one block before. */
    private final int[] matching = new int[MAX_ROWS + 1];

    private long shown;

    /** How long the block that is being counted is; 0 for none. */
    private int period;

    /** The block's rows, and how each varied since. */
    private final List<FoldedRow> block = new ArrayList<>();

    private final List<Values> varied = new ArrayList<>();

    /** Rows of the block that came, of a time that is not whole yet. */
    private final List<FoldedRow> begun = new ArrayList<>();

    /** Whole times, as rows, while they are few. */
    private final List<FoldedRow> few = new ArrayList<>();

    private long times;
    private long events;
    private TraceEvent.Stamp begin;
    private long endNanos;

    RepeatFolding(Consumer<FoldedRow> next) {
        this.next = next;
    }

    /** The value of one row of the block, from the first time it came again to the last. */
    private static final class Values {
        private TraceEvent.Access access;
        private long first;
        private long last;
        private boolean differs;

        void add(FoldedRow row) {
            if (!(row instanceof FoldedRow.Single(TraceEvent.Access next))
                    || next.data().length() > Long.BYTES
                    || !next.data().complete()) {
                return;
            }
            last = next.data().value();
            first = access == null ? last : first;
            access = access == null ? next : access;
            differs |= last != first;
        }
    }

    void add(FoldedRow row) {
        if (period == 0) {
            show(row);
        } else if (sameShape(row, block.get(begun.size()))) {
            count(row);
        } else {
            end();
            add(row);
        }
    }

    private void show(FoldedRow row) {
        next.accept(row);
        int shape = shape(row);
        int found = 0;
        for (int length = 1; length <= MAX_ROWS; length++) {
            int before = (int) ((shown - length) % MAX_ROWS);
            boolean same =
                    shape != 0
                            && shown >= length
                            && shapes[before] == shape
                            && sameShape(row, recent[before]);
            matching[length] = same ? matching[length] + 1 : 0;
            if (found == 0 && matching[length] >= length) {
                found = length;
            }
        }
        int at = (int) (shown++ % MAX_ROWS);
        recent[at] = withoutData(row);
        shapes[at] = shape;
        if (found > 0) {
            begin(found);
        }
    }

    /** What rows are compared by needs no data, of which there may be much. */
    private static FoldedRow withoutData(FoldedRow row) {
        return row instanceof FoldedRow.Single(TraceEvent.Dma e) && e.data().kept().length > 0
                ? new FoldedRow.Single(
                        new TraceEvent.Dma(
                                e.stamp(),
                                e.write(),
                                e.address(),
                                e.status(),
                                new TraceEvent.Data(e.data().length(), new byte[0], null)))
                : row;
    }

    private void begin(int length) {
        period = length;
        for (long at = shown - length; at < shown; at++) {
            block.add(recent[(int) (at % MAX_ROWS)]);
            varied.add(new Values());
        }
    }

    private void count(FoldedRow row) {
        begun.add(row);
        if (begun.size() < period) {
            return;
        }
        if (times++ == 0) {
            begin = begun.getFirst().begin();
        }
        for (int i = 0; i < period; i++) {
            FoldedRow one = begun.get(i);
            varied.get(i).add(one);
            events += one instanceof FoldedRow.Poll poll ? poll.reads() : 1;
        }
        endNanos = end(row);
        if (times * period < LEAST_ROWS) {
            few.addAll(begun);
        } else {
            few.clear();
        }
        begun.clear();
    }

    private static long end(FoldedRow row) {
        return switch (row) {
            case FoldedRow.Single(TraceEvent event) ->
                    event.stamp().nanos() + event.stamp().durationNanos();
            case FoldedRow.Poll poll -> poll.begin().nanos() + poll.nanos();
            case FoldedRow.Repeat repeat -> repeat.begin().nanos() + repeat.nanos();
        };
    }

    /** Gives what is counted: at the end, or where nothing came for a while. */
    void flush() {
        while (period > 0) {
            end();
        }
    }

    /** The block does not come again; what came of its next time may begin another. */
    private void end() {
        if (few.isEmpty() && times > 0) {
            List<FoldedRow.Varied> differing =
                    varied.stream()
                            .filter(values -> values.differs)
                            .limit(MAX_VARIED)
                            .map(v -> new FoldedRow.Varied(v.access, v.first, v.last))
                            .toList();
            next.accept(
                    new FoldedRow.Repeat(
                            period, times, events, begin, endNanos - begin.nanos(), differing));
        }
        few.forEach(next);
        List<FoldedRow> rest = List.copyOf(begun);
        few.clear();
        begun.clear();
        block.clear();
        varied.clear();
        period = 0;
        times = 0;
        events = 0;
        shown = 0;
        Arrays.fill(matching, 0);
        rest.forEach(this::add);
    }

    /** Equal for rows of one shape; 0 for what is too rare or too important to fold. */
    private static int shape(FoldedRow row) {
        if (row.begin().verification() == TraceEvent.Verification.DAMAGED) {
            return 0;
        }
        return switch (row) {
            case FoldedRow.Poll poll -> place(31, poll.first());
            case FoldedRow.Single(TraceEvent.Access e) when ended(e.status()) ->
                    place(e.write() ? 17 : 19, e);
            case FoldedRow.Single(TraceEvent.Dma e) when ended(e.status()) ->
                    (e.write() ? 23 : 29) + 32 * Long.hashCode(e.data().length());
            case FoldedRow.Single(TraceEvent.Interrupt e) ->
                    13 + 32 * (e.kind().code() + 4 * Long.hashCode(e.vector()));
            case FoldedRow.Single(TraceEvent.InterruptControl e) ->
                    11 + 32 * (e.action().code() + 8 * Long.hashCode(e.first() * 31 + e.count()));
            case FoldedRow.Single(TraceEvent.Mapped e) -> 7 + 32 * Long.hashCode(e.length());
            case FoldedRow.Single(TraceEvent.Unmapped e) when ended(e.status()) ->
                    5 + 32 * Long.hashCode(e.length());
            default -> 0;
        };
    }

    private static boolean ended(CompletionStatus status) {
        return status != null && status.isSuccess();
    }

    private static int place(int kind, TraceEvent.Access e) {
        long place = (e.offset() * 31 + e.region()) * 31 + e.data().length();
        return kind + 32 * Long.hashCode(place);
    }

    private static boolean sameShape(FoldedRow a, FoldedRow b) {
        int shape = shape(a);
        if (shape == 0 || shape != shape(b)) {
            return false;
        }
        return switch (a) {
            case FoldedRow.Poll x -> b instanceof FoldedRow.Poll y && same(x.first(), y.first());
            case FoldedRow.Single(TraceEvent x) ->
                    b instanceof FoldedRow.Single(TraceEvent y) && same(x, y);
            case FoldedRow.Repeat x -> false;
        };
    }

    private static boolean same(TraceEvent a, TraceEvent b) {
        return switch (a) {
            case TraceEvent.Access x ->
                    b instanceof TraceEvent.Access y
                            && x.write() == y.write()
                            && x.region() == y.region()
                            && x.offset() == y.offset()
                            && x.data().length() == y.data().length();
            case TraceEvent.Dma x ->
                    b instanceof TraceEvent.Dma y
                            && x.write() == y.write()
                            && x.data().length() == y.data().length();
            case TraceEvent.Interrupt x ->
                    b instanceof TraceEvent.Interrupt y
                            && x.kind() == y.kind()
                            && x.vector() == y.vector();
            case TraceEvent.InterruptControl x ->
                    b instanceof TraceEvent.InterruptControl y
                            && x.kind() == y.kind()
                            && x.action() == y.action()
                            && x.first() == y.first()
                            && x.count() == y.count();
            case TraceEvent.Mapped x ->
                    b instanceof TraceEvent.Mapped y && x.length() == y.length();
            case TraceEvent.Unmapped x ->
                    b instanceof TraceEvent.Unmapped y && x.length() == y.length();
            default -> false;
        };
    }
}
