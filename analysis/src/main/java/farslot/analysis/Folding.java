package farslot.analysis;

import farslot.recorder.TraceEvent;
import java.util.function.Consumer;

/**
 * Makes the rows that people read of events that come one at a time: polling loops are one row, and
 * blocks that come again and again are shown twice and then counted. Memory is bounded however long
 * a trace is, and {@link #flush} gives what is held, so that it serves whoever follows a trace
 * while it is written.
 *
 * <p>For one thread at a time.
 */
public final class Folding {
    private final RepeatFolding repeats;
    private final PollFolding polls;

    /**
     * @param rows takes each row, in their order, on the thread that adds
     */
    public Folding(Consumer<FoldedRow> rows) {
        this.repeats = new RepeatFolding(rows);
        this.polls = new PollFolding(repeats::add);
    }

    /** The next event. */
    public void add(TraceEvent event) {
        polls.add(event);
    }

    /** Gives what is held: at the end of a trace, or where nothing came for a while. */
    public void flush() {
        polls.flush();
        repeats.flush();
    }
}
