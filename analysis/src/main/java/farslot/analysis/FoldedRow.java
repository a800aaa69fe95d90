package farslot.analysis;

import farslot.recorder.TraceEvent;
import java.util.List;

/** A line of a trace as people read it: an event, or many that say one thing. */
public sealed interface FoldedRow {
    /** Where and when its first event was. */
    TraceEvent.Stamp begin();

    /** One event. */
    record Single(TraceEvent event) implements FoldedRow {
        @Override
        public TraceEvent.Stamp begin() {
            return event.stamp();
        }
    }

    /**
     * A polling loop: one place was read again and again, and nothing happened in between.
     *
     * @param first the first read
     * @param reads how many
     * @param nanos from the first one's beginning to the last one's end
     * @param values what was read, without what was the same as before; the first ones and the last
     * @param changes how often the value changed, at least one less than there are values
     */
    @SuppressWarnings("ArrayRecordComponent") // made for each reader, and compared nowhere
    record Poll(TraceEvent.Access first, long reads, long nanos, long[] values, long changes)
            implements FoldedRow {
        @Override
        public TraceEvent.Stamp begin() {
            return first.stamp();
        }
    }

    /**
     * The rows before this one came again.
     *
     * @param rows how many rows make one time
     * @param times how often they came again, in whole
     * @param events how many events that were
     * @param begin of the first event that came again
     * @param nanos from that one's beginning to the last one's end
     * @param varied what was not the same each time: the first in the rows, at most {@link
     *     RepeatFolding#MAX_VARIED}
     */
    record Repeat(
            int rows,
            long times,
            long events,
            TraceEvent.Stamp begin,
            long nanos,
            List<Varied> varied)
            implements FoldedRow {}

    /**
     * An access whose value was not the same each time.
     *
     * @param access one of them
     * @param first the value the first time it came again
     * @param last the value the last time
     */
    record Varied(TraceEvent.Access access, long first, long last) {}
}
