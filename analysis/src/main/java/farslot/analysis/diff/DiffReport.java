package farslot.analysis.diff;

import farslot.recorder.TraceText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How two traces differ.
 *
 * @param description what their functions say differently of themselves
 * @param streams how many items of each stream are the same, and how many are not
 * @param groups the differences, those of one kind together: values that differ first
 * @param leftOut how many items differ that no group has: there were too many
 */
public record DiffReport(
        Trace a,
        Trace b,
        List<Change> description,
        List<StreamCounts> streams,
        List<Group> groups,
        long leftOut) {
    private static final int MAX_VALUES_A_LINE = 8;

    /** Which trace has something. */
    public enum Side {
        BOTH,
        A,
        B
    }

    /**
     * One of the traces.
     *
     * @param nanos when its last event began
     * @param items of how many things its events were made
     * @param remarks what a reader of the comparison should know of it, in sentences
     */
    public record Trace(
            String file, String kind, long events, long nanos, long items, List<String> remarks) {}

    /**
     * The items of one stream.
     *
     * @param moved how many are the same, at another place or in another queue
     */
    public record StreamCounts(
            String stream, long same, long differ, long onlyA, long onlyB, long moved) {
        boolean isSame() {
            return differ == 0 && onlyA == 0 && onlyB == 0;
        }
    }

    /**
     * Differences of one kind.
     *
     * @param side BOTH where both traces have it with other values
     * @param what "write CC", "READ"
     * @param others how many more there are, with other values than the examples have
     */
    public record Group(
            Side side,
            String stream,
            String what,
            long count,
            List<Example> examples,
            long others) {}

    /**
     * One way in which they differ.
     *
     * @param firstA number of the first event in A, -1 for none
     * @param values those that differ; or all, of what one trace has alone
     */
    public record Example(long count, long firstA, long firstB, List<Change> values) {}

    /**
     * A value by name, in each trace; null where that trace has it not.
     *
     * @param name "" where it has none
     */
    public record Change(String name, String a, String b) {}

    /** Whether nothing differs but times, addresses and the order of concurrent commands. */
    public boolean same() {
        return description.isEmpty() && streams.stream().allMatch(StreamCounts::isSame);
    }

    /**
     * The whole as text, the summary first.
     *
     * @param most how many lines of differences; 0 for all
     */
    public List<String> lines(int most) {
        return texts(most).stream().map(TraceText::clean).toList();
    }

    private List<String> texts(int most) {
        List<String> lines = new ArrayList<>();
        lines.add("A  " + line(a));
        lines.add("B  " + line(b));
        lines.add("");
        addCounts(lines);
        if (same()) {
            return lines;
        }
        lines.add("");
        List<String> all = new ArrayList<>();
        description.forEach(change -> all.add("description  " + text(change)));
        groups.forEach(group -> add(all, group));
        int shown = most == 0 ? all.size() : Math.min(most, all.size());
        lines.addAll(all.subList(0, shown));
        if (shown < all.size()) {
            lines.add(
                    String.format(
                            Locale.ROOT,
                            "... and %,d lines more; --limit 0 shows all.",
                            all.size() - shown));
        }
        if (leftOut > 0) {
            lines.add(
                    String.format(
                            Locale.ROOT,
                            "... and %,d differences of which only the number is known.",
                            leftOut));
        }
        return lines;
    }

    private static String line(Trace trace) {
        return String.format(
                Locale.ROOT,
                "%s: %s, %,d events in %.3f s, %,d things compared",
                trace.file,
                trace.kind,
                trace.events,
                trace.nanos / 1e9,
                trace.items);
    }

    private void addCounts(List<String> lines) {
        String row = "%-14s %10s %9s %9s %9s %9s";
        lines.add(String.format(row, "", "same", "differ", "only A", "only B", "moved"));
        StreamCounts rest = new StreamCounts("", 0, 0, 0, 0, 0);
        int alike = 0;
        for (StreamCounts stream : streams) {
            if (stream.isSame()) {
                alike++;
                rest =
                        new StreamCounts(
                                "", rest.same + stream.same, 0, 0, 0, rest.moved + stream.moved);
            } else {
                lines.add(line(row, stream.stream, stream));
            }
        }
        if (alike > 0) {
            String name = alike == streams.size() ? "all" : alike + " others";
            lines.add(line(row, name, rest));
        }
    }

    private static String line(String row, String name, StreamCounts counts) {
        return String.format(
                Locale.ROOT,
                row,
                name,
                number(counts.same),
                number(counts.differ),
                number(counts.onlyA),
                number(counts.onlyB),
                number(counts.moved));
    }

    private static String number(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    private static void add(List<String> lines, Group group) {
        String where =
                String.format(
                        Locale.ROOT,
                        "%-8s %-10s %-20s ",
                        switch (group.side) {
                            case BOTH -> "differ";
                            case A -> "only A";
                            case B -> "only B";
                        },
                        group.stream,
                        group.what);
        for (Example example : group.examples) {
            long count = group.side == Side.BOTH ? example.count : group.count;
            lines.add((where + values(example) + counted(count, example)).stripTrailing());
        }
        if (group.side == Side.BOTH && group.others > 0) {
            lines.add(where + number(group.others) + " more with other values");
        }
    }

    private static String values(Example example) {
        StringBuilder text = new StringBuilder();
        int shown = Math.min(MAX_VALUES_A_LINE, example.values.size());
        for (Change change : example.values.subList(0, shown)) {
            text.append(text(change)).append("  ");
        }
        return text.append(shown < example.values.size() ? "...  " : "").toString();
    }

    private static String text(Change change) {
        String name = change.name.isEmpty() ? "" : change.name + " ";
        if (change.a != null && change.b != null) {
            return name + change.a + " -> " + change.b;
        }
        return name + (change.a != null ? change.a : change.b);
    }

    private static String counted(long count, Example example) {
        String place =
                example.firstA < 0
                        ? "B #" + example.firstB
                        : "#"
                                + example.firstA
                                + (example.firstB < 0 ? "" : " | #" + example.firstB);
        return "(" + (count == 1 ? "" : number(count) + " times, first ") + place + ")";
    }
}
