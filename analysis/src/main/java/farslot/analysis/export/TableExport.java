package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import farslot.analysis.query.EventTable;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/**
 * The table {@code events} of docs/queries.md, for programs that read tables.
 *
 * @param form how the table is written
 */
record TableExport(String name, boolean isText, Form form) implements TraceExport {
    /** One way to write a table. */
    @FunctionalInterface
    interface Form {
        void write(EventTable table, ExportedTrace trace, OutputStream out)
                throws IOException, AnalysisException;
    }

    static List<TraceExport> all() {
        return List.of(
                new TableExport("csv", true, (table, trace, out) -> table.writeCsv(out)),
                new TableExport("jsonl", true, (table, trace, out) -> table.writeJsonLines(out)),
                new TableExport(
                        "parquet",
                        false,
                        (table, trace, out) -> table.writeParquet(out, trace.workFolder())));
    }

    @Override
    public void write(ExportedTrace trace, OutputStream out) throws IOException, AnalysisException {
        form.write(new EventTable(trace.reader(), trace.names(), trace.wanted().get()), trace, out);
    }
}
