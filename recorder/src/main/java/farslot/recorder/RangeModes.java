package farslot.recorder;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/**
 * The modes of a function's address ranges, ready to be asked at each access. They do not change;
 * other modes are another object.
 *
 * <p>Any thread may call.
 */
final class RangeModes {
    /**
     * A region, cut into pieces that each have one mode.
     *
     * @param starts of the pieces, in ascending order, the first 0
     * @param counts of those in the mode "count", else null
     */
    @SuppressWarnings("ArrayRecordComponent") // within this class only
    private record Pieces(long[] starts, RangeMode.Mode[] modes, RangeCount[] counts) {}

    private final Pieces[] regions = new Pieces[Region.COUNT];

    /**
     * @param description of the function, for where its regions end
     * @param counts that there are already; those that are new are added
     */
    RangeModes(List<RangeMode> ranges, FunctionDescription description, List<RangeCount> counts) {
        for (int region = 0; region < Region.COUNT; region++) {
            int index = region;
            List<RangeMode> here =
                    ranges.stream()
                            .filter(range ->
                                    range.region() == index
                                            || range.region() == RangeMode.ALL_REGIONS)
                            .toList();
            Region described = description.region(region).orElse(null);
            if (!here.isEmpty() && described != null) {
                regions[region] = pieces(here, described, counts);
            }
        }
    }

    private static Pieces pieces(List<RangeMode> ranges, Region region, List<RangeCount> counts) {
        TreeSet<Long> bounds = new TreeSet<>(List.of(0L));
        for (RangeMode range : ranges) {
            bounds.add(range.first());
            if (range.last() < Long.MAX_VALUE) {
                bounds.add(range.last() + 1);
            }
        }
        long[] starts = bounds.stream().mapToLong(Long::longValue).toArray();
        RangeMode.Mode[] modes = new RangeMode.Mode[starts.length];
        Arrays.fill(modes, RangeMode.Mode.RECORD);
        RangeCount[] counted = new RangeCount[starts.length];
        for (RangeMode range : ranges) {
            boolean counting = range.mode() == RangeMode.Mode.COUNT;
            RangeCount count = counting ? RangeCount.of(range, region, counts) : null;
            for (int piece = 0; piece < starts.length; piece++) {
                if (starts[piece] >= range.first() && starts[piece] <= range.last()) {
                    modes[piece] = range.mode();
                    counted[piece] = count;
                }
            }
        }
        return new Pieces(starts, modes, counted);
    }

    /** The most of the modes of the bytes of an access, which is counted where that is "count". */
    RangeMode.Mode of(boolean write, int region, long offset, long length) {
        Pieces pieces = regions[region & (Region.COUNT - 1)];
        if (pieces == null || offset < 0) {
            return RangeMode.Mode.RECORD;
        }
        int first = Arrays.binarySearch(pieces.starts, offset);
        int piece = first >= 0 ? first : -first - 2;
        RangeMode.Mode most = pieces.modes[piece];
        int counted = piece;
        for (piece++; piece < pieces.starts.length && pieces.starts[piece] < offset + length; ) {
            if (pieces.modes[piece].compareTo(most) > 0) {
                most = pieces.modes[piece];
                counted = piece;
            }
            piece++;
        }
        if (most == RangeMode.Mode.COUNT) {
            pieces.counts[counted].add(write);
        }
        return most;
    }
}
