package farslot.analysis;

import farslot.recorder.TraceText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A {@link TraceSummary} as lines for people: tables, and a map of each region. */
public final class SummaryText {
    private final List<String> lines = new ArrayList<>();

    private SummaryText() {}

    /**
     * All lines.
     *
     * @param maxRegisters how many registers to show, the busiest first
     */
    public static List<String> lines(TraceSummary summary, int maxRegisters) {
        SummaryText text = new SummaryText();
        text.all(summary, maxRegisters);
        return text.lines;
    }

    private void all(TraceSummary summary, int maxRegisters) {
        lines.add(
                String.format(
                        Locale.ROOT,
                        "%d events of %s in %s, from %s",
                        summary.events(),
                        TraceText.clean(summary.kind()),
                        duration(summary.durationNanos()),
                        summary.began()));
        registers(summary.registers(), maxRegisters);
        interrupts(summary.interrupts());
        dma(summary);
        link(summary.link());
        if (!summary.others().isEmpty()) {
            List<String[]> rows = new ArrayList<>();
            rows.add(new String[] {"OTHER", "EVENTS"});
            new TreeMap<>(summary.others())
                    .forEach((kind, count) -> rows.add(new String[] {kind, count.toString()}));
            table(rows);
        }
        for (HeatMap map : summary.heat()) {
            lines.add("");
            lines.addAll(map.lines());
        }
        lines.add("");
        lines.add("lost " + summary.lost());
        lines.addAll(summary.remarks());
    }

    private void registers(List<TraceSummary.RegisterCount> registers, int most) {
        List<String[]> rows = new ArrayList<>();
        rows.add(
                new String[] {
                    "REGION",
                    "REGISTER",
                    "READS",
                    "WRITES",
                    "FAILED",
                    "WIDTHS",
                    "VALUES",
                    "FIRST",
                    "LAST",
                    "READ-P50",
                    "P99",
                    "MAX",
                    "WRITE-P50",
                    "P99",
                    "MAX"
                });
        for (TraceSummary.RegisterCount count :
                registers.subList(0, Math.min(most, registers.size()))) {
            rows.add(
                    new String[] {
                        count.region(),
                        count.register(),
                        Long.toString(count.reads()),
                        Long.toString(count.writes()),
                        Long.toString(count.failed()),
                        widths(count.widths()),
                        count.distinctValues() + (count.moreValues() ? "+" : ""),
                        seconds(count.firstNanos()),
                        seconds(count.lastNanos()),
                        latency(count.readLatency(), count.readLatency().p50Nanos()),
                        latency(count.readLatency(), count.readLatency().p99Nanos()),
                        latency(count.readLatency(), count.readLatency().maxNanos()),
                        latency(count.writeLatency(), count.writeLatency().p50Nanos()),
                        latency(count.writeLatency(), count.writeLatency().p99Nanos()),
                        latency(count.writeLatency(), count.writeLatency().maxNanos())
                    });
        }
        table(rows);
        if (registers.size() > most) {
            lines.add("and " + (registers.size() - most) + " registers more");
        }
    }

    private void interrupts(List<TraceSummary.InterruptCount> interrupts) {
        if (interrupts.isEmpty()) {
            return;
        }
        List<String[]> rows = new ArrayList<>();
        rows.add(
                new String[] {
                    "INTERRUPT", "VECTOR", "COUNT", "PER-SECOND", "MOST", "FIRST", "LAST"
                });
        for (TraceSummary.InterruptCount count : interrupts) {
            rows.add(
                    new String[] {
                        count.interrupt(),
                        Long.toString(count.vector()),
                        Long.toString(count.count()),
                        String.format(Locale.ROOT, "%.1f", count.perSecond()),
                        Long.toString(count.mostPerSecond()),
                        seconds(count.firstNanos()),
                        seconds(count.lastNanos())
                    });
        }
        table(rows);
    }

    private void link(List<TraceSummary.LinkTime> kinds) {
        if (kinds.isEmpty()) {
            return;
        }
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"LINK", "EVENTS", "P50", "P99", "MAX", "BELOW-0"});
        for (TraceSummary.LinkTime kind : kinds) {
            TraceSummary.Latency time = kind.latency();
            rows.add(
                    new String[] {
                        kind.kind(),
                        Long.toString(time.count()),
                        duration(time.p50Nanos()),
                        duration(time.p99Nanos()),
                        duration(time.maxNanos()),
                        Long.toString(kind.belowZero())
                    });
        }
        table(rows);
    }

    private void dma(TraceSummary summary) {
        List<String[]> rows = new ArrayList<>();
        rows.add(
                new String[] {
                    "DMA", "TRANSFERS", "BYTES", "BYTES/S", "FAILED", "P50", "P99", "MAX"
                });
        double seconds = Math.max(1, summary.durationNanos()) / 1e9;
        rows.add(dma("read", summary.dmaReads(), seconds));
        rows.add(dma("write", summary.dmaWrites(), seconds));
        table(rows);
    }

    private static String[] dma(String direction, TraceSummary.DmaCount count, double seconds) {
        return new String[] {
            direction,
            Long.toString(count.transfers()),
            Long.toString(count.bytes()),
            String.format(Locale.ROOT, "%.0f", count.bytes() / seconds),
            Long.toString(count.failed()),
            latency(count.latency(), count.latency().p50Nanos()),
            latency(count.latency(), count.latency().p99Nanos()),
            latency(count.latency(), count.latency().maxNanos())
        };
    }

    /** Text to the left, numbers to the right; a heading first, and an empty line before. */
    private void table(List<String[]> rows) {
        lines.add("");
        int columns = rows.getFirst().length;
        int[] widths = new int[columns];
        boolean[] left = new boolean[columns];
        for (String[] row : rows) {
            for (int column = 0; column < columns; column++) {
                widths[column] = Math.max(widths[column], row[column].length());
            }
        }
        for (int column = 0; column < columns; column++) {
            String heading = rows.getFirst()[column];
            left[column] = column == 0 || heading.equals("REGISTER");
        }
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                int blanks = widths[column] - row[column].length();
                line.repeat(' ', left[column] ? 0 : blanks).append(row[column]);
                line.repeat(' ', (left[column] ? blanks : 0) + 2);
            }
            lines.add(line.toString().stripTrailing());
        }
    }

    private static String widths(List<Long> widths) {
        String few = widths.stream().limit(4).map(String::valueOf).collect(Collectors.joining(","));
        return widths.isEmpty() ? "-" : few + (widths.size() > 4 ? ",..." : "");
    }

    private static String latency(TraceSummary.Latency latency, long nanos) {
        return latency.count() == 0 ? "-" : duration(nanos);
    }

    private static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.6f", nanos / 1e9);
    }

    private static String duration(long nanos) {
        StringBuilder text = new StringBuilder();
        TraceText.appendDuration(text, nanos);
        return text.toString();
    }
}
