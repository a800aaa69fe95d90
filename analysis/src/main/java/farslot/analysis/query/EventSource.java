package farslot.analysis.query;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.nio.file.Files;
import java.util.function.DoubleConsumer;

/** Reads a trace's events into batches, from where its reader is to the end. */
final class EventSource implements ArrowStream.Source {
    private static final int RECORD_BYTES = 64;

    private final TraceReader reader;
    private final EventRows rows;
    private final DoubleConsumer progress;
    private final double records;

    /**
     * @param progress told, for each batch, how much of the file is read, 0 to 1
     */
    EventSource(TraceReader reader, TraceNames names, DoubleConsumer progress)
            throws TraceException {
        this.reader = reader;
        this.rows = new EventRows(names);
        this.progress = progress;
        try {
            this.records = (double) Files.size(reader.file()) / RECORD_BYTES;
        } catch (IOException e) {
            throw new TraceException(reader.file() + " cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public void fill(ArrowBatch batch) throws TraceException {
        TraceEvent last = null;
        while (!batch.isFull()) {
            TraceEvent event = reader.next();
            if (event == null) {
                break;
            }
            rows.add(event, batch);
            last = event;
        }
        progress.accept(last == null ? 1 : Math.min(1, last.stamp().number() / records));
    }
}
