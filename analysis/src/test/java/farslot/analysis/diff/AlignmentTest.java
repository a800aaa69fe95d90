package farslot.analysis.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AlignmentTest {
    private static int[] align(long[] a, long[] b) {
        int[] match = new int[a.length];
        Arrays.fill(match, -1);
        Alignment.align(a, 0, a.length, b, 0, b.length, match);
        int last = -1;
        for (int i = 0; i < match.length; i++) {
            if (match[i] >= 0) {
                assertEquals(a[i], b[match[i]], "a pair is equal");
                assertTrue(match[i] > last, "pairs are in order");
                last = match[i];
            }
        }
        return match;
    }

    private static long paired(int[] match) {
        return Arrays.stream(match).filter(partner -> partner >= 0).count();
    }

    private static long[] numbers(Random random, int count, int different) {
        return random.longs(count, 0, different).toArray();
    }

    private static int longestCommon(long[] a, long[] b) {
        int[][] best = new int[a.length + 1][b.length + 1];
        for (int i = 1; i <= a.length; i++) {
            for (int j = 1; j <= b.length; j++) {
                best[i][j] =
                        a[i - 1] == b[j - 1]
                                ? best[i - 1][j - 1] + 1
                                : Math.max(best[i - 1][j], best[i][j - 1]);
            }
        }
        return best[a.length][b.length];
    }

    @Property(tries = 500)
    void shouldPairTheSameWhicheverComesFirst(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 60) int different) {
        Random random = new Random(seed);
        long[] a = numbers(random, random.nextInt(80), different);
        long[] b = numbers(random, random.nextInt(80), different);
        int[] there = align(a, b);
        int[] back = align(b, a);
        for (int i = 0; i < there.length; i++) {
            if (there[i] >= 0) {
                assertEquals(i, back[there[i]]);
            }
        }
        assertEquals(paired(there), paired(back));
    }

    /** Without anything unique Myers alone works, whose pairing is a longest one. */
    @Property(tries = 500)
    void shouldFindALongestPairingWhereNothingIsUnique(@ForAll long seed) {
        Random random = new Random(seed);
        long[] a = numbers(random, 20 + random.nextInt(60), 4);
        long[] b = numbers(random, 20 + random.nextInt(60), 4);
        assertEquals(longestCommon(a, b), paired(align(a, b)));
    }

    @Property(tries = 100)
    void shouldFindEditsBetweenUniqueNumbers(@ForAll long seed) {
        Random random = new Random(seed);
        long[] a = numbers(random, 2000, Integer.MAX_VALUE);
        long[] b = new long[2100];
        int count = 0;
        int kept = 0;
        for (long value : a) {
            int edit = random.nextInt(60);
            if (edit == 0) {
                b[count++] = -1L - random.nextInt(3);
            }
            if (edit != 1) {
                b[count++] = value;
                kept++;
            }
        }
        assertTrue(paired(align(a, Arrays.copyOf(b, count))) >= kept);
    }

    @Test
    void shouldEndSoonWhereLittleIsAlike() {
        Random random = new Random(3);
        long[] a = numbers(random, 60_000, 3);
        long[] b = numbers(random, 60_000, 3);
        assertTrue(paired(align(a, b)) > 30_000);
        align(numbers(random, 60_000, 1000), numbers(random, 60_000, 1000));
        long[] none = random.longs(60_000, 5000, 6000).toArray();
        assertEquals(0, paired(align(a, none)));
    }

    @Test
    void shouldPairAllOfTheSame() {
        long[] a = numbers(new Random(1), 100_000, 50);
        assertEquals(a.length, paired(align(a, a.clone())));
        assertEquals(0, paired(align(a, new long[0])));
        long[] moved = Arrays.copyOfRange(a, 1000, a.length);
        assertEquals(moved.length, paired(align(a, moved)));
    }
}
