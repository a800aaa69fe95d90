package farslot.recorder;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A condition as it was written: what {@link ConditionParser} reads and {@link ConditionCompiler}
 * gives a meaning. {@code toString} gives text that is read as the same expression.
 */
sealed interface Expression {
    /** Words that need no quotes: "CSTS.RDY", "SQ1TDBL", "dma-read", "CACHE[3].PUT". */
    Pattern WORD =
            Pattern.compile(
                    "[A-Za-z_][A-Za-z0-9_]*+(\\[[0-9]+]|[.][A-Za-z_][A-Za-z0-9_]*+"
                            + "|-[A-Za-z][A-Za-z0-9_]*+)*+");

    /** "a and b"; two parts or more. */
    record All(List<Expression> parts) implements Expression {
        @Override
        public String toString() {
            return joined(parts, " and ", part -> part instanceof All || part instanceof Any);
        }
    }

    /** "a or b"; two parts or more. */
    record Any(List<Expression> parts) implements Expression {
        @Override
        public String toString() {
            return joined(parts, " or ", part -> part instanceof Any);
        }
    }

    record Not(Expression part) implements Expression {
        @Override
        public String toString() {
            boolean list = part instanceof All || part instanceof Any;
            return list ? "not (" + part + ")" : "not " + part;
        }
    }

    /**
     * "value &amp; 0xff == 0x10", "offset in 0x10..0x1f", or a subject alone.
     *
     * @param mask or null
     * @param values what it is compared with; none for {@link Comparison#HOLDS}, several only for
     *     {@link Comparison#IN}
     */
    record Test(Subject subject, Literal mask, Comparison comparison, List<Range> values)
            implements Expression {
        @Override
        public String toString() {
            String text = mask == null ? subject.toString() : subject + " & " + mask;
            return switch (comparison) {
                case HOLDS -> text;
                case IN -> {
                    String list =
                            values.stream().map(Range::toString).collect(Collectors.joining(", "));
                    yield text + " in (" + list + ")";
                }
                default -> text + " " + comparison.symbol + " " + values.getFirst();
            };
        }
    }

    /**
     * What a test looks at.
     *
     * @param quoted whether it was in quotes: then it names a register, whatever words the language
     *     has
     * @param bytes of a region, "BAR0[0x14]" or "MEM[0x1000..0x1fff]", or null
     * @param from where it stands in the text
     * @param to behind its last character
     */
    record Subject(String name, boolean quoted, Range bytes, int from, int to) {
        @Override
        public String toString() {
            String text = quoted ? quote(name) : name;
            return bytes == null ? text : text + "[" + bytes + "]";
        }
    }

    /** Two values and what lies between them; the same twice for one. */
    record Range(Literal from, Literal to) {
        boolean single() {
            return from.equals(to);
        }

        @Override
        public String toString() {
            return single() ? from.toString() : from + ".." + to;
        }
    }

    /**
     * A number, a word or a text as it was written, without its quotes.
     *
     * @param from where it stands in the text
     * @param to behind its last character
     */
    record Literal(Kind kind, String text, int from, int to) {
        enum Kind {
            NUMBER,
            WORD,
            TEXT
        }

        @Override
        public String toString() {
            return kind == Kind.TEXT ? quote(text) : text;
        }
    }

    /** How a subject is compared. */
    enum Comparison {
        /** Not at all: the subject alone, or with a mask. */
        HOLDS(""),
        EQUAL("=="),
        NOT_EQUAL("!="),
        LESS("<"),
        AT_MOST("<="),
        GREATER(">"),
        AT_LEAST(">="),
        IN("in"),
        /** Of text: contains, whatever the case. */
        CONTAINS("~");

        final String symbol;

        Comparison(String symbol) {
            this.symbol = symbol;
        }

        /** The comparison with this symbol, or null. */
        static Comparison of(String symbol) {
            for (Comparison comparison : values()) {
                if (comparison != HOLDS && comparison.symbol.equals(symbol)) {
                    return comparison;
                }
            }
            return null;
        }
    }

    private static String joined(
            List<Expression> parts,
            String word,
            java.util.function.Predicate<Expression> parentheses) {
        return parts.stream()
                .map(part -> parentheses.test(part) ? "(" + part + ")" : part.toString())
                .collect(Collectors.joining(word));
    }

    private static String quote(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    /** As names are compared: "UNSUPPORTED_REQUEST" is "unsupported-request". */
    static String normal(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
