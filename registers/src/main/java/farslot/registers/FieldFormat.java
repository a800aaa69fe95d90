package farslot.registers;

/**
 * How a field's bits become the number that people read: {@code (bits << shift) + add}, and of that
 * {@code fractionBits} behind the point.
 *
 * @param type how it is shown
 * @param shift bits that the hardware leaves out below, 0 to 63 (rules-ng-ng's "shr")
 * @param add what it leaves out otherwise (rules-ng-ng's "add")
 * @param fractionBits of {@link FieldType#FIXED} and {@link FieldType#UFIXED}, 0 to 63
 *     (rules-ng-ng's "radix")
 * @param limits which values make sense
 */
public record FieldFormat(FieldType type, int shift, long add, int fractionBits, Limits limits) {
    /**
     * Which bits of a field make sense, before they are shifted.
     *
     * @param minimum the least, as a signed number for {@link FieldType#INT} and FIXED; null for
     *     none
     * @param maximum the greatest, likewise
     * @param align what they are multiples of; 1 where nothing is said
     */
    public record Limits(Long minimum, Long maximum, long align) {
        /** Every value makes sense. */
        public static final Limits NONE = new Limits(null, null, 1);

        /** "1 to 4", "up to 0x1fff, a multiple of 0x40", or "". */
        @Override
        public String toString() {
            String range =
                    maximum == null
                            ? minimum == null ? "" : "at least " + number(minimum)
                            : minimum == null
                                    ? "up to " + number(maximum)
                                    : number(minimum) + " to " + number(maximum);
            if (align == 1) {
                return range;
            }
            return range + (range.isEmpty() ? "" : ", ") + "a multiple of " + number(align);
        }

        private static String number(long value) {
            return value > -10 && value < 10
                    ? Long.toString(value)
                    : "0x" + Long.toHexString(value);
        }
    }

    public FieldFormat {
        if (shift < 0 || shift > 63 || fractionBits < 0 || fractionBits > 63) {
            throw new IllegalArgumentException("Shifts are 0 to 63, not " + shift + ".");
        }
    }

    /** The bits as they are. */
    public static FieldFormat of(FieldType type) {
        return new FieldFormat(type, 0, 0, 0, Limits.NONE);
    }

    /** Whether negative numbers are meant by high bits. */
    public boolean signed() {
        return type == FieldType.INT || type == FieldType.FIXED;
    }

    /** Whether these bits make sense, of a field as wide as this. */
    public boolean allows(long bits, int widthBits) {
        if (limits.align > 1 && Long.remainderUnsigned(bits, limits.align) != 0) {
            return false;
        }
        int unused = 64 - widthBits;
        long value = signed() ? bits << unused >> unused : bits;
        return (limits.minimum == null || compare(value, limits.minimum) >= 0)
                && (limits.maximum == null || compare(value, limits.maximum) <= 0);
    }

    private int compare(long a, long b) {
        return signed() ? Long.compare(a, b) : Long.compareUnsigned(a, b);
    }
}
