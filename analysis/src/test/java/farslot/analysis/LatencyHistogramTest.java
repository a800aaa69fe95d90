package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class LatencyHistogramTest {
    private final LatencyHistogram histogram = new LatencyHistogram();

    /** Beside the sorted values themselves. */
    @Property
    void percentilesAreAtMostThreePercentTooHigh(
            @ForAll @Size(min = 1, max = 200) List<@LongRange(min = 0, max = 1L << 40) Long> all,
            @ForAll @LongRange(min = 1, max = 100) long percent) {
        LatencyHistogram first = new LatencyHistogram();
        LatencyHistogram second = new LatencyHistogram();
        for (int i = 0; i < all.size(); i++) {
            (i % 3 == 0 ? first : second).add(all.get(i));
        }
        first.add(second);
        long[] sorted = all.stream().mapToLong(Long::longValue).sorted().toArray();
        long exact = sorted[(int) Math.ceil(percent / 100.0 * sorted.length) - 1];
        long given = first.percentile(percent / 100.0);
        assertTrue(given >= exact && given <= exact * 1.032, given + " for " + exact);
        assertEquals(Arrays.stream(sorted).max().getAsLong(), first.max());
        assertEquals(sorted.length, first.count());
    }

    @Test
    void shouldTakeWhatNobodyExpects() {
        assertEquals(0, histogram.percentile(0.5));
        histogram.add(-1);
        assertEquals(0, histogram.max());
        histogram.add(Long.MAX_VALUE);
        assertEquals(Long.MAX_VALUE, histogram.percentile(1));
    }
}
