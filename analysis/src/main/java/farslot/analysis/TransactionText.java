package farslot.analysis;

import farslot.recorder.TraceText;
import farslot.sdk.decode.Transaction;
import farslot.sdk.decode.Transaction.Field;
import farslot.sdk.decode.Transaction.Stage;
import java.util.List;
import java.util.Locale;

/**
 * Makes one line of text of a transaction. Columns: number of its first event, seconds since the
 * trace began, stream, title, status, from its first stage to its last, and each stage with what
 * lies between it and the one before; then the fields.
 */
public final class TransactionText {
    private TransactionText() {}

    /** What stands over the columns. */
    public static String heading() {
        return String.format(
                Locale.ROOT,
                "%10s %16s  %-6s %-20s %-10s %8s  %s",
                "EVENT",
                "SECONDS",
                "STREAM",
                "WHAT",
                "STATUS",
                "TOOK",
                "STAGES AND FIELDS");
    }

    /** The transaction as one line without its end. */
    public static String line(Transaction transaction) {
        StringBuilder line = new StringBuilder();
        Stage first = transaction.first();
        line.append(
                String.format(
                        Locale.ROOT,
                        "%10d %6d.%09d  %-6s %-20s %-10s %8s ",
                        first.number(),
                        first.nanos() / 1_000_000_000L,
                        first.nanos() % 1_000_000_000L,
                        transaction.stream(),
                        TraceText.clean(transaction.title()),
                        transaction.status().isEmpty() ? "-" : transaction.status(),
                        transaction.stages().size() == 1
                                ? "-"
                                : duration(transaction.durationNanos())));
        appendStages(line, transaction.stages());
        for (Field field : transaction.fields()) {
            line.append(' ').append(field.name()).append('=');
            line.append(TraceText.clean(field.text()));
        }
        for (String remark : transaction.remarks()) {
            line.append(" (").append(TraceText.clean(remark)).append(')');
        }
        return line.toString();
    }

    private static void appendStages(StringBuilder line, List<Stage> stages) {
        for (int i = 1; i < stages.size(); i++) {
            line.append(' ').append(stages.get(i).name()).append('+');
            line.append(duration(stages.get(i).nanos() - stages.get(i - 1).nanos()));
        }
        line.append(stages.size() > 1 ? " " : "");
    }

    static String duration(long nanos) {
        StringBuilder text = new StringBuilder();
        TraceText.appendDuration(text, Math.max(0, nanos));
        return text.toString();
    }
}
