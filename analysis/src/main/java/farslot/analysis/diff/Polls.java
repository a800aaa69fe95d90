package farslot.analysis.diff;

import farslot.recorder.TraceEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Folds reads of one place that follow one another: how often a driver looks depends on time, not
 * on meaning. Unlike what people are shown, two reads and a thousand are alike here. Where the map
 * does not say that a register is polled, a run whose value changes more than twice is data, and
 * each change counts.
 */
final class Polls {
    private static final int MOST_CHANGES_OF_A_POLL = 2;

    /** One read that stands for all. */
    record Read(TraceEvent.Access access) {}

    private final Consumer<Read> reads;
    private final List<TraceEvent.Access> held = new ArrayList<>();
    private boolean isData;

    Polls(Consumer<Read> reads) {
        this.reads = reads;
    }

    /** A read that succeeded, of at most 8 bytes, all of them known. */
    void add(TraceEvent.Access access, Volatility volatility) {
        if (!held.isEmpty() && !samePlace(held.getLast(), access)) {
            flush();
        }
        if (volatility == Volatility.CONSUMED) {
            flush();
            reads.accept(new Read(access));
            return;
        }
        boolean same = !held.isEmpty() && held.getLast().data().value() == access.data().value();
        if (same) {
            return;
        }
        if (volatility == Volatility.POLLED) {
            held.clear();
            held.add(access);
            return;
        }
        held.add(access);
        if (isData || held.size() > MOST_CHANGES_OF_A_POLL + 1) {
            isData = true;
            giveAllButLast();
        }
    }

    private void giveAllButLast() {
        while (held.size() > 1) {
            reads.accept(new Read(held.removeFirst()));
        }
    }

    private static boolean samePlace(TraceEvent.Access a, TraceEvent.Access b) {
        return a.offset() == b.offset()
                && a.region() == b.region()
                && a.data().length() == b.data().length();
    }

    /** Something else happened. */
    void flush() {
        if (!held.isEmpty()) {
            reads.accept(new Read(held.getLast()));
            held.clear();
        }
        isData = false;
    }
}
