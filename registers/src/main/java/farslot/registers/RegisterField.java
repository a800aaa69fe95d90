package farslot.registers;

import java.util.List;

/**
 * Bits of a register that belong together.
 *
 * @param name as the specification writes it
 * @param low the lowest bit, counted from 0 within the register (within the outer field for a field
 *     of a field)
 * @param high the highest bit, up to 63
 * @param type how it is shown
 * @param shift the value is that of the bits shifted left by this many (rules-ng-ng's "shr")
 * @param access what the driver may do; {@link RegisterAccess#UNKNOWN} where the map does not say
 * @param writeOnce whether only the first write after a reset counts
 * @param changesByItself whether the device changes it without a write ("volatile")
 * @param resetKnown whether the map says the value after a reset
 * @param reset that value, not shifted to the field's place
 * @param values the names of its values, in the map's order
 * @param fields its own fields, for {@link FieldType#BITSET}
 * @param brief one line of documentation, or ""
 */
public record RegisterField(
        String name,
        int low,
        int high,
        FieldType type,
        int shift,
        RegisterAccess access,
        boolean writeOnce,
        boolean changesByItself,
        boolean resetKnown,
        long reset,
        List<NamedValue> values,
        List<RegisterField> fields,
        String brief) {

    public RegisterField {
        values = List.copyOf(values);
        fields = List.copyOf(fields);
        if (low < 0 || high < low || high > 63) {
            throw new IllegalArgumentException(
                    "Field " + name + " has the bits " + high + " to " + low + ".");
        }
    }

    public int widthBits() {
        return high - low + 1;
    }

    /** The field's bits in its register. */
    public long mask() {
        return lowBits(widthBits()) << low;
    }

    /** The field's value within a register's, not {@link #shift shifted}. */
    public long get(long registerValue) {
        return (registerValue >>> low) & lowBits(widthBits());
    }

    /**
     * A register's value with this field set to {@code fieldValue}, of which bits that do not fit
     * are dropped.
     */
    public long set(long registerValue, long fieldValue) {
        return (registerValue & ~mask()) | ((fieldValue << low) & mask());
    }

    public boolean isSet(long registerValue) {
        return get(registerValue) != 0;
    }

    /** The name of a value of this field, or null. */
    public String nameOf(long fieldValue) {
        for (NamedValue value : values) {
            if (value.value() == fieldValue) {
                return value.name();
            }
        }
        return null;
    }

    /** The value with this name. */
    public long value(String valueName) {
        for (NamedValue value : values) {
            if (value.name().equals(valueName)) {
                return value.value();
            }
        }
        throw new IllegalArgumentException(
                "Field " + name + " has no value named " + valueName + ".");
    }

    /** The same bits under another name. */
    RegisterField renamed(String newName) {
        return new RegisterField(
                newName,
                low,
                high,
                type,
                shift,
                access,
                writeOnce,
                changesByItself,
                resetKnown,
                reset,
                values,
                fields,
                brief);
    }

    static long lowBits(int count) {
        return count >= 64 ? -1L : (1L << count) - 1;
    }
}
