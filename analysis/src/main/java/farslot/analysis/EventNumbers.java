package farslot.analysis;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/** A set of events by their numbers, a bit each where they are dense. */
final class EventNumbers {
    private static final int PAGE_BITS = 16;
    private static final int IN_PAGE = (1 << PAGE_BITS) - 1;

    private final Map<Long, BitSet> pages = new HashMap<>();

    void add(long number) {
        pages.computeIfAbsent(number >>> PAGE_BITS, page -> new BitSet())
                .set((int) number & IN_PAGE);
    }

    boolean contains(long number) {
        BitSet page = pages.get(number >>> PAGE_BITS);
        return page != null && page.get((int) number & IN_PAGE);
    }
}
