package farslot.analysis.export;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * What is exported of a trace.
 *
 * @param reader at its beginning; where a format needs the events twice, its file is read once more
 * @param names by which its registers are named
 * @param wanted makes, for each reading of the trace, what says of each event in turn whether it is
 *     exported
 * @param workFolder where a format may put what it makes on its way; made where it is not there
 */
public record ExportedTrace(
        TraceReader reader,
        TraceNames names,
        Supplier<Predicate<TraceEvent>> wanted,
        Path workFolder) {
    /** All events. */
    public static ExportedTrace whole(TraceReader reader, TraceNames names, Path workFolder) {
        return new ExportedTrace(reader, names, () -> event -> true, workFolder);
    }
}
