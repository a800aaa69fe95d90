package farslot.analysis.diff;

import farslot.recorder.TraceException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/** One of two traces that are compared: its items as numbers, and as text where asked for. */
final class TraceItems {
    /** What of a trace is compared: at 48 bytes an item, 200 MB for each trace. */
    static final int MAX_ITEMS = 4 << 20;

    private final DiffInput input;
    private final int most;
    private final DmaPages pages = new DmaPages();
    private final Map<String, ItemSequence> streams = new TreeMap<>();
    private final List<String> remarks = new ArrayList<>();
    private long events;
    private long lastNanos;
    private long taken;
    private long cut;

    private TraceItems(DiffInput input, int most) {
        this.input = input;
        this.most = most;
    }

    /**
     * Reads a trace, twice.
     *
     * @param most items to take; what is beyond is counted
     */
    static TraceItems of(DiffInput input, int most) throws TraceException {
        TraceItems items = new TraceItems(input, most);
        items.readPages();
        items.readItems();
        return items;
    }

    private void readPages() throws TraceException {
        remarks.addAll(
                input.forEach(event -> {
                    events++;
                    lastNanos = Math.max(lastNanos, event.stamp().nanos());
                    pages.touched(event);
                }));
        if (pages.isFull()) {
            remarks.add("The function reached more memory than addresses are told apart for.");
        }
    }

    private void readItems() throws TraceException {
        DiffItems items = read(this::take);
        remarks.addAll(items.remarks());
        streams.values().forEach(ItemSequence::finish);
        if (cut > 0) {
            remarks.add(
                    String.format(
                            Locale.ROOT,
                            "Only the first %,d items were compared; %,d that follow were not.",
                            taken,
                            cut));
        }
    }

    private DiffItems read(Consumer<Item> into) throws TraceException {
        DiffItems items = new DiffItems(input.function(), input.names(), pages, into);
        input.forEach(items::add);
        items.end();
        return items;
    }

    private void take(Item item) {
        ItemSequence stream = streams.computeIfAbsent(item.stream(), key -> new ItemSequence());
        if (taken < most && stream.add(item)) {
            taken++;
        } else {
            cut++;
        }
    }

    /** The streams, by name. */
    Map<String, ItemSequence> streams() {
        return streams;
    }

    /** The items of a stream; none where the trace does not have it. */
    ItemSequence stream(String name) {
        return streams.getOrDefault(name, new ItemSequence());
    }

    long events() {
        return events;
    }

    long items() {
        return taken;
    }

    /** When the last event began, since the trace began. */
    long nanos() {
        return lastNanos;
    }

    List<String> remarks() {
        return remarks;
    }

    /**
     * Reads the trace once more, for what people read.
     *
     * @param wanted orders by stream
     * @return for each of them what it says
     */
    Map<String, Map<Long, Item.Details>> details(Map<String, Set<Long>> wanted)
            throws TraceException {
        Map<String, Map<Long, Item.Details>> found = new HashMap<>();
        if (wanted.isEmpty()) {
            return found;
        }
        read(item -> {
            Set<Long> of = wanted.get(item.stream());
            if (of != null && of.contains(item.order())) {
                found.computeIfAbsent(item.stream(), key -> new HashMap<>())
                        .put(item.order(), item.details().get());
            }
        });
        return found;
    }
}
