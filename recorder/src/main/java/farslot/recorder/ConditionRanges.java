package farslot.recorder;

import farslot.recorder.Expression.Comparison;
import java.util.List;

/**
 * The values that a comparison holds for, as ranges of unsigned 64-bit numbers.
 *
 * <p>Immutable. Asking allocates nothing.
 */
final class ConditionRanges {
    static final ConditionRanges NOT_ZERO = new ConditionRanges(new long[] {1, -1});

    /** The smallest and the largest value of each range. */
    private final long[] bounds;

    private ConditionRanges(long... bounds) {
        this.bounds = bounds;
    }

    static ConditionRanges of(long low, long high) {
        return new ConditionRanges(low, high);
    }

    /** All of several, each as smallest and largest value. */
    static ConditionRanges of(List<long[]> ranges) {
        return new ConditionRanges(
                ranges.stream().flatMapToLong(java.util.Arrays::stream).toArray());
    }

    static ConditionRanges of(Comparison comparison, long value) {
        return switch (comparison) {
            case EQUAL -> of(value, value);
            case NOT_EQUAL -> around(value);
            case LESS -> value == 0 ? new ConditionRanges() : of(0, value - 1);
            case AT_MOST -> of(0, value);
            case GREATER -> value == -1 ? new ConditionRanges() : of(value + 1, -1);
            case AT_LEAST -> of(value, -1);
            case HOLDS, IN, CONTAINS -> throw new IllegalArgumentException(comparison.symbol);
        };
    }

    private static ConditionRanges around(long value) {
        if (value == 0) {
            return NOT_ZERO;
        }
        return value == -1 ? of(0, -2) : new ConditionRanges(0, value - 1, value + 1, -1);
    }

    /** Whether any value from {@code low} to {@code high} is in a range. */
    boolean meets(long low, long high) {
        for (int i = 0; i < bounds.length; i += 2) {
            if (Long.compareUnsigned(low, bounds[i + 1]) <= 0
                    && Long.compareUnsigned(bounds[i], high) <= 0) {
                return true;
            }
        }
        return false;
    }

    boolean has(long value) {
        return meets(value, value);
    }
}
