package farslot.registers;

/**
 * A value of a field that has a name ({@code <value>} in rules-ng-ng, {@code <enumeratedValue>} in
 * CMSIS-SVD).
 *
 * @param value the bits, of which those outside of {@code mask} are 0
 * @param mask the bits that count; 0 for the name of all values that have no other
 * @param variants on which hardware it means this
 */
public record NamedValue(long value, long mask, String name, Variants variants, Doc doc) {
    /** The name of one value. */
    public static NamedValue of(long value, String name) {
        return new NamedValue(value, -1, name, Variants.ALL, Doc.NONE);
    }

    /** Whether it names this value of a field. */
    public boolean names(long fieldValue) {
        return (fieldValue & mask) == value;
    }

    /** One line of documentation, or "". */
    public String brief() {
        return doc.line();
    }
}
