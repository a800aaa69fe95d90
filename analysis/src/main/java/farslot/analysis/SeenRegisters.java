package farslot.analysis;

import farslot.core.Region;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a driver was seen to do with the registers of one function, and what they answered: no names
 * and no guesses. Places that were accessed in several widths, or in parts, are one register: the
 * smallest naturally aligned one, of up to 8 bytes, that holds them all.
 *
 * <p>Bounded: of a region at most {@link #MOST} registers are kept, of a register at most {@link
 * #MOST_VALUES} different values; what is beyond is counted.
 */
public final class SeenRegisters {
    /** So many registers of a region; the rest is counted in {@link InRegion#unkept}. */
    public static final int MOST = 4096;

    static final int MOST_VALUES = 8;

    /** The longest access that is one register's; longer ones are copies of memory. */
    private static final int LONGEST_BYTES = 8;

    /**
     * One register.
     *
     * @param widths in which it was accessed: the sum of lengths in bytes, which are powers of two
     * @param values that were read or written, the first few, and how often
     * @param reset what was read of it before anything was written there, as far as that is known
     * @param resetMask which bits of {@code reset} are known
     * @param changes whether it was seen to change without having been written
     */
    public record Seen(
            long offset,
            int sizeBytes,
            int widths,
            long reads,
            long writes,
            Map<Long, Long> values,
            long reset,
            long resetMask,
            boolean changes) {}

    /**
     * What was seen of a region.
     *
     * @param registers ascending
     * @param unkept accesses of registers beyond {@link #MOST}
     * @param copies accesses of more than 8 bytes, or of no natural length
     */
    public record InRegion(int region, List<Seen> registers, long unkept, long copies) {}

    private final Map<Integer, Collector> collectors = new TreeMap<>();

    /** Nothing was seen yet. */
    public SeenRegisters() {}

    /** Reads the trace to its end. */
    public static SeenRegisters of(TraceReader trace) throws TraceException {
        SeenRegisters seen = new SeenRegisters();
        for (TraceEvent event = trace.next(); event != null; event = trace.next()) {
            seen.add(event);
        }
        return seen;
    }

    /** Sees one event more, in their order. */
    public void add(TraceEvent event) {
        switch (event) {
            case TraceEvent.Access access -> access(access);
            case TraceEvent.Reset reset -> collectors.values().forEach(Collector::forget);
            default -> {
                // It touches no register.
            }
        }
    }

    private void access(TraceEvent.Access access) {
        boolean answered = access.status() != null && access.status().isSuccess();
        if (answered && access.region() < Region.COUNT && access.data().complete()) {
            collectors
                    .computeIfAbsent(access.region(), region -> new Collector())
                    .add(access.write(), access.offset(), access.data());
        }
    }

    /** A region that was never accessed has no registers. */
    public InRegion region(int index) {
        Collector collector = collectors.get(index);
        return collector == null
                ? new InRegion(index, List.of(), 0, 0)
                : new InRegion(index, collector.seen(), collector.unkept, collector.copies);
    }

    /** One place as it was accessed, in all widths that began there. */
    private static final class Place {
        int widths;
        long reads;
        long writes;
        final Map<Long, Long> values = new LinkedHashMap<>();
    }

    private static final class Collector {
        final TreeMap<Long, Place> places = new TreeMap<>();
        final Map<Long, Byte> reset = new HashMap<>();

        /** What each byte was last, while nothing was written or reset since. */
        final Map<Long, Byte> last = new HashMap<>();

        final Map<Long, Boolean> written = new HashMap<>();
        final Map<Long, Boolean> changing = new HashMap<>();
        long unkept;
        long copies;

        void add(boolean write, long offset, TraceEvent.Data data) {
            int length = data.kept().length;
            if (length > LONGEST_BYTES || Integer.bitCount(length) != 1 || offset % length != 0) {
                copies++;
                return;
            }
            Place place = places.get(offset);
            if (place == null) {
                if (places.size() >= MOST) {
                    unkept++;
                    return;
                }
                place = new Place();
                places.put(offset, place);
            }
            place.widths |= length;
            place.reads += write ? 0 : 1;
            place.writes += write ? 1 : 0;
            long value = data.value();
            if (place.values.containsKey(value) || place.values.size() < MOST_VALUES) {
                place.values.merge(value, 1L, Long::sum);
            }
            for (int i = 0; i < length; i++) {
                note(write, offset + i, data.kept()[i]);
            }
        }

        private void note(boolean write, long at, byte value) {
            if (write) {
                written.put(at, true);
                last.remove(at);
                return;
            }
            Byte before = last.put(at, value);
            if (before != null && before != value) {
                changing.put(at, true);
            }
            if (!written.containsKey(at)) {
                reset.putIfAbsent(at, value);
            }
        }

        /** A reset changes what it likes. */
        void forget() {
            last.clear();
        }

        List<Seen> seen() {
            List<Seen> registers = new ArrayList<>();
            List<Map.Entry<Long, Place>> group = new ArrayList<>();
            long end = -1;
            for (Map.Entry<Long, Place> place : places.entrySet()) {
                if (place.getKey() >= end) {
                    registers.addAll(joined(group));
                    group.clear();
                }
                group.add(place);
                end = Math.max(end, place.getKey() + longest(place.getValue()));
            }
            registers.addAll(joined(group));
            return registers;
        }

        private static int longest(Place place) {
            return Integer.highestOneBit(place.widths);
        }

        /** One register of places that overlap: what is aligned naturally can only be nested. */
        private List<Seen> joined(List<Map.Entry<Long, Place>> group) {
            if (group.isEmpty()) {
                return List.of();
            }
            long offset = group.getFirst().getKey();
            int size = longest(group.getFirst().getValue());
            int widths = 0;
            long reads = 0;
            long writes = 0;
            Map<Long, Long> values = new LinkedHashMap<>();
            for (Map.Entry<Long, Place> entry : group) {
                Place place = entry.getValue();
                widths |= place.widths;
                reads += place.reads;
                writes += place.writes;
                place.values.forEach((value, times) -> {
                    if (values.containsKey(value) || values.size() < MOST_VALUES) {
                        values.merge(value, times, Long::sum);
                    }
                });
            }
            long known = 0;
            long knownMask = 0;
            boolean changes = false;
            for (int i = 0; i < size; i++) {
                Byte value = reset.get(offset + i);
                if (value != null) {
                    known |= (value & 0xFFL) << (8 * i);
                    knownMask |= 0xFFL << (8 * i);
                }
                changes |= changing.containsKey(offset + i);
            }
            return List.of(
                    new Seen(
                            offset, size, widths, reads, writes, values, known, knownMask,
                            changes));
        }
    }
}
