package farslot.analysis.diff;

import farslot.core.FunctionDescription;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/** A trace that can be read from its beginning again and again. */
interface DiffInput {
    /** What people call it. */
    String name();

    FunctionDescription function();

    TraceNames names();

    /**
     * Shows every event.
     *
     * @return what a reader of the trace should know
     */
    List<String> forEach(Consumer<TraceEvent> events) throws TraceException;

    /** A file. */
    record OfFile(Path file, FunctionDescription function, TraceNames names) implements DiffInput {
        @Override
        public String name() {
            return file.toString();
        }

        @Override
        public List<String> forEach(Consumer<TraceEvent> events) throws TraceException {
            try (TraceReader trace = TraceReader.open(file)) {
                for (TraceEvent event = trace.next(); event != null; event = trace.next()) {
                    events.accept(event);
                }
                return trace.remarks();
            }
        }
    }
}
