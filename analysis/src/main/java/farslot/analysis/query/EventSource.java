package farslot.analysis.query;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.util.function.DoubleConsumer;
import java.util.function.Predicate;

/** Reads a trace's events into batches, from where its reader is to where it ends. */
final class EventSource implements ArrowStream.Source {
    private final TraceReader reader;
    private final EventRows rows;
    private final Predicate<TraceEvent> wanted;
    private final double slots;
    private final DoubleConsumer progress;
    private long firstNumber = -1;

    /**
     * @param wanted which events become rows
     * @param slots that there are to read
     * @param progress told, for each batch, how much of them is read, 0 to 1
     */
    EventSource(
            TraceReader reader,
            TraceNames names,
            Predicate<TraceEvent> wanted,
            long slots,
            DoubleConsumer progress) {
        this.reader = reader;
        this.rows = new EventRows(names);
        this.wanted = wanted;
        this.slots = slots;
        this.progress = progress;
    }

    @Override
    public void fill(ArrowBatch batch) throws TraceException {
        TraceEvent last = null;
        while (!batch.isFull()) {
            TraceEvent event = reader.next();
            if (event == null) {
                break;
            }
            if (firstNumber < 0) {
                firstNumber = event.stamp().number();
            }
            if (wanted.test(event)) {
                rows.add(event, batch);
            }
            last = event;
        }
        progress.accept(
                last == null ? 1 : Math.min(1, (last.stamp().number() - firstNumber) / slots));
    }
}
