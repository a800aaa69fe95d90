package farslot.recorder;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts a trace: by register, by interrupt vector, by direction of DMA.
 *
 * <p>For one thread at a time.
 */
public final class TraceStatistics {
    /** Registers beyond this many are counted together: a trace may touch a whole frame buffer. */
    private static final int MAX_ROWS = 20_000;

    private static final String OTHERS = "(others)";

    private final TraceNames names;
    private final Map<Place, Row> rows = new HashMap<>();
    private final Map<String, Long> interrupts = new TreeMap<>();
    private final Map<String, Long> others = new TreeMap<>();
    private final DmaCount dma = new DmaCount();
    private long events;
    private long lastNanos;
    private boolean nearMaps;

    public TraceStatistics(TraceNames names) {
        this.names = names;
    }

    /**
     * Counts a whole trace.
     *
     * @throws TraceException where it cannot be read
     */
    public static Summary of(TraceReader trace) throws TraceException {
        return of(trace, TraceNames.of(trace));
    }

    /** Counts a whole trace, with names of one's own. */
    public static Summary of(TraceReader trace, TraceNames names) throws TraceException {
        TraceStatistics statistics = new TraceStatistics(names);
        for (TraceEvent event = trace.next(); event != null; event = trace.next()) {
            statistics.add(event);
        }
        return statistics.summary(trace);
    }

    /** An access of one place and length; its name is made once. */
    private record Place(int region, long offset, long length) {}

    private static final class Row {
        final String region;
        final String register;
        long reads;
        long writes;
        long failed;
        long readNanos;
        long maxReadNanos;
        long writeNanos;
        long maxWriteNanos;

        Row(String region, String register) {
            this.region = region;
            this.register = register;
        }

        void add(Row other) {
            reads += other.reads;
            writes += other.writes;
            failed += other.failed;
            readNanos += other.readNanos;
            writeNanos += other.writeNanos;
            maxReadNanos = Math.max(maxReadNanos, other.maxReadNanos);
            maxWriteNanos = Math.max(maxWriteNanos, other.maxWriteNanos);
        }
    }

    private static final class DmaCount {
        long reads;
        long readBytes;
        long writes;
        long writtenBytes;
        long failed;
    }

    /** Counts one event. */
    public void add(TraceEvent event) {
        events++;
        lastNanos = Math.max(lastNanos, event.stamp().nanos() + event.stamp().durationNanos());
        switch (event) {
            case TraceEvent.Access e -> access(e);
            case TraceEvent.Dma e -> dma(e);
            case TraceEvent.Interrupt e ->
                    interrupts.merge(
                            String.format(Locale.ROOT, "%s %5d", e.kind(), e.vector()),
                            1L,
                            Long::sum);
            case TraceEvent.Mapped e -> {
                nearMaps |= e.near();
                others.merge(TraceText.kind(event), 1L, Long::sum);
            }
            default -> others.merge(TraceText.kind(event), 1L, Long::sum);
        }
    }

    private void access(TraceEvent.Access e) {
        Row row = row(e);
        long nanos = e.stamp().durationNanos();
        if (e.write()) {
            row.writes++;
            row.writeNanos += nanos;
            row.maxWriteNanos = Math.max(row.maxWriteNanos, nanos);
        } else {
            row.reads++;
            row.readNanos += nanos;
            row.maxReadNanos = Math.max(row.maxReadNanos, nanos);
        }
        if (e.status() != null && !e.status().isSuccess()) {
            row.failed++;
        }
    }

    private Row row(TraceEvent.Access e) {
        Place place = new Place(e.region(), e.offset(), e.data().length());
        Row row = rows.get(place);
        if (row == null) {
            boolean room = rows.size() < MAX_ROWS;
            Place key = room ? place : new Place(e.region(), -1, 0);
            String name = room ? names.register(e) : OTHERS;
            row = rows.computeIfAbsent(key, k -> new Row(names.label(e.region()), name));
        }
        return row;
    }

    private void dma(TraceEvent.Dma e) {
        if (e.status() != null && !e.status().isSuccess()) {
            dma.failed++;
        } else if (e.write()) {
            dma.writes++;
            dma.writtenBytes += e.data().length();
        } else {
            dma.reads++;
            dma.readBytes += e.data().length();
        }
    }

    /** What was counted, and what the reader says of the trace. */
    public Summary summary(TraceReader trace) {
        List<String> remarks = new ArrayList<>(trace.remarks());
        if (nearMaps && dma.reads + dma.writes + dma.failed == 0) {
            remarks.add(
                    "No DMA passed here: the device reaches the driver's memory by itself. Record"
                            + " where it is lent to see its DMA.");
        }
        return new Summary(
                trace.description().kind(),
                trace.began().toString(),
                lastNanos,
                events,
                registers(),
                interrupts(),
                new DmaSummary(dma.reads, dma.readBytes, dma.writes, dma.writtenBytes, dma.failed),
                Map.copyOf(others),
                trace.lost(),
                trace.damaged(),
                trace.unfinished(),
                remarks);
    }

    /** The busiest first; places that have one name are one register. */
    private List<RegisterCount> registers() {
        Map<String, Row> byName = new TreeMap<>();
        for (Row row : rows.values()) {
            byName.computeIfAbsent(
                            row.region + " " + row.register, n -> new Row(row.region, row.register))
                    .add(row);
        }
        List<RegisterCount> counts = new ArrayList<>();
        for (Row row : byName.values()) {
            counts.add(
                    new RegisterCount(
                            row.region,
                            row.register,
                            row.reads,
                            row.writes,
                            row.failed,
                            row.reads == 0 ? 0 : row.readNanos / row.reads,
                            row.maxReadNanos,
                            row.writes == 0 ? 0 : row.writeNanos / row.writes,
                            row.maxWriteNanos));
        }
        counts.sort(
                Comparator.comparingLong((RegisterCount c) -> c.reads() + c.writes()).reversed());
        return counts;
    }

    private List<InterruptCount> interrupts() {
        List<InterruptCount> counts = new ArrayList<>();
        interrupts.forEach((name, count) -> {
            int space = name.indexOf(' ');
            counts.add(
                    new InterruptCount(
                            name.substring(0, space),
                            Long.parseLong(name.substring(space).strip()),
                            count));
        });
        return counts;
    }

    /** How often one register was accessed, and how long that took. */
    public record RegisterCount(
            String region,
            String register,
            long reads,
            long writes,
            long failed,
            long meanReadNanos,
            long maxReadNanos,
            long meanWriteNanos,
            long maxWriteNanos) {}

    /** How often one vector was signalled. */
    public record InterruptCount(String interrupt, long vector, long count) {}

    /** What DMA moved; {@code failed} transfers are in no other number. */
    public record DmaSummary(
            long reads, long readBytes, long writes, long writtenBytes, long failed) {}

    /**
     * A whole trace in numbers.
     *
     * @param kind of the function
     * @param began the time of day, UTC, ISO 8601
     * @param durationNanos from the trace's beginning to the end of its last event
     * @param others events of other kinds, by their name in text
     */
    public record Summary(
            String kind,
            String began,
            long durationNanos,
            long events,
            List<RegisterCount> registers,
            List<InterruptCount> interrupts,
            DmaSummary dma,
            Map<String, Long> others,
            long lost,
            long damaged,
            long unfinished,
            List<String> remarks) {

        /**
         * The summary as lines for people.
         *
         * @param maxRegisters how many registers to show, the busiest first
         */
        public List<String> lines(int maxRegisters) {
            List<String> lines = new ArrayList<>();
            StringBuilder first = new StringBuilder();
            first.append(events).append(" events of ").append(TraceText.clean(kind)).append(" in ");
            TraceText.appendDuration(first, durationNanos);
            lines.add(first.append(", from ").append(began).toString());
            registerLines(lines, maxRegisters);
            for (InterruptCount count : interrupts) {
                lines.add(
                        String.format(
                                Locale.ROOT,
                                "interrupts  %-5s vector %-5d %d",
                                count.interrupt,
                                count.vector,
                                count.count));
            }
            lines.add(
                    String.format(
                            Locale.ROOT,
                            "DMA         %d reads (%d bytes), %d writes (%d bytes), %d failed",
                            dma.reads,
                            dma.readBytes,
                            dma.writes,
                            dma.writtenBytes,
                            dma.failed));
            new TreeMap<>(others)
                    .forEach((name, count) ->
                            lines.add(String.format(Locale.ROOT, "%-11s %d", name, count)));
            lines.add("lost        " + lost);
            lines.addAll(remarks);
            return lines;
        }

        private void registerLines(List<String> lines, int maxRegisters) {
            String format = "%-6s  %-30s %9s %9s %7s %10s %10s %10s %10s";
            lines.add(
                    String.format(
                            Locale.ROOT,
                            format,
                            "REGION",
                            "REGISTER",
                            "READS",
                            "WRITES",
                            "FAILED",
                            "READ-MEAN",
                            "READ-MAX",
                            "WRITE-MEAN",
                            "WRITE-MAX"));
            registers.stream()
                    .limit(maxRegisters)
                    .forEach(count ->
                            lines.add(
                                    String.format(
                                            Locale.ROOT,
                                            format,
                                            count.region,
                                            count.register,
                                            count.reads,
                                            count.writes,
                                            count.failed,
                                            duration(count.reads, count.meanReadNanos),
                                            duration(count.reads, count.maxReadNanos),
                                            duration(count.writes, count.meanWriteNanos),
                                            duration(count.writes, count.maxWriteNanos))));
            if (registers.size() > maxRegisters) {
                lines.add("        and " + (registers.size() - maxRegisters) + " registers more");
            }
        }

        private static String duration(long count, long nanos) {
            if (count == 0) {
                return "-";
            }
            StringBuilder text = new StringBuilder();
            TraceText.appendDuration(text, nanos);
            return text.toString();
        }
    }
}
