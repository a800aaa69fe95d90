package farslot.analysis.diff;

import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Compares two traces by what they mean: without times, with polling loops folded, regions instead
 * of addresses, memory by order of appearance, the commands of each queue by themselves, and marks
 * as places at which both are at the same point.
 *
 * <p>Each trace is read three times; memory is bounded by {@link TraceItems#MAX_ITEMS} and {@link
 * #MAX_DETAILS}, and what is beyond is said.
 */
public final class TraceDiff {
    /** Of how many differing items of each trace it is said what they are. */
    static final int MAX_DETAILS = 20_000;

    private final TraceItems a;
    private final TraceItems b;
    private final List<StreamDiff> streams = new ArrayList<>();
    private final Map<String, Set<Long>> wantedA = new HashMap<>();
    private final Map<String, Set<Long>> wantedB = new HashMap<>();
    private int askedA;
    private int askedB;

    private TraceDiff(TraceItems a, TraceItems b) {
        this.a = a;
        this.b = b;
    }

    /**
     * Compares two traces.
     *
     * @param names gives the names of a trace's registers
     * @throws TraceException where one cannot be read
     */
    public static DiffReport of(Path fileA, Path fileB, Function<TraceReader, TraceNames> names)
            throws TraceException {
        return of(input(fileA, names), input(fileB, names), TraceItems.MAX_ITEMS);
    }

    private static DiffInput input(Path file, Function<TraceReader, TraceNames> names)
            throws TraceException {
        try (TraceReader reader = TraceReader.open(file)) {
            return new DiffInput.OfFile(file, reader.description(), names.apply(reader));
        }
    }

    static DiffReport of(DiffInput inputA, DiffInput inputB, int mostItems) throws TraceException {
        TraceDiff diff =
                new TraceDiff(TraceItems.of(inputA, mostItems), TraceItems.of(inputB, mostItems));
        diff.align();
        DiffGroups groups = diff.groups();
        return new DiffReport(
                trace(inputA, diff.a),
                trace(inputB, diff.b),
                DescriptionDiff.of(inputA.function(), inputB.function()),
                diff.streams.stream().map(TraceDiff::counts).toList(),
                groups.list(),
                groups.leftOut());
    }

    private static DiffReport.Trace trace(DiffInput input, TraceItems items) {
        return new DiffReport.Trace(
                input.name(),
                input.function().kind(),
                items.events(),
                items.nanos(),
                items.items(),
                List.copyOf(items.remarks()));
    }

    private static DiffReport.StreamCounts counts(StreamDiff stream) {
        return new DiffReport.StreamCounts(
                stream.name,
                stream.sameCount(),
                stream.changedCount(),
                stream.onlyA(),
                stream.onlyB(),
                stream.movedCount());
    }

    private void align() {
        Set<String> names = new TreeSet<>(Comparator.comparing(TraceDiff::rank));
        names.addAll(a.streams().keySet());
        names.addAll(b.streams().keySet());
        List<StreamDiff.Anchor> anchors = anchors();
        for (String name : names) {
            StreamDiff stream = new StreamDiff(name, a.stream(name), b.stream(name));
            stream.alignSame(anchors);
            streams.add(stream);
        }
        pairMoved();
        streams.forEach(StreamDiff::alignChanged);
    }

    /** What sets things up first, then the decoders' streams by number, then the rest. */
    private static String rank(String stream) {
        String digits = stream.replaceAll("\\D", "");
        String padded = "0".repeat(Math.max(0, 9 - digits.length())) + digits;
        String first =
                switch (stream) {
                    case DiffItems.MARKS -> "0";
                    case DiffItems.CONFIGURATION -> "1";
                    case DiffItems.REGISTERS -> "2";
                    default -> DiffItems.isConcurrent(stream) ? "3" : "4";
                };
        return first + stream.replaceAll("\\d", "") + padded + stream;
    }

    private List<StreamDiff.Anchor> anchors() {
        ItemSequence marksA = a.stream(DiffItems.MARKS);
        ItemSequence marksB = b.stream(DiffItems.MARKS);
        int[] match = new int[marksA.size()];
        Arrays.fill(match, -1);
        Alignment.align(marksA.whole(), 0, marksA.size(), marksB.whole(), 0, marksB.size(), match);
        List<StreamDiff.Anchor> anchors = new ArrayList<>();
        for (int i = 0; i < match.length; i++) {
            if (match[i] >= 0) {
                anchors.add(new StreamDiff.Anchor(marksA.number(i), marksB.number(match[i])));
            }
        }
        return anchors;
    }

    private record Place(StreamDiff stream, int index) {}

    /**
     * Commands that wait at the same time are done in any order and through any queue: those that
     * both traces have, at another place, say the same.
     */
    private void pairMoved() {
        pairMoved(true);
        pairMoved(false);
    }

    /**
     * @param withData whether they must have moved the same data; else one must lack it
     */
    private void pairMoved(boolean withData) {
        Map<Long, Deque<Place>> left = new HashMap<>();
        for (StreamDiff stream : streams) {
            for (int j = 0; stream.isConcurrent() && j < stream.b.size(); j++) {
                if (stream.isLeftB(j)) {
                    left.computeIfAbsent(key(stream.b, j, withData), key -> new ArrayDeque<>())
                            .add(new Place(stream, j));
                }
            }
        }
        for (StreamDiff stream : streams) {
            for (int i = 0; stream.isConcurrent() && i < stream.a.size(); i++) {
                Deque<Place> places =
                        stream.isLeftA(i) ? left.get(key(stream.a, i, withData)) : null;
                Place partner = places == null ? null : places.peekFirst();
                if (partner == null) {
                    continue;
                }
                boolean told = stream.a.data(i) != 0 && partner.stream.b.data(partner.index) != 0;
                if (withData || !told) {
                    places.removeFirst();
                    stream.moveA(i);
                    partner.stream.moveB(partner.index);
                }
            }
        }
    }

    private static long key(ItemSequence items, int at, boolean withData) {
        long whole = items.whole()[at];
        return withData ? Hash.of(whole, items.data(at)) : whole;
    }

    private DiffGroups groups() throws TraceException {
        List<Difference> differences = new ArrayList<>();
        for (StreamDiff stream : streams) {
            for (int i = 0; i < stream.a.size(); i++) {
                if (stream.changed(i) >= 0) {
                    add(differences, stream, i, stream.changed(i));
                } else if (stream.isLeftA(i)) {
                    add(differences, stream, i, -1);
                }
            }
            for (int j = 0; j < stream.b.size(); j++) {
                if (stream.isLeftB(j)) {
                    add(differences, stream, -1, j);
                }
            }
        }
        DiffGroups groups = new DiffGroups(a.details(wantedA), b.details(wantedB));
        differences.forEach(groups::add);
        long all = streams.stream().mapToLong(TraceDiff::differences).sum();
        groups.end(all - differences.size());
        return groups;
    }

    private static long differences(StreamDiff stream) {
        return stream.changedCount() + stream.onlyA() + stream.onlyB();
    }

    /**
     * Two items, or one of one trace alone.
     *
     * @param inA its index, or -1
     */
    record Difference(StreamDiff stream, int inA, int inB) {}

    private void add(List<Difference> differences, StreamDiff stream, int inA, int inB) {
        if ((inA >= 0 && askedA >= MAX_DETAILS) || (inB >= 0 && askedB >= MAX_DETAILS)) {
            return;
        }
        differences.add(new Difference(stream, inA, inB));
        if (inA >= 0) {
            askedA++;
            want(wantedA, stream.name, stream.a.order(inA));
        }
        if (inB >= 0) {
            askedB++;
            want(wantedB, stream.name, stream.b.order(inB));
        }
    }

    private static void want(Map<String, Set<Long>> wanted, String stream, long order) {
        wanted.computeIfAbsent(stream, key -> new HashSet<>()).add(order);
    }
}
