package farslot.registers;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A register, or the family of registers that one definition within arrays stands for: element (i,
 * j, ...) is at {@code offset + i * stride(0) + j * stride(1) + ...}.
 *
 * <p>Immutable, so any thread may use it. Nothing here allocates but what returns text or lists.
 */
public final class Register {
    /**
     * An array.
     *
     * @param stride bytes from one element to the next
     * @param length elements
     * @param first what the first is counted as in names
     * @param names what elements are called instead of by number; the rest by number
     */
    record Dimension(long stride, long length, long first, List<String> names) {
        Dimension {
            names = List.copyOf(names);
        }

        String nameOf(long index) {
            return index < names.size() ? names.get((int) index) : Long.toString(first + index);
        }

        /** The element that is called so, or -1. */
        long indexOf(String name, boolean anyCase) {
            for (int i = 0; i < names.size(); i++) {
                String one = names.get(i);
                if (anyCase ? one.equalsIgnoreCase(name) : one.equals(name)) {
                    return i;
                }
            }
            boolean number = DIGITS.matcher(name).matches();
            return number ? Math.max(-1, Long.parseLong(name) - first) : -1;
        }
    }

    /** Where an index goes in a label. */
    private static final Pattern DIGITS = Pattern.compile("\\d{1,18}");

    private static final Pattern INDEX = Pattern.compile("\\{([0-9])}");

    private final String name;
    private final String label;
    private final long offset;
    private final int widthBits;
    private final List<Dimension> dimensions;
    private final long[] strides;
    private final long[] lengths;
    private final RegisterField whole;
    private final ReadEffect readEffect;
    private final Variants variants;

    /** Dimensions by falling stride, so that an offset leaves few indexes to try. */
    private final int[] byStride;

    /** How far the dimensions after the nth of {@link #byStride} reach, the register included. */
    private final long[] reach;

    private final long resetValue;
    private final long resetMask;

    /**
     * @param label the name with {0}, {1}, ... where the indexes go
     * @param dimensions of the arrays it stands in, outermost first
     * @param whole all the register's bits as one field, whose fields are the register's
     */
    Register(
            String name,
            String label,
            long offset,
            int widthBits,
            List<Dimension> dimensions,
            RegisterField whole,
            ReadEffect readEffect,
            Variants variants) {
        if (widthBits != 8 && widthBits != 16 && widthBits != 32 && widthBits != 64) {
            throw new IllegalArgumentException(
                    "Register " + name + " has " + widthBits + " bits, not 8, 16, 32 or 64.");
        }
        this.name = name;
        this.label = label;
        this.offset = offset;
        this.widthBits = widthBits;
        this.dimensions = List.copyOf(dimensions);
        this.strides = dimensions.stream().mapToLong(Dimension::stride).toArray();
        this.lengths = dimensions.stream().mapToLong(Dimension::length).toArray();
        this.whole = whole;
        this.readEffect = readEffect;
        this.variants = variants;
        this.byStride = orderByFallingStride(strides);
        this.reach = new long[strides.length + 1];
        reach[strides.length] = widthBytes();
        for (int n = strides.length - 1; n >= 0; n--) {
            int d = byStride[n];
            reach[n] = Math.addExact(reach[n + 1], Math.multiplyExact(strides[d], lengths[d] - 1));
        }
        Math.addExact(offset, reach[0]);
        long value = whole.rules().reset();
        long known = whole.rules().resetMask();
        for (RegisterField field : whole.fields()) {
            long itsBits = field.rules().resetMask() << field.low();
            value = (value & ~itsBits) | (field.rules().reset() << field.low());
            known |= itsBits;
        }
        this.resetValue = value;
        this.resetMask = known;
    }

    /** The name without indexes; within arrays and named stripes, their names and dots first. */
    public String name() {
        return name;
    }

    /** The byte offset of the register, or of its first element, in its domain. */
    public long offset() {
        return offset;
    }

    public int widthBits() {
        return widthBits;
    }

    public int widthBytes() {
        return widthBits / 8;
    }

    /**
     * A register of its own.
     *
     * @param offset in bytes
     * @param whole its name and all its bits, from 0 on: 8, 16, 32 or 64
     */
    public static Register of(long offset, RegisterField whole, ReadEffect readEffect) {
        return new Register(
                whole.name(),
                whole.name(),
                offset,
                whole.widthBits(),
                List.of(),
                whole,
                readEffect,
                Variants.ALL);
    }

    /** In how many arrays this definition stands; 0 for a single register. */
    public int dimensions() {
        return strides.length;
    }

    /** The distance in bytes between neighbours of a dimension, outermost first. */
    public long stride(int dimension) {
        return strides[dimension];
    }

    /** What one element of a dimension is called in names: mostly its number. */
    public String indexName(int dimension, long index) {
        return dimensions.get(dimension).nameOf(index);
    }

    /** The number of elements of a dimension. */
    public long length(int dimension) {
        return lengths[dimension];
    }

    /** The offset of one element. */
    public long offset(long... indexes) {
        if (indexes.length != strides.length) {
            throw new IllegalArgumentException(
                    "Register " + name + " takes " + strides.length + " indexes.");
        }
        long at = offset;
        for (int d = 0; d < strides.length; d++) {
            at += strides[d] * Objects.checkIndex(indexes[d], lengths[d]);
        }
        return at;
    }

    /** One past the last byte of the last element. */
    public long endOffset() {
        return offset + reach[0];
    }

    /** The offset of the element that holds the byte at {@code at}, or -1. */
    public long elementStart(long at) {
        long within = at < offset ? -1 : locate(at - offset, 0, null);
        return within < 0 ? -1 : offset + within;
    }

    /** The index in one dimension of the element that holds the byte at {@code at}, or -1. */
    public long index(int dimension, long at) {
        if (strides.length == 1 && at >= offset) { // the common case allocates nothing
            long i = locate(at - offset, 0, null);
            return i < 0 ? -1 : i / strides[0];
        }
        long[] indexes = new long[strides.length];
        return at < offset || locate(at - offset, 0, indexes) < 0 ? -1 : indexes[dimension];
    }

    /** The name of the element that holds the byte at {@code at}, as in "SQ1TDBL". */
    public String nameAt(long at) {
        if (strides.length == 0) {
            return label;
        }
        long[] indexes = new long[strides.length];
        if (at < offset || locate(at - offset, 0, indexes) < 0) {
            return name;
        }
        String text = label;
        for (int d = 0; d < indexes.length; d++) {
            text = text.replace("{" + d + "}", dimensions.get(d).nameOf(indexes[d]));
        }
        return text;
    }

    /**
     * The offset of the element with this name, as {@link #nameAt} gives it, or -1.
     *
     * @param anyCase whether "sq1tdbl" is "SQ1TDBL"
     */
    public long elementNamed(String wanted, boolean anyCase) {
        int brace = strides.length == 0 ? -1 : label.indexOf('{');
        int plain = brace < 0 ? label.length() : brace;
        if (!wanted.regionMatches(anyCase, 0, label, 0, plain)) {
            return -1;
        }
        StringBuilder pattern = new StringBuilder();
        int[] dimensionOf = new int[strides.length];
        int groups = 0;
        int from = 0;
        Matcher place = INDEX.matcher(label);
        while (strides.length > 0 && place.find()) {
            int dimension = Integer.parseInt(place.group(1));
            if (dimension >= strides.length || groups == strides.length) {
                return -1;
            }
            dimensionOf[groups++] = dimension;
            pattern.append(Pattern.quote(label.substring(from, place.start())))
                    .append(dimensions.get(dimension).names.isEmpty() ? "(\\d{1,18})" : "(.+?)");
            from = place.end();
        }
        pattern.append(Pattern.quote(label.substring(from)));
        Matcher name =
                Pattern.compile(pattern.toString(), anyCase ? Pattern.CASE_INSENSITIVE : 0)
                        .matcher(wanted);
        if (groups < strides.length || !name.matches()) {
            return -1;
        }
        long at = offset;
        for (int group = 0; group < groups; group++) {
            int dimension = dimensionOf[group];
            long index = dimensions.get(dimension).indexOf(name.group(group + 1), anyCase);
            if (index < 0 || index >= lengths[dimension]) {
                return -1;
            }
            at += strides[dimension] * index;
        }
        return at;
    }

    /** All bits as one field: its type and values are the register's. */
    public RegisterField whole() {
        return whole;
    }

    /** The fields, in the map's order; none for a plain number. */
    public List<RegisterField> fields() {
        return whole.fields();
    }

    /**
     * The field with this name.
     *
     * @throws IllegalArgumentException where there is none: a device's own map is at fault
     */
    public RegisterField field(String fieldName) {
        for (RegisterField field : whole.fields()) {
            if (field.name().equals(fieldName)) {
                return field;
            }
        }
        throw new IllegalArgumentException(
                "Register " + name + " has no field named " + fieldName + ".");
    }

    /** What the driver may do where no field says otherwise. */
    public RegisterAccess access() {
        return whole.access();
    }

    /** Whether a viewer may read it. */
    public ReadEffect readEffect() {
        return readEffect;
    }

    /** One line of documentation, or "". */
    public String brief() {
        return whole.brief();
    }

    /** All that the map says of it in words. */
    public Doc doc() {
        return whole.doc();
    }

    /** The value after a reset, 0 where the map does not say ({@link #resetKnownMask}). */
    public long resetValue() {
        return resetValue;
    }

    /** The bits whose value after a reset the map says. */
    public long resetKnownMask() {
        return resetMask;
    }

    /**
     * The bits with one access. With fields, each bit has its field's; bits in no field are
     * reserved. Fields of fields are not asked.
     */
    public long mask(RegisterAccess wanted) {
        if (whole.fields().isEmpty()) {
            return whole.access() == wanted ? whole.mask() : 0;
        }
        long mask = 0;
        long inFields = 0;
        for (RegisterField field : whole.fields()) {
            inFields |= field.mask();
            if (field.access() == wanted) {
                mask |= field.mask();
            }
        }
        return wanted == RegisterAccess.RSVD ? mask | (whole.mask() & ~inFields) : mask;
    }

    /** The bits of which only the first write after a reset counts. */
    public long writeOnceMask() {
        long mask = whole.rules().writeOnce() ? whole.mask() : 0;
        for (RegisterField field : whole.fields()) {
            mask |= field.rules().writeOnce() ? field.mask() : 0;
        }
        return mask;
    }

    /** On which hardware it is there. */
    public Variants variants() {
        return variants;
    }

    /** Registers are equal where all that a map says of them is. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Register that
                && offset == that.offset
                && widthBits == that.widthBits
                && name.equals(that.name)
                && label.equals(that.label)
                && dimensions.equals(that.dimensions)
                && whole.equals(that.whole)
                && readEffect == that.readEffect
                && variants.equals(that.variants);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, offset, widthBits);
    }

    @Override
    public String toString() {
        return name + "@0x" + Long.toHexString(offset);
    }

    /** As it is on the hardware that is chosen ({@link Variants#has}). */
    Register on(Map<String, String> chosen) {
        RegisterField some = whole.on(chosen);
        return some.equals(whole)
                ? this
                : new Register(
                        name, label, offset, widthBits, dimensions, some, readEffect, variants);
    }

    List<Dimension> allDimensions() {
        return dimensions;
    }

    /** The name with {0}, {1}, ... where the indexes go. */
    public String label() {
        return label;
    }

    /** The same register elsewhere and under a longer name, for maps that are joined. */
    Register moved(String prefix, long by) {
        return new Register(
                prefix + name,
                prefix + label,
                Math.addExact(offset, by),
                widthBits,
                dimensions,
                whole.withName(prefix + name),
                readEffect,
                variants);
    }

    /** How many registers this definition stands for; the greatest number where they are more. */
    public long elements() {
        long count = 1;
        for (long length : lengths) {
            count = count > Long.MAX_VALUE / length ? Long.MAX_VALUE : count * length;
        }
        return count;
    }

    /** How many indexes a lookup may have to try, in all dimensions together. */
    double lookupCost() {
        double cost = 1;
        for (int n = 0; n < strides.length; n++) {
            int d = byStride[n];
            double tries = Math.min((double) lengths[d], (double) reach[n + 1] / strides[d] + 1);
            cost *= Math.max(1, tries);
        }
        return cost;
    }

    private long locate(long rest, int n, long[] indexes) {
        if (n == byStride.length) {
            return rest < widthBytes() ? 0 : -1;
        }
        int d = byStride[n];
        long stride = strides[d];
        long last = Math.min(lengths[d] - 1, rest / stride);
        long first = rest < reach[n + 1] ? 0 : (rest - reach[n + 1]) / stride + 1;
        for (long i = last; i >= first; i--) {
            long inner = locate(rest - i * stride, n + 1, indexes);
            if (inner >= 0) {
                if (indexes != null) {
                    indexes[d] = i;
                }
                return i * stride + inner;
            }
        }
        return -1;
    }

    private static int[] orderByFallingStride(long[] strides) {
        Integer[] order = new Integer[strides.length];
        Arrays.setAll(order, d -> d);
        Arrays.sort(order, (a, b) -> Long.compare(strides[b], strides[a]));
        int[] result = new int[order.length];
        Arrays.setAll(result, n -> order[n]);
        return result;
    }
}
