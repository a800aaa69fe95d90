package farslot.analysis.query;

import farslot.analysis.AnalysisException;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Predicate;

/**
 * The table {@code events} of one trace (docs/queries.md), written for other programs. Once: its
 * reader is read to the end.
 */
public final class EventTable {
    private final TraceReader reader;
    private final TraceNames names;
    private final Predicate<TraceEvent> wanted;

    /**
     * @param reader at its beginning; closed by its owner
     * @param names by which registers are named
     * @param wanted which events are in the table, asked in their order
     */
    public EventTable(TraceReader reader, TraceNames names, Predicate<TraceEvent> wanted) {
        this.reader = reader;
        this.names = names;
        this.wanted = wanted;
    }

    /** RFC 4180, with a line of headings: null is empty, an empty text is "", bytes are hex. */
    public void writeCsv(OutputStream out) throws IOException {
        CsvRows csv = new CsvRows(trace());
        csv.headings();
        write(csv, out);
    }

    /** A JSON object a line, without what the event does not have; bytes are hex. */
    public void writeJsonLines(OutputStream out) throws IOException {
        write(new JsonRows(trace()), out);
    }

    /**
     * A Parquet file.
     *
     * @param workFolder where it is made
     * @throws AnalysisException where DuckDB cannot make it, or the trace not be read on
     */
    public void writeParquet(OutputStream out, Path workFolder)
            throws IOException, AnalysisException {
        try (TraceDatabase database = TraceDatabase.empty(QueryOptions.of(workFolder))) {
            database.writeParquet(
                    trace(), new EventSource(reader, names, wanted, 1, done -> {}), out);
        }
    }

    private String trace() {
        return reader.file().toString();
    }

    private void write(TextRows text, OutputStream out) throws IOException {
        Writer writer =
                new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8), 1 << 16);
        EventRows rows = new EventRows(names);
        for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
            if (wanted.test(event)) {
                rows.add(event, text);
                text.moveTo(writer);
            }
        }
        text.moveTo(writer);
        writer.flush();
    }
}
