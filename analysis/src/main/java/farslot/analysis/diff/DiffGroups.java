package farslot.analysis.diff;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts differences together that are of one kind, so that a hundred of them are one line. */
final class DiffGroups {
    /** How many ways in which one kind of item differs are shown apart. */
    private static final int MAX_EXAMPLES = 3;

    private final Map<String, Map<Long, Item.Details>> ofA;
    private final Map<String, Map<Long, Item.Details>> ofB;
    private final Map<String, Building> changed = new LinkedHashMap<>();
    private final Map<String, Building> only = new LinkedHashMap<>();
    private long leftOut;

    /** What is being put together: the values that it begins with, and how often it came. */
    private static final class Building {
        final DiffReport.Side side;
        final String stream;
        final String what;
        final Map<List<DiffReport.Change>, long[]> examples = new LinkedHashMap<>();
        long count;
        long others;

        Building(DiffReport.Side side, String stream, String what) {
            this.side = side;
            this.stream = stream;
            this.what = what;
        }

        /** Counts one; {@code firstA} and {@code firstB} are events, -1 for none. */
        void add(List<DiffReport.Change> values, int mostExamples, long firstA, long firstB) {
            count++;
            long[] counted = examples.get(values);
            if (counted != null) {
                counted[0]++;
            } else if (examples.size() < mostExamples) {
                examples.put(values, new long[] {1, firstA, firstB});
            } else {
                others++;
            }
        }

        DiffReport.Group group() {
            List<DiffReport.Example> list = new ArrayList<>();
            examples.forEach((values, counted) ->
                    list.add(new DiffReport.Example(counted[0], counted[1], counted[2], values)));
            return new DiffReport.Group(side, stream, what, count, list, others);
        }
    }

    DiffGroups(Map<String, Map<Long, Item.Details>> ofA, Map<String, Map<Long, Item.Details>> ofB) {
        this.ofA = ofA;
        this.ofB = ofB;
    }

    void add(TraceDiff.Difference difference) {
        StreamDiff stream = difference.stream();
        Item.Details a =
                difference.inA() < 0 ? null : details(ofA, stream, stream.a, difference.inA());
        Item.Details b =
                difference.inB() < 0 ? null : details(ofB, stream, stream.b, difference.inB());
        long numberA = difference.inA() < 0 ? -1 : stream.a.number(difference.inA());
        long numberB = difference.inB() < 0 ? -1 : stream.b.number(difference.inB());
        if (a != null && b != null) {
            List<DiffReport.Change> values = changes(a, b);
            StringBuilder key = new StringBuilder(stream.name).append('\n').append(a.what());
            values.forEach(value -> key.append('\n').append(value.name()));
            changed.computeIfAbsent(
                            key.toString(),
                            k -> new Building(DiffReport.Side.BOTH, stream.name, a.what()))
                    .add(values, MAX_EXAMPLES, numberA, numberB);
            return;
        }
        Item.Details one = a != null ? a : b;
        DiffReport.Side side = a != null ? DiffReport.Side.A : DiffReport.Side.B;
        if (one != null) {
            only.computeIfAbsent(
                            side + "\n" + stream.name + "\n" + one.what(),
                            k -> new Building(side, stream.name, one.what()))
                    .add(values(one, side), 1, numberA, numberB);
        } else {
            leftOut++;
        }
    }

    private static Item.Details details(
            Map<String, Map<Long, Item.Details>> of,
            StreamDiff stream,
            ItemSequence items,
            int at) {
        return of.getOrDefault(stream.name, Map.of()).get(items.order(at));
    }

    /**
     * The values that differ, in the order of the first trace's, then those of the second alone.
     */
    private static List<DiffReport.Change> changes(Item.Details a, Item.Details b) {
        List<DiffReport.Change> changes = new ArrayList<>();
        Map<String, Item.Value> inB = new LinkedHashMap<>();
        b.values().forEach(value -> inB.put(value.name(), value));
        for (Item.Value value : a.values()) {
            Item.Value other = inB.remove(value.name());
            String text = other == null ? "none" : other.text();
            if (value.compared() && !value.text().equals(text)) {
                changes.add(new DiffReport.Change(value.name(), value.text(), text));
            }
        }
        for (Item.Value value : inB.values()) {
            if (value.compared()) {
                changes.add(new DiffReport.Change(value.name(), "none", value.text()));
            }
        }
        if (!a.what().equals(b.what())) {
            changes.addFirst(new DiffReport.Change("what", a.what(), b.what()));
        }
        return changes;
    }

    private static List<DiffReport.Change> values(Item.Details details, DiffReport.Side side) {
        List<DiffReport.Change> values = new ArrayList<>();
        for (Item.Value value : details.values()) {
            boolean inA = side == DiffReport.Side.A;
            values.add(
                    new DiffReport.Change(
                            value.name(), inA ? value.text() : null, inA ? null : value.text()));
        }
        return values;
    }

    /** All were added, but for so many of which it is not known what they are. */
    void end(long notTold) {
        leftOut += notTold;
    }

    /** Values that differ first, then what one trace alone has, as they came. */
    List<DiffReport.Group> list() {
        List<DiffReport.Group> groups = new ArrayList<>();
        changed.values().forEach(building -> groups.add(building.group()));
        only.values().forEach(building -> groups.add(building.group()));
        return groups;
    }

    long leftOut() {
        return leftOut;
    }
}
