package farslot.registers;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Turns any bytes into the text of a CMSIS-SVD description: well-formed XML made of the words that
 * such files are made of, in any order and any nesting. Bytes that are XML already stay as they
 * are.
 */
final class SvdGrammar {
    private static final List<String> CONTAINERS =
            List.of(
                    "peripheral",
                    "registers",
                    "register",
                    "cluster",
                    "fields",
                    "field",
                    "enumeratedValues",
                    "enumeratedValue",
                    "addressBlock",
                    "writeConstraint",
                    "range",
                    "dimArrayIndex",
                    "vendorExtensions",
                    "unheard");

    private static final List<String> LEAVES =
            List.of(
                    "name",
                    "addressOffset",
                    "dim",
                    "dimIncrement",
                    "dimIndex",
                    "size",
                    "access",
                    "resetValue",
                    "resetMask",
                    "bitRange",
                    "lsb",
                    "msb",
                    "bitOffset",
                    "bitWidth",
                    "value",
                    "isDefault",
                    "usage",
                    "modifiedWriteValues",
                    "readAction",
                    "baseAddress",
                    "offset",
                    "minimum",
                    "maximum",
                    "description",
                    "prependToName",
                    "appendToName");

    private static final List<String> WORDS =
            List.of(
                    "A%s",
                    "B[%s]",
                    "%s",
                    "C",
                    "A.B",
                    "read-only",
                    "write-only",
                    "read-write",
                    "writeOnce",
                    "read-writeOnce",
                    "oneToClear",
                    "zeroToToggle",
                    "clear",
                    "set",
                    "true",
                    "write",
                    "[7:0]",
                    "[63:32]",
                    "A,B,C",
                    "0-3",
                    "A-D",
                    "{0}{1}",
                    "",
                    "First. Second\\nthird");

    private static final List<String> NUMBERS =
            List.of(
                    "0x7fffffffffffffff",
                    "0xffffffffffffffff",
                    "0x4000000000000000",
                    "#1xx0",
                    "0b101",
                    "64",
                    "32",
                    "4k",
                    "16T",
                    "1000000",
                    "-1",
                    "65536");

    private final byte[] input;
    private final StringBuilder text = new StringBuilder();
    private final Deque<String> open = new ArrayDeque<>();
    private int at;

    private SvdGrammar(byte[] input) {
        this.input = input;
    }

    static byte[] xml(byte[] input) {
        return input.length > 0 && input[0] == '<' ? input : new SvdGrammar(input).write();
    }

    private int next() {
        return at < input.length ? input[at++] & 0xff : 0;
    }

    private byte[] write() {
        text.append("<device>");
        open("peripherals", 0);
        while (at < input.length) {
            int word = next();
            if (word < 0x70) {
                open(CONTAINERS.get(word % CONTAINERS.size()), next());
            } else if (word < 0xe0) {
                leaf(LEAVES.get(word % LEAVES.size()), next());
            } else if (open.size() > 1) {
                text.append("</").append(open.pop()).append('>');
            }
        }
        while (!open.isEmpty()) {
            text.append("</").append(open.pop()).append('>');
        }
        return text.append("</device>").toString().getBytes(StandardCharsets.UTF_8);
    }

    /** With a name, mostly, and derived from another one, sometimes. */
    private void open(String tag, int shape) {
        text.append('<').append(tag);
        if ((shape & 0x80) != 0) {
            text.append(" derivedFrom='").append(name(shape & 0x0f)).append('\'');
        }
        text.append('>');
        open.push(tag);
        if ((shape & 0x40) != 0) {
            text.append("<name>").append(name(shape >> 2 & 0x0f)).append("</name>");
        }
    }

    private static String name(int index) {
        return index < 12 ? Character.toString('A' + index) : WORDS.get(index - 12);
    }

    private void leaf(String tag, int word) {
        String value =
                word < 0x60
                        ? Integer.toString(word)
                        : word < 0x80
                                ? NUMBERS.get(word % NUMBERS.size())
                                : word < 0xa0 ? name(word & 0x0f) : WORDS.get(word % WORDS.size());
        text.append('<').append(tag).append('>').append(value);
        text.append("</").append(tag).append('>');
    }
}
