package farslot.analysis.export;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceText;

/** What {@code farslot trace show} says of an event, without the columns that a viewer has. */
final class EventLine {
    private final TraceText text;

    EventLine(TraceNames names) {
        text = new TraceText(names);
    }

    /** All behind time and kind. */
    String of(TraceEvent event) {
        String line = text.line(event).strip();
        int behindTime = line.indexOf("  ");
        String rest = behindTime < 0 ? line : line.substring(behindTime).strip();
        String kind = TraceText.kind(event);
        return (rest.startsWith(kind) ? rest.substring(kind.length()).strip() : rest)
                .replaceAll(" {2,}", "  ");
    }
}
