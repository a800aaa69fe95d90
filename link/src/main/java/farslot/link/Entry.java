package farslot.link;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One function that a lender offers, as {@code farslot list} shows it.
 *
 * @param name what {@link Wish} names
 * @param kind "nvme", "edu"
 * @param summary one line for people
 * @param generation the function's current one
 * @param borrower who has it, or empty where it is free
 * @param sinceMillis since when, in milliseconds since 1970 UTC; 0 where it is free
 * @param details what else the lender wants to show, in its order
 */
public record Entry(
        String name,
        String kind,
        String summary,
        int generation,
        String borrower,
        long sinceMillis,
        Map<String, String> details) {
    public Entry {
        details = Collections.unmodifiableMap(new LinkedHashMap<>(details));
    }

    public boolean taken() {
        return !borrower.isEmpty();
    }
}
