package farslot.analysis;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which page of the driver's memory stands for which of a recorded driver's: another run of the
 * same driver has its queues and buffers elsewhere. A page becomes known when the driver gives its
 * address where the recorded one gave the other.
 *
 * <p>Guarded by itself: one thread at a time.
 */
final class AddressNames {
    private static final long PAGE = 4096;
    private static final long IN_PAGE = PAGE - 1;

    /** A queue lies in one piece; nothing that follows a known page by more is taken for it. */
    private static final int MOST_CONTIGUOUS = 64;

    private final Set<Long> recorded = new HashSet<>();
    private final Map<Long, Long> pages = new HashMap<>();

    /** The recorded function reached this memory. */
    void recorded(long address, long length) {
        long last = (address + Math.max(1, length) - 1) & ~IN_PAGE;
        for (long page = address & ~IN_PAGE; page - last <= 0; page += PAGE) {
            recorded.add(page);
        }
    }

    /** Forgets what pages stand for, not which the recorded driver had. */
    void forget() {
        pages.clear();
    }

    /**
     * Takes a number that a driver gave for the recorded one.
     *
     * @param bytes 8, or 4 of a number's lower half
     * @return whether both are the same, or addresses of memory of which one stands for the other
     */
    boolean same(long was, long now, int bytes) {
        boolean address =
                bytes >= 4
                        && was >>> 12 != 0
                        && recorded.contains(was & ~IN_PAGE)
                        && (was & IN_PAGE) == (now & IN_PAGE);
        if (address) {
            pages.put(was & ~IN_PAGE, now & ~IN_PAGE);
        }
        return address || was == now;
    }

    /** Where memory of the recorded driver is now, or -1 where nobody knows. */
    long now(long was) {
        long page = was & ~IN_PAGE;
        for (int back = 0; back < MOST_CONTIGUOUS; back++) {
            Long known = pages.get(page - back * PAGE);
            if (known != null) {
                return known + back * PAGE + (was & IN_PAGE);
            }
        }
        return -1;
    }
}
