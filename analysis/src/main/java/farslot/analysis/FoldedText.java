package farslot.analysis;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceText;
import farslot.registers.RegisterText;
import java.util.Locale;

/**
 * Makes a line of text of each row, in the columns of {@link TraceText}; a polling loop's kind is
 * "poll", that of a block that came again "repeat".
 *
 * <p>For one thread at a time.
 */
public final class FoldedText {
    private final TraceNames names;
    private final TraceText events;

    public FoldedText(TraceNames names) {
        this.names = names;
        this.events = new TraceText(names);
    }

    /** The row as one line without its end. */
    public String line(FoldedRow row) {
        return switch (row) {
            case FoldedRow.Single single -> events.line(single.event());
            case FoldedRow.Poll poll -> poll(poll);
            case FoldedRow.Repeat repeat -> repeat(repeat);
        };
    }

    private String poll(FoldedRow.Poll poll) {
        TraceEvent.Access first = poll.first();
        StringBuilder rest = in(poll.nanos()).append(": ");
        if (poll.changes() == 0) {
            appendValue(rest, first, poll.values()[0]);
        } else {
            appendChanges(rest, first, poll.values());
        }
        if (poll.changes() >= poll.values().length) {
            rest.append(String.format(Locale.ROOT, " (%,d changes)", poll.changes()));
        }
        return events.line(
                first.stamp().nanos(),
                "poll",
                names.label(first.region()),
                names.place(first),
                String.format(Locale.ROOT, "%,d reads", poll.reads()),
                rest.toString());
    }

    private String repeat(FoldedRow.Repeat repeat) {
        StringBuilder rest = in(repeat.nanos());
        String separator = ": ";
        for (FoldedRow.Varied varied : repeat.varied()) {
            rest.append(separator).append(names.place(varied.access())).append(' ');
            appendChanges(rest, varied.access(), varied.first(), varied.last());
            separator = "; ";
        }
        return events.line(
                repeat.begin().nanos(),
                "repeat",
                "-",
                repeat.rows() == 1 ? "the line above" : "the " + repeat.rows() + " lines above",
                repeat.times() == 1
                        ? "once more"
                        : String.format(Locale.ROOT, "%,d times more", repeat.times()),
                rest.toString());
    }

    private void appendValue(StringBuilder text, TraceEvent.Access access, long value) {
        int before = text.length();
        RegisterText.appendFields(
                text,
                names.domain(access.region()),
                access.offset(),
                (int) access.data().length(),
                value);
        if (text.length() == before) {
            text.append("0x").append(Long.toHexString(value));
        }
    }

    private void appendChanges(StringBuilder text, TraceEvent.Access access, long... values) {
        RegisterText.appendChanges(
                text,
                names.domain(access.region()),
                access.offset(),
                (int) access.data().length(),
                values);
    }

    private static StringBuilder in(long nanos) {
        StringBuilder text = new StringBuilder("in ");
        TraceText.appendDuration(text, nanos);
        return text;
    }
}
