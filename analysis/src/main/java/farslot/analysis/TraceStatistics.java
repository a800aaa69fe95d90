package farslot.analysis;

import farslot.core.InterruptKind;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceText;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts the events of one function, of one trace or of several: by register, by interrupt vector,
 * by direction of DMA. Events come one at a time, and what is kept is bounded.
 *
 * <p>For one thread at a time.
 */
public final class TraceStatistics {
    /** Places beyond this many are counted together: a trace may touch a whole frame buffer. */
    private static final int MAX_PLACES = 10_000;

    private static final int MAX_VECTORS = 4096;
    private static final long SECOND = 1_000_000_000L;
    private static final String REST = "(others)";

    private final TraceNames names;
    private final Map<Place, AccessCount> places = new HashMap<>();
    private final Map<InterruptKind, Map<Long, VectorCount>> interrupts =
            new EnumMap<>(InterruptKind.class);
    private final Map<String, Long> others = new TreeMap<>();
    private final Map<String, LinkTimes> link = new TreeMap<>();
    private final Transfers dmaReads = new Transfers();
    private final Transfers dmaWrites = new Transfers();
    private final List<String> remarks = new ArrayList<>();

    /** What the last access was counted in: the next is often of the same place. */
    private Place lastPlace = new Place(-1, 0, 0);

    private AccessCount lastCount;
    private Instant began;

    /** What is added to an event's time: how much later than the first its trace began. */
    private long laterNanos;

    private long events;
    private long lastNanos;
    private long lost;
    private long damaged;
    private long unfinished;
    private int vectors;
    private boolean nearMaps;

    public TraceStatistics(TraceNames names) {
        this.names = names;
    }

    /** An access of one place and length; its name is made once. */
    private record Place(int region, long offset, long length) {}

    private static final class VectorCount {
        private long count;
        private long firstNanos = -1;
        private long lastNanos;
        private long second = -1;
        private long inSecond;
        private long mostInSecond;

        void add(long nanos) {
            firstNanos = count++ == 0 ? nanos : firstNanos;
            lastNanos = nanos;
            inSecond = nanos / SECOND == second ? inSecond + 1 : 1;
            second = nanos / SECOND;
            mostInSecond = Math.max(mostInSecond, inSecond);
        }
    }

    private static final class Transfers {
        private final LatencyHistogram latency = new LatencyHistogram();
        private long transfers;
        private long bytes;
        private long failed;

        void add(TraceEvent.Dma e) {
            if (e.status() != null && !e.status().isSuccess()) {
                failed++;
                return;
            }
            transfers++;
            bytes += e.data().length();
            if (!e.stamp().underWay()) {
                latency.add(e.stamp().durationNanos());
            }
        }

        TraceSummary.DmaCount summary() {
            return new TraceSummary.DmaCount(
                    transfers, bytes, failed, TraceSummary.Latency.of(latency));
        }
    }

    private static final class LinkTimes {
        private final LatencyHistogram latency = new LatencyHistogram();
        private long belowZero;

        void add(long nanos) {
            belowZero += nanos < 0 ? 1 : 0;
            latency.add(Math.max(0, nanos));
        }
    }

    /** The events that follow are of this trace: their times begin when it began. */
    public void begin(TraceReader trace) {
        began = began == null ? trace.began() : began;
        laterNanos = nanosBetween(began, trace.began());
    }

    /** Clocks may be wrong by centuries; then times are those of each trace. */
    private static long nanosBetween(Instant from, Instant to) {
        Duration between = Duration.between(from, to);
        return between.abs().toDays() > 100_000 ? 0 : Math.max(0, between.toNanos());
    }

    /** Takes in what the reader says of a trace, all of which was read. */
    public void end(TraceReader trace) {
        lost += trace.lost();
        damaged += trace.damaged();
        unfinished += trace.unfinished();
        remarks.addAll(trace.remarks());
    }

    /** Counts one event. */
    public void add(TraceEvent event) {
        events++;
        long nanos = event.stamp().nanos() + laterNanos;
        lastNanos = Math.max(lastNanos, nanos + event.stamp().durationNanos());
        if (event.stamp().hasLinkTime()) {
            link.computeIfAbsent(TraceText.kind(event), kind -> new LinkTimes())
                    .add(event.stamp().linkNanos());
        }
        switch (event) {
            case TraceEvent.Access e -> count(e).add(e, nanos);
            case TraceEvent.Dma e -> (e.write() ? dmaWrites : dmaReads).add(e);
            case TraceEvent.Interrupt e -> interrupt(e, nanos);
            case TraceEvent.Counted e -> {
                String name = "0x%x-0x%x counted".formatted(e.firstOffset(), e.lastOffset());
                Place place =
                        new Place(
                                e.region(), e.firstOffset(), e.lastOffset() - e.firstOffset() + 1);
                count(place, name).add(e, nanos);
            }
            case TraceEvent.Mapped e -> {
                nearMaps |= e.near();
                others.merge(TraceText.kind(event), 1L, Long::sum);
            }
            default -> others.merge(TraceText.kind(event), 1L, Long::sum);
        }
    }

    private AccessCount count(TraceEvent.Access e) {
        boolean same =
                lastPlace.offset == e.offset()
                        && lastPlace.region == e.region()
                        && lastPlace.length == e.data().length();
        if (!same) {
            lastPlace = new Place(e.region(), e.offset(), e.data().length());
            lastCount = places.get(lastPlace);
            if (lastCount == null) {
                lastCount = count(lastPlace, names.place(e));
            }
        }
        return lastCount;
    }

    private AccessCount count(Place place, String name) {
        boolean room = places.size() < MAX_PLACES || places.containsKey(place);
        return places.computeIfAbsent(
                room ? place : new Place(place.region, -1, 0),
                key -> new AccessCount(names.label(place.region), room ? name : REST));
    }

    private void interrupt(TraceEvent.Interrupt e, long nanos) {
        Map<Long, VectorCount> ofKind =
                interrupts.computeIfAbsent(e.kind(), kind -> new TreeMap<>());
        VectorCount count = ofKind.get(e.vector());
        if (count == null) {
            // A damaged trace may have any number of them.
            if (vectors++ >= MAX_VECTORS) {
                others.merge("irq (others)", 1L, Long::sum);
                return;
            }
            count = new VectorCount();
            ofKind.put(e.vector(), count);
        }
        count.add(nanos);
    }

    /** What was counted so far. */
    public TraceSummary summary() {
        List<String> all = new ArrayList<>(remarks);
        long transfers = dmaReads.transfers + dmaWrites.transfers;
        if (nearMaps && transfers + dmaReads.failed + dmaWrites.failed == 0) {
            all.add(
                    "No DMA passed here: the device reaches the driver's memory by itself. Record"
                            + " where it is lent to see its DMA.");
        }
        return new TraceSummary(
                names.kind(),
                began == null ? "" : began.toString(),
                lastNanos,
                events,
                registers(),
                vectors(),
                dmaReads.summary(),
                dmaWrites.summary(),
                Map.copyOf(others),
                link.entrySet().stream()
                        .map(kind ->
                                new TraceSummary.LinkTime(
                                        kind.getKey(),
                                        kind.getValue().belowZero,
                                        TraceSummary.Latency.of(kind.getValue().latency)))
                        .toList(),
                heat(),
                lost,
                damaged,
                unfinished,
                all);
    }

    /** The busiest first; places that have one name are one register. */
    private List<TraceSummary.RegisterCount> registers() {
        Map<String, AccessCount> byName = new TreeMap<>();
        for (AccessCount count : places.values()) {
            byName.computeIfAbsent(
                            count.region + " " + count.register,
                            n -> new AccessCount(count.region, count.register))
                    .add(count);
        }
        return byName.values().stream()
                .map(AccessCount::summary)
                .sorted(
                        Comparator.comparingLong(
                                        (TraceSummary.RegisterCount c) -> c.reads() + c.writes())
                                .reversed())
                .toList();
    }

    private List<TraceSummary.InterruptCount> vectors() {
        List<TraceSummary.InterruptCount> counts = new ArrayList<>();
        double seconds = Math.max(lastNanos, 1) / (double) SECOND;
        interrupts.forEach((kind, ofKind) ->
                ofKind.forEach((vector, count) ->
                        counts.add(
                                new TraceSummary.InterruptCount(
                                        kind.name(),
                                        vector,
                                        count.count,
                                        count.count / seconds,
                                        count.mostInSecond,
                                        count.firstNanos,
                                        count.lastNanos))));
        return counts;
    }

    private List<HeatMap> heat() {
        Map<Integer, List<HeatMap.Touched>> touched = new TreeMap<>();
        places.forEach((place, count) -> {
            if (place.length > 0) {
                touched.computeIfAbsent(place.region, region -> new ArrayList<>())
                        .add(
                                new HeatMap.Touched(
                                        place.offset, place.length, count.reads, count.writes));
            }
        });
        List<HeatMap> maps = new ArrayList<>();
        touched.forEach((region, all) -> maps.add(HeatMap.of(names.label(region), all)));
        return maps;
    }
}
