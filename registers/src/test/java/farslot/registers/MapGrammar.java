package farslot.registers;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Turns any bytes into the text of a register map: well-formed XML made of the words that maps are
 * made of, in any order and any nesting. Bytes that are XML already stay as they are.
 */
final class MapGrammar {
    private static final List<String> TAGS =
            List.of(
                    "domain",
                    "reg32",
                    "bitfield",
                    "array",
                    "stripe",
                    "use-group",
                    "group",
                    "bitset",
                    "enum",
                    "value",
                    "reg8",
                    "reg16",
                    "reg64",
                    "brief",
                    "doc",
                    "b",
                    "import",
                    "database");

    private static final List<String> ATTRIBUTES =
            List.of(
                    "name",
                    "offset",
                    "stride",
                    "length",
                    "low",
                    "high",
                    "pos",
                    "type",
                    "value",
                    "width",
                    "size",
                    "shr",
                    "ref",
                    "access",
                    "variants",
                    "f:access",
                    "f:reset",
                    "f:write-once",
                    "f:volatile",
                    "f:read-effects",
                    "f:label",
                    "file",
                    "radix",
                    "unheard");

    /** What came later has numbers of its own, so that what was found before means what it did. */
    private static final List<String> LATER_ATTRIBUTES =
            List.of(
                    "varset",
                    "prefix",
                    "add",
                    "min",
                    "align",
                    "f:reset-mask",
                    "f:mask",
                    "f:first",
                    "f:indexes",
                    "f:base",
                    "set",
                    "are");

    private static final List<String> WORDS =
            List.of(
                    "uint",
                    "int",
                    "hex",
                    "float",
                    "boolean",
                    "enum",
                    "bitset",
                    "r",
                    "w",
                    "rw",
                    "ro",
                    "w1c",
                    "rsvd",
                    "yes",
                    "no",
                    "none",
                    "present",
                    "A{0}B{1}",
                    "",
                    " ",
                    "A B C",
                    "../x.xml");

    private static final List<String> LATER_WORDS = List.of("fixed", "w0t", "A-C", ":B", "A,B,C");

    private static final List<String> NUMBERS =
            List.of(
                    "8",
                    "16",
                    "32",
                    "64",
                    "63",
                    "31",
                    "0x7fffffffffffffff",
                    "0xffffffffffffffff",
                    "-1",
                    "0x10000",
                    "65536",
                    "0x4000000000000000",
                    "0xffffffff",
                    "1000000");

    private final byte[] input;
    private final StringBuilder text = new StringBuilder();
    private final Deque<String> open = new ArrayDeque<>();
    private int at;

    private MapGrammar(byte[] input) {
        this.input = input;
    }

    static byte[] xml(byte[] input) {
        return input.length > 0 && input[0] == '<' ? input : new MapGrammar(input).write();
    }

    private int next() {
        return at < input.length ? input[at++] & 0xff : 0;
    }

    private byte[] write() {
        text.append("<database xmlns:f='" + RegisterMapLoader.NAMESPACE + "'>");
        while (at < input.length) {
            int word = next();
            if (word < 0xc0) {
                element(TAGS.get(word % TAGS.size()));
            } else if (word < 0xf0) {
                close();
            } else if (word >= 0xfc) {
                element("f:variants");
            } else {
                text.append("text");
            }
        }
        while (!open.isEmpty()) {
            close();
        }
        return text.append("</database>").toString().getBytes(StandardCharsets.UTF_8);
    }

    /** How many attributes, whether anything stands within, then each attribute and its value. */
    private void element(String tag) {
        int shape = next();
        text.append('<').append(tag);
        Set<String> given = new HashSet<>();
        for (int count = shape & 7; count > 0; count--) {
            String attribute = attribute(next());
            String value = value(next());
            if (given.add(attribute)) {
                text.append(' ').append(attribute).append("='").append(value).append('\'');
            }
        }
        boolean empty = (shape & 8) != 0;
        text.append(empty ? "/>" : ">");
        if (!empty) {
            open.push(tag);
        }
    }

    private static String attribute(int word) {
        return word < 0xf0
                ? ATTRIBUTES.get(word % ATTRIBUTES.size())
                : LATER_ATTRIBUTES.get(word % LATER_ATTRIBUTES.size());
    }

    private static String value(int word) {
        if (word < 0x60) {
            return Integer.toString(word);
        }
        if (word < 0x80) {
            return NUMBERS.get(word % NUMBERS.size());
        }
        if (word < 0xc0) {
            return Character.toString('A' + (word & 0x0f));
        }
        return word < 0xf8
                ? WORDS.get(word % WORDS.size())
                : LATER_WORDS.get(word % LATER_WORDS.size());
    }

    private void close() {
        if (!open.isEmpty()) {
            text.append("</").append(open.pop()).append('>');
        }
    }
}
