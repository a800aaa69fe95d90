package farslot.registers;

import java.math.BigInteger;
import java.util.Locale;

/**
 * Numbers of CMSIS-SVD ("scaledNonNegativeInteger"): decimal, 0x or 0X, 0b or # for binary, and k,
 * m, g, t behind for powers of 1024.
 */
final class SvdNumbers {
    private static final BigInteger LIMIT = BigInteger.ONE.shiftLeft(64);

    private final MapRemarks remarks;

    SvdNumbers(MapRemarks remarks) {
        this.remarks = remarks;
    }

    /** Bits that a value has, and which of them count: "0b1x0". */
    record Pattern(long value, long mask) {}

    /** The number in the first child with this tag; {@code otherwise} where there is none. */
    long number(MapElement element, String tag, long otherwise) {
        MapElement child = element.child(tag);
        if (child == null) {
            return otherwise;
        }
        Pattern parsed = parse(child.text().strip());
        if (parsed == null || parsed.mask != -1) {
            remarks.complain(
                    child, "<" + tag + "> is \"" + child.text().strip() + "\", which is no number");
            return otherwise;
        }
        return parsed.value;
    }

    /** Null where it is none. */
    static Pattern parse(String text) {
        String digits = text.toLowerCase(Locale.ROOT);
        digits = digits.startsWith("+") ? digits.substring(1) : digits;
        int radix = 10;
        if (digits.startsWith("0x")) {
            radix = 16;
            digits = digits.substring(2);
        } else if (digits.startsWith("0b") || digits.startsWith("#")) {
            return binary(digits.substring(digits.startsWith("#") ? 1 : 2));
        }
        int scale = 0;
        if (!digits.isEmpty()) {
            scale = "kmgt".indexOf(digits.charAt(digits.length() - 1)) + 1;
        }
        if (scale > 0) {
            digits = digits.substring(0, digits.length() - 1);
        }
        if (digits.isEmpty() || digits.length() > 20) {
            return null;
        }
        for (int i = 0; i < digits.length(); i++) {
            if (Character.digit(digits.charAt(i), radix) < 0) {
                return null;
            }
        }
        BigInteger value = new BigInteger(digits, radix).shiftLeft(10 * scale);
        return value.compareTo(LIMIT) < 0 ? new Pattern(value.longValue(), -1) : null;
    }

    private static Pattern binary(String digits) {
        if (digits.isEmpty() || digits.length() > 64) {
            return null;
        }
        long value = 0;
        long ignored = 0;
        for (int i = 0; i < digits.length(); i++) {
            char c = digits.charAt(i);
            if (c != '0' && c != '1' && c != 'x') {
                return null;
            }
            value = value << 1 | (c == '1' ? 1 : 0);
            ignored = ignored << 1 | (c == 'x' ? 1 : 0);
        }
        return new Pattern(value, ~ignored);
    }
}
