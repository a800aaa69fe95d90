package farslot.registers;

/** Numbers in the attributes of rules-ng-ng: decimal, or hexadecimal with 0x, of up to 64 bits. */
final class RulesNgNumbers {
    private final MapRemarks remarks;

    RulesNgNumbers(MapRemarks remarks) {
        this.remarks = remarks;
    }

    long number(MapElement element, String attribute, long otherwise) {
        String text = element.attribute(attribute);
        if (text == null) {
            return otherwise;
        }
        String digits = text.strip();
        try {
            return digits.startsWith("0x") || digits.startsWith("0X")
                    ? Long.parseUnsignedLong(digits.substring(2), 16)
                    : Long.parseLong(digits);
        } catch (NumberFormatException e) {
            remarks.complain(element, attribute + " is \"" + text + "\", which is no number");
            return otherwise;
        }
    }

    long scaled(MapElement element, long cells, int cellBytes) {
        try {
            return Math.multiplyExact(cells, (long) cellBytes);
        } catch (ArithmeticException e) {
            remarks.complain(element, "it reaches beyond 2^63");
            return 0;
        }
    }

    long added(MapElement element, long a, long b) {
        try {
            return Math.addExact(a, b);
        } catch (ArithmeticException e) {
            remarks.complain(element, "it reaches beyond 2^63");
            return 0;
        }
    }
}
