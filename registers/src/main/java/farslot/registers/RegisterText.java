package farslot.registers;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.function.LongFunction;

/**
 * Makes text of an access: the register's name, and its value's fields.
 *
 * <p>An access to exactly one register is named by it ("CC"); to a part of one by the bits
 * ("CAP[63:32]"); to several by all of them ("VENDOR,DEVICE"), up to four; one that begins within a
 * register and leaves it says so ("CAP+4,VS"). What no register holds is its offset ("0x1f0"). Of a
 * long access only what its first 64 bytes reach counts.
 */
public final class RegisterText {
    private static final int MAX_NAMES = 4;

    /** What lies further behind an access's beginning is not looked for. */
    private static final int MAX_NAMED_BYTES = 64;

    private RegisterText() {}

    /**
     * The name of what an access reaches.
     *
     * @param domain the region's registers, or null where there is no map
     * @param offset of the first byte
     * @param lengthBytes at least 1
     */
    public static String name(RegisterDomain domain, long offset, long lengthBytes) {
        StringBuilder text = new StringBuilder();
        appendName(text, domain, offset, lengthBytes);
        return text.toString();
    }

    /** Appends {@link #name}. */
    public static void appendName(
            StringBuilder text, RegisterDomain domain, long offset, long lengthBytes) {
        Register first = domain == null ? null : domain.find(offset);
        if (first == null) {
            text.append("0x").append(Long.toHexString(offset));
        } else {
            appendFirst(text, first, offset, lengthBytes);
        }
        if (domain != null) {
            appendOthers(text, domain, first, offset, lengthBytes);
        }
    }

    private static void appendFirst(
            StringBuilder text, Register register, long offset, long lengthBytes) {
        long start = register.elementStart(offset);
        long end = start + register.widthBytes();
        text.append(register.nameAt(offset));
        if (offset + lengthBytes > end) {
            if (offset > start) {
                text.append('+').append(offset - start);
            }
        } else if (offset > start || offset + lengthBytes < end) {
            long lowBit = (offset - start) * 8;
            text.append('[')
                    .append(lowBit + lengthBytes * 8 - 1)
                    .append(':')
                    .append(lowBit)
                    .append(']');
        }
    }

    private static void appendOthers(
            StringBuilder text,
            RegisterDomain domain,
            Register first,
            long offset,
            long lengthBytes) {
        long at = first == null ? offset + 1 : first.elementStart(offset) + first.widthBytes();
        int names = 1;
        while (at < offset + Math.min(lengthBytes, MAX_NAMED_BYTES)) {
            Register next = domain.find(at);
            if (next == null) {
                at++;
                continue;
            }
            if (names++ == MAX_NAMES || lengthBytes > MAX_NAMED_BYTES) {
                text.append(",...");
                return;
            }
            long end = next.elementStart(at) + next.widthBytes();
            text.append(',');
            appendFirst(text, next, at, Math.min(end, offset + lengthBytes) - at);
            at = end;
        }
    }

    /**
     * Appends what the value means: "EN=1 CSS=NVM MPS=0", nothing where the name says all.
     *
     * @param lengthBytes 1 to 8
     * @param value the bytes as a little-endian number
     */
    public static void appendFields(
            StringBuilder text, RegisterDomain domain, long offset, int lengthBytes, long value) {
        if (domain == null) {
            return;
        }
        int before = text.length();
        boolean several = false;
        long at = offset;
        while (at < offset + lengthBytes) {
            Register register = domain.find(at);
            if (register == null) {
                at++;
                continue;
            }
            long start = register.elementStart(at);
            long end = start + register.widthBytes();
            int lowBit = (int) (at - start) * 8;
            int bits = (int) (Math.min(end, offset + lengthBytes) - at) * 8;
            several |= at > offset || end < offset + lengthBytes;
            int from = text.length();
            long part = (value >>> ((at - offset) * 8)) & RegisterField.lowBits(bits);
            appendRegister(text, register, lowBit, bits, part);
            if (several && text.length() > from) {
                text.insert(from, (from > before ? "; " : "") + register.nameAt(at) + ": ");
            }
            at = end;
        }
    }

    /**
     * Appends how a value changed from one access to the next: "RDY 0 → 1", with the whole value
     * where no field has a name ("0x0 → 0x5").
     *
     * @param lengthBytes 1 to 8
     * @param values at least one, in their order
     */
    public static void appendChanges(
            StringBuilder text,
            RegisterDomain domain,
            long offset,
            int lengthBytes,
            long... values) {
        int before = text.length();
        long at = offset;
        while (at < offset + lengthBytes) {
            Register register = domain == null ? null : domain.find(at);
            if (register == null) {
                at++;
                continue;
            }
            long start = register.elementStart(at);
            long end = start + register.widthBytes();
            int lowBit = (int) (at - start) * 8;
            int bits = (int) (Math.min(end, offset + lengthBytes) - at) * 8;
            int shift = (int) (at - offset) * 8;
            long[] parts =
                    Arrays.stream(values)
                            .map(value -> value >>> shift & RegisterField.lowBits(bits))
                            .toArray();
            int from = text.length();
            appendRegisterChanges(text, register, lowBit, bits, parts);
            boolean several = at > offset || end < offset + lengthBytes;
            if (several && text.length() > from) {
                text.insert(from, (from > before ? "; " : "") + register.nameAt(at) + ": ");
            }
            at = end;
        }
        if (text.length() == before) {
            appendSequence(text, value -> "0x" + Long.toHexString(value), values);
        }
    }

    private static void appendRegisterChanges(
            StringBuilder text, Register register, int lowBit, int bits, long[] parts) {
        RegisterField whole = register.whole();
        if (whole.type() != FieldType.BITSET) {
            if (bits == register.widthBits() && changes(parts, -1)) {
                appendSequence(text, value -> valueText(whole, value), parts);
            }
            return;
        }
        long seen = RegisterField.lowBits(bits) << lowBit;
        long[] values = Arrays.stream(parts).map(part -> part << lowBit).toArray();
        long rest = seen;
        String separator = "";
        for (RegisterField field : whole.fields()) {
            rest &= ~field.mask();
            if ((field.mask() & ~seen) == 0 && changes(values, field.mask())) {
                text.append(separator).append(field.name()).append(' ');
                appendSequence(text, value -> valueText(field, field.get(value)), values);
                separator = ", ";
            }
        }
        long unnamed = rest;
        if (changes(values, unnamed)) {
            text.append(separator).append("? ");
            appendSequence(text, value -> "0x" + Long.toHexString(value & unnamed), values);
        }
    }

    private static boolean changes(long[] values, long mask) {
        return Arrays.stream(values).anyMatch(value -> ((value ^ values[0]) & mask) != 0);
    }

    private static void appendSequence(
            StringBuilder text, LongFunction<String> shown, long[] values) {
        String last = null;
        for (long value : values) {
            String next = shown.apply(value);
            if (!next.equals(last)) {
                text.append(last == null ? "" : " → ").append(next);
                last = next;
            }
        }
    }

    private static String valueText(RegisterField field, long value) {
        StringBuilder text = new StringBuilder();
        appendValue(text, field, value);
        return text.toString();
    }

    /** The bits [lowBit, lowBit + bits) of a register, whose value is {@code part}. */
    private static void appendRegister(
            StringBuilder text, Register register, int lowBit, int bits, long part) {
        RegisterField whole = register.whole();
        if (whole.type() != FieldType.BITSET) {
            boolean all = bits == register.widthBits();
            if (all && !isPlain(whole.format())) {
                appendValue(text, whole, part);
            }
            return;
        }
        appendBits(text, whole, RegisterField.lowBits(bits) << lowBit, part << lowBit);
    }

    /** Whether the value, which is shown beside, says all. */
    private static boolean isPlain(FieldFormat format) {
        return format.type() == FieldType.HEX && format.shift() == 0 && format.add() == 0;
    }

    /**
     * Appends what is known of a register's value: as {@link #appendFields}, without the fields of
     * which a bit is not known.
     *
     * @param known the bits of {@code value} that are
     */
    public static void appendKnown(StringBuilder text, Register register, long known, long value) {
        RegisterField whole = register.whole();
        if (whole.type() == FieldType.BITSET) {
            appendBits(text, whole, known, value);
        } else if ((whole.mask() & ~known) == 0) {
            appendRegister(text, register, 0, register.widthBits(), value);
        }
    }

    /** A field's value as {@link #appendFields} has it: "NVM", "63", "0x1000". */
    public static String value(RegisterField field, long registerValue) {
        StringBuilder text = new StringBuilder();
        appendValue(text, field, field.get(registerValue));
        return text.toString();
    }

    /**
     * @param seen the bits of {@code value} that count
     */
    private static void appendBits(StringBuilder text, RegisterField outer, long seen, long value) {
        long known = 0;
        boolean first = true;
        for (RegisterField field : outer.fields()) {
            if ((field.mask() & ~seen) != 0) {
                continue; // not all of it was in this access
            }
            known |= field.mask();
            if (field.access() == RegisterAccess.RSVD && !field.isSet(value)) {
                continue;
            }
            text.append(first ? "" : " ").append(field.name()).append('=');
            appendValue(text, field, field.get(value));
            first = false;
        }
        long rest = value & seen & ~known & ~partlySeen(outer, seen);
        if (rest != 0) {
            text.append(first ? "" : " ").append("?=0x").append(Long.toHexString(rest));
        }
    }

    /** The bits of fields that an access reached in part: nothing can be said of them. */
    private static long partlySeen(RegisterField outer, long seen) {
        long mask = 0;
        for (RegisterField field : outer.fields()) {
            if ((field.mask() & ~seen) != 0) {
                mask |= field.mask();
            }
        }
        return mask;
    }

    /** Appends what a field's bits mean: a name, a number, its own fields in braces. */
    private static void appendValue(StringBuilder text, RegisterField field, long bits) {
        FieldFormat format = field.format();
        int unused = 64 - field.widthBits();
        long number = ((format.signed() ? bits << unused >> unused : bits) << format.shift());
        number += format.add();
        switch (field.type()) {
            case BOOLEAN -> text.append(bits);
            case UINT -> text.append(Long.toUnsignedString(number));
            case INT -> text.append(number);
            case FLOAT -> appendFloat(text, field.widthBits(), bits);
            case FIXED, UFIXED -> appendFixed(text, number, format);
            case ENUM -> {
                String name = field.nameOf(bits);
                if (name == null) {
                    appendHex(text, number);
                } else {
                    text.append(name);
                }
            }
            case BITSET -> {
                text.append('{');
                appendBits(text, field, RegisterField.lowBits(field.widthBits()), bits);
                text.append('}');
            }
            case HEX -> appendHex(text, number);
        }
    }

    private static void appendFixed(StringBuilder text, long number, FieldFormat format) {
        BigDecimal whole =
                format.signed()
                        ? BigDecimal.valueOf(number)
                        : new BigDecimal(Long.toUnsignedString(number));
        BigDecimal value = whole.divide(BigDecimal.TWO.pow(format.fractionBits()));
        text.append(value.stripTrailingZeros().toPlainString());
    }

    private static void appendHex(StringBuilder text, long value) {
        if (value >= 0 && value < 10) {
            text.append(value);
        } else {
            text.append("0x").append(Long.toHexString(value));
        }
    }

    private static void appendFloat(StringBuilder text, int widthBits, long value) {
        switch (widthBits) {
            case 16 -> text.append(Float.float16ToFloat((short) value));
            case 32 -> text.append(Float.intBitsToFloat((int) value));
            case 64 -> text.append(Double.longBitsToDouble(value));
            default -> appendHex(text, value);
        }
    }
}
