package farslot.registers;

import java.util.List;
import java.util.Map;

/**
 * Bits of a register that belong together.
 *
 * @param name as the specification writes it
 * @param low the lowest bit, counted from 0 within the register (within the outer field for a field
 *     of a field)
 * @param high the highest bit, up to 63
 * @param format how they become a number
 * @param rules what happens to them
 * @param values the names of values, in the map's order
 * @param fields its own fields, for {@link FieldType#BITSET}
 * @param variants on which hardware it is there
 */
public record RegisterField(
        String name,
        int low,
        int high,
        FieldFormat format,
        FieldRules rules,
        List<NamedValue> values,
        List<RegisterField> fields,
        Variants variants,
        Doc doc) {

    public RegisterField {
        values = List.copyOf(values);
        fields = List.copyOf(fields);
        if (low < 0 || high < low || high > 63) {
            throw new IllegalArgumentException(
                    "Field " + name + " has the bits " + high + " to " + low + ".");
        }
        if ((rules.resetMask() & ~lowBits(high - low + 1)) != 0) {
            throw new IllegalArgumentException(
                    "Field " + name + " has a reset value for bits that it does not have.");
        }
    }

    /** Bits of which nothing is known but where they are. */
    public static RegisterField unknown(String name, int low, int high) {
        return new RegisterField(
                name,
                low,
                high,
                FieldFormat.of(FieldType.HEX),
                FieldRules.UNKNOWN,
                List.of(),
                List.of(),
                Variants.ALL,
                Doc.NONE);
    }

    /** The same bits under another name. */
    public RegisterField withName(String other) {
        return new RegisterField(other, low, high, format, rules, values, fields, variants, doc);
    }

    public RegisterField withFormat(FieldFormat other) {
        return new RegisterField(name, low, high, other, rules, values, fields, variants, doc);
    }

    public RegisterField withRules(FieldRules other) {
        return new RegisterField(name, low, high, format, other, values, fields, variants, doc);
    }

    public RegisterField withValues(List<NamedValue> other) {
        return new RegisterField(name, low, high, format, rules, other, fields, variants, doc);
    }

    public RegisterField withFields(List<RegisterField> other) {
        return new RegisterField(name, low, high, format, rules, values, other, variants, doc);
    }

    public RegisterField withDoc(Doc other) {
        return new RegisterField(name, low, high, format, rules, values, fields, variants, other);
    }

    public int widthBits() {
        return high - low + 1;
    }

    /** How it is shown. */
    public FieldType type() {
        return format.type();
    }

    /** How many bits the hardware leaves out below. */
    public int shift() {
        return format.shift();
    }

    /** What the driver may do. */
    public RegisterAccess access() {
        return rules.access();
    }

    /** Whether the device changes it without a write. */
    public boolean changesByItself() {
        return rules.changesByItself();
    }

    /** One line of documentation, or "". */
    public String brief() {
        return doc.line();
    }

    /** The field's bits in its register. */
    public long mask() {
        return lowBits(widthBits()) << low;
    }

    /** The field's bits within a register's value, as they are. */
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

    /** The name of a value of this field, or null. A name for all others comes last. */
    public String nameOf(long fieldValue) {
        String other = null;
        for (NamedValue value : values) {
            if (value.names(fieldValue)) {
                if (value.mask() != 0) {
                    return value.name();
                }
                other = other == null ? value.name() : other;
            }
        }
        return other;
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

    /** As it is on the hardware that is chosen ({@link Variants#has}), fields of fields too. */
    RegisterField on(Map<String, String> chosen) {
        List<NamedValue> someValues =
                values.stream().filter(value -> value.variants().has(chosen)).toList();
        List<RegisterField> someFields =
                fields.stream()
                        .filter(field -> field.variants.has(chosen))
                        .map(field -> field.on(chosen))
                        .toList();
        return someValues.equals(values) && someFields.equals(fields)
                ? this
                : withValues(someValues).withFields(someFields);
    }

    static long lowBits(int count) {
        return count >= 64 ? -1L : (1L << count) - 1;
    }
}
