package farslot.analysis;

import java.util.Arrays;

/**
 * How long things took, in buckets that grow with the value: 32 for each power of two, so that a
 * percentile is at most 3 % too high. Takes room for what was seen only: 2 KiB where nothing took
 * longer than 4 µs.
 *
 * <p>For one thread at a time.
 */
final class LatencyHistogram {
    /** Buckets for each power of two, as a power of two. */
    private static final int FINE_BITS = 5;

    private static final int FINE = 1 << FINE_BITS;

    private long[] counts = new long[0];
    private long count;
    private long max;

    /**
     * Counts one.
     *
     * @param nanos from 0; less counts as 0
     */
    void add(long nanos) {
        long value = Math.max(0, nanos);
        int bucket = bucket(value);
        if (bucket >= counts.length) {
            counts = Arrays.copyOf(counts, bucket + FINE);
        }
        counts[bucket]++;
        count++;
        max = Math.max(max, value);
    }

    void add(LatencyHistogram other) {
        if (other.counts.length > counts.length) {
            counts = Arrays.copyOf(counts, other.counts.length);
        }
        for (int bucket = 0; bucket < other.counts.length; bucket++) {
            counts[bucket] += other.counts[bucket];
        }
        count += other.count;
        max = Math.max(max, other.max);
    }

    long count() {
        return count;
    }

    /** The largest that was counted, exactly. */
    long max() {
        return max;
    }

    /**
     * The value that this share of all did not exceed, at most 3 % too high; 0 where there are
     * none.
     *
     * @param share from 0 to 1
     */
    long percentile(double share) {
        long wanted = Math.max(1, (long) Math.ceil(share * count));
        long seen = 0;
        for (int bucket = 0; bucket < counts.length; bucket++) {
            seen += counts[bucket];
            if (seen >= wanted) {
                return Math.min(max, highest(bucket));
            }
        }
        return max;
    }

    /** Values below 64 have a bucket each. */
    private static int bucket(long value) {
        int power = Long.SIZE - 1 - Long.numberOfLeadingZeros(value | FINE);
        int shift = power - FINE_BITS;
        return (shift << FINE_BITS) + (int) (value >>> shift);
    }

    /** The largest value of a bucket. */
    private static long highest(int bucket) {
        int shift = Math.max(0, (bucket >>> FINE_BITS) - 1);
        long fine = bucket - ((long) shift << FINE_BITS);
        return ((fine + 1) << shift) - 1;
    }
}
