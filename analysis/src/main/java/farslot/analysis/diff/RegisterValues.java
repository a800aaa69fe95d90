package farslot.analysis.diff;

import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;
import farslot.registers.RegisterText;
import java.util.ArrayList;
import java.util.List;

/** The value of an access as the values of the fields that it reaches. */
final class RegisterValues {
    private RegisterValues() {}

    /**
     * Takes an access apart.
     *
     * @param domain the region's registers, or null
     * @param length 1 to 8 bytes
     */
    static List<Item.Value> of(RegisterDomain domain, long offset, int length, long value) {
        List<Item.Value> values = new ArrayList<>();
        long at = offset;
        while (at < offset + length) {
            Register register = domain == null ? null : domain.find(at);
            long end = offset + length;
            if (register != null) {
                end = Math.min(end, register.elementStart(at) + register.widthBytes());
            } else {
                end = nextNamed(domain, at, end);
            }
            int bits = (int) (end - at) * 8;
            long part = value >>> ((at - offset) * 8) & low(bits);
            boolean alone = at == offset && end == offset + length;
            add(values, register, at, bits, part, alone);
            at = end;
        }
        return values;
    }

    private static long nextNamed(RegisterDomain domain, long from, long end) {
        long at = from + 1;
        while (domain != null && at < end && domain.find(at) == null) {
            at++;
        }
        return domain == null ? end : at;
    }

    private static void add(
            List<Item.Value> values,
            Register register,
            long at,
            int bits,
            long part,
            boolean alone) {
        if (register == null) {
            String name = alone ? "" : "0x" + Long.toHexString(at);
            values.add(new Item.Value(name, hex(part, bits), true));
            return;
        }
        long start = register.elementStart(at);
        String prefix = alone ? "" : register.nameAt(at);
        if (register.fields().isEmpty() || bits < register.widthBits()) {
            long low = (at - start) * 8;
            boolean whole = bits == register.widthBits();
            String slice = whole ? "" : "[" + (low + bits - 1) + ":" + low + "]";
            String text = whole ? RegisterText.value(register.whole(), part) : hex(part, bits);
            values.add(new Item.Value(prefix + slice, text, true));
            return;
        }
        long known = 0;
        for (RegisterField field : register.fields()) {
            known |= field.mask();
            values.add(
                    new Item.Value(
                            alone ? field.name() : prefix + "." + field.name(),
                            RegisterText.value(field, part),
                            true));
        }
        if ((part & ~known) != 0) {
            values.add(new Item.Value(prefix + "?", hex(part & ~known, bits), true));
        }
    }

    private static long low(int bits) {
        return bits >= 64 ? -1 : (1L << bits) - 1;
    }

    private static String hex(long value, int bits) {
        String digits = Long.toHexString(value);
        return "0x" + "0".repeat(Math.max(0, bits / 4 - digits.length())) + digits;
    }
}
