package farslot.recorder;

import farslot.core.Region;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * How often a range in the mode "count" was accessed since the trace was told last.
 *
 * <p>Any thread may call.
 */
final class RangeCount {
    private final int region;
    private final long first;
    private final long last;
    private final LongAdder reads = new LongAdder();
    private final LongAdder writes = new LongAdder();

    private RangeCount(int region, long first, long last) {
        this.region = region;
        this.first = first;
        this.last = last;
    }

    /** The count of a range, which is added to the others if it is not one of them. */
    static RangeCount of(RangeMode range, Region region, List<RangeCount> counts) {
        long last = Math.min(range.last(), region.sizeBytes() - 1);
        for (RangeCount count : counts) {
            if (count.region == region.index()
                    && count.first == range.first()
                    && count.last == last) {
                return count;
            }
        }
        RangeCount count = new RangeCount(region.index(), range.first(), last);
        counts.add(count);
        return count;
    }

    void add(boolean write) {
        (write ? writes : reads).increment();
    }

    /** Tells the trace, where there is something to tell. */
    void tell(TraceWriter trace) {
        long wasRead = reads.sumThenReset();
        long wasWritten = writes.sumThenReset();
        if (wasRead + wasWritten > 0) {
            trace.counted(region, first, last, wasRead, wasWritten);
        }
    }
}
