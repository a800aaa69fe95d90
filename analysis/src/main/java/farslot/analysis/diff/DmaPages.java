package farslot.analysis.diff;

import farslot.recorder.TraceEvent;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The pages of the driver's memory that a function reached by DMA, and names for them in the order
 * in which a trace shows them to somebody who does not follow commands. So it shows that the driver
 * gave a register an address, and which it was: the first one, or the one of before.
 *
 * <p>First every event is shown to {@link #touched}, then the trace is read again and asks.
 */
final class DmaPages {
    private static final int PAGE_BITS = 12;
    private static final long PAGE_BYTES = 1L << PAGE_BITS;

    /** Of larger memory the rest is not known. */
    private static final int MAX_PAGES = 1 << 20;

    private final Set<Long> pages = new HashSet<>();

    /** The lower halves of the pages' numbers, for registers that are written half by half. */
    private final Set<Integer> lowHalves = new HashSet<>();

    private final Map<Long, Integer> names = new HashMap<>();
    private boolean full;

    void touched(TraceEvent event) {
        if (!(event instanceof TraceEvent.Dma dma)) {
            return;
        }
        long last = dma.address() + Math.max(1, dma.data().length()) - 1;
        long end = last >>> PAGE_BITS;
        for (long page = dma.address() >>> PAGE_BITS; page <= end; page++) {
            if (pages.size() >= MAX_PAGES) {
                full = true;
                return;
            }
            if (pages.add(page)) {
                lowHalves.add((int) (page << PAGE_BITS));
            }
        }
    }

    /** Whether there were more pages than are known. */
    boolean isFull() {
        return full;
    }

    /** Whether the function reached the page of this address; the first page is no address. */
    boolean isAddress(long value) {
        return Long.compareUnsigned(value, PAGE_BYTES) >= 0 && pages.contains(value >>> PAGE_BITS);
    }

    /** Whether a number of 32 bits is the lower half of such an address. */
    boolean isLowHalf(long value) {
        return value >= PAGE_BYTES && lowHalves.contains((int) (value & -PAGE_BYTES));
    }

    /**
     * The name of an address: a number for its page, by order of appearance. The upper half of an
     * address is not asked, since a register's lower half is written first, and alone.
     */
    int name(long address) {
        long page = (address & 0xFFFF_FFFFL) >>> PAGE_BITS;
        Integer name = names.get(page);
        if (name != null) {
            return name;
        }
        if (names.size() >= MAX_PAGES) {
            return MAX_PAGES + 1;
        }
        names.put(page, names.size() + 1);
        return names.size();
    }

    static long offset(long address) {
        return address & (PAGE_BYTES - 1);
    }

    static String text(int name, long offset) {
        return "memory" + name + (offset == 0 ? "" : "+0x" + Long.toHexString(offset));
    }
}
