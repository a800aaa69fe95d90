package farslot.analysis;

import farslot.recorder.TraceEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Folds polling loops while events pass: three or more successful reads of one place, with nothing
 * between them. What it holds is bounded; {@link #flush} gives it.
 *
 * <p>For one thread at a time.
 */
final class PollFolding {
    /** Fewer reads are no loop. */
    private static final int LEAST_READS = 3;

    /** How many values are kept of a loop, the last one included. */
    static final int MAX_VALUES = 8;

    private final Consumer<FoldedRow> next;

    /** The reads so far, while they are too few. */
    private final List<TraceEvent.Access> held = new ArrayList<>(LEAST_READS);

    private final long[] values = new long[MAX_VALUES];
    private int valueCount;
    private long changes;
    private long lastValue;
    private long reads;
    private long endNanos;

    PollFolding(Consumer<FoldedRow> next) {
        this.next = next;
    }

    void add(TraceEvent event) {
        if (!(event instanceof TraceEvent.Access access) || !foldable(access)) {
            flush();
            next.accept(new FoldedRow.Single(event));
            return;
        }
        if (reads > 0 && !samePlace(held.getFirst(), access)) {
            flush();
        }
        if (++reads <= LEAST_READS) {
            held.add(access);
        }
        value(access.data().value());
        endNanos = access.stamp().nanos() + access.stamp().durationNanos();
    }

    private static boolean foldable(TraceEvent.Access access) {
        return !access.write()
                && access.stamp().verification() != TraceEvent.Verification.DAMAGED
                && access.status() != null
                && access.status().isSuccess()
                && access.data().length() <= Long.BYTES
                && access.data().complete();
    }

    private static boolean samePlace(TraceEvent.Access a, TraceEvent.Access b) {
        return a.offset() == b.offset()
                && a.region() == b.region()
                && a.data().length() == b.data().length();
    }

    private void value(long value) {
        if (reads > 1 && value == lastValue) {
            return;
        }
        changes += reads > 1 ? 1 : 0;
        lastValue = value;
        values[Math.min(valueCount, MAX_VALUES - 1)] = value;
        valueCount = Math.min(valueCount + 1, MAX_VALUES);
    }

    /** Gives what is held: at the end, or where nothing came for a while. */
    void flush() {
        if (reads >= LEAST_READS) {
            TraceEvent.Access first = held.getFirst();
            long nanos = endNanos - first.stamp().nanos();
            long[] seen = Arrays.copyOf(values, valueCount);
            next.accept(new FoldedRow.Poll(first, reads, nanos, seen, changes));
        } else {
            held.forEach(access -> next.accept(new FoldedRow.Single(access)));
        }
        held.clear();
        valueCount = 0;
        changes = 0;
        reads = 0;
    }
}
