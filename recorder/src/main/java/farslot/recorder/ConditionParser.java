package farslot.recorder;

import farslot.recorder.Expression.Comparison;
import farslot.recorder.Expression.Literal;
import farslot.recorder.Expression.Range;
import farslot.recorder.Expression.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Reads a condition (docs/expressions.md, "Grammar"):
 *
 * <pre>
 * expression = conjunction { "or" conjunction }
 * conjunction = factor { "and" factor }
 * factor = "not" factor | "(" expression ")" | test
 * test = subject [ "&amp;" number ] [ comparison value | "in" ( range | "(" range { "," range } ")" ) ]
 * subject = word { "[" number "]" [ "." word ] } | text | region "[" range "]"
 * range = value [ ".." value ]
 * value = number | word | text
 * </pre>
 *
 * Names mean nothing yet. Text from strangers ends in {@link ConditionException}, however deep or
 * long.
 */
final class ConditionParser {
    /** The longest expression, in characters. */
    static final int MAX_LENGTH = 1 << 16;

    /** How deep parentheses and "not" may stand within each other. */
    static final int MAX_DEPTH = 100;

    private final String text;
    private final List<Token> tokens;
    private int next;
    private int depth;

    private ConditionParser(String text) throws ConditionException {
        this.text = text;
        this.tokens = new ConditionLexer(text).tokens();
    }

    static Expression parse(String text) throws ConditionException {
        if (text.length() > MAX_LENGTH) {
            throw ConditionException.at(
                    text,
                    MAX_LENGTH,
                    MAX_LENGTH + 1,
                    "The expression is longer than " + MAX_LENGTH + " characters.");
        }
        ConditionParser parser = new ConditionParser(text);
        Expression expression = parser.expression();
        if (parser.peek().kind != Token.Kind.END) {
            throw parser.unexpected("\"and\", \"or\" or the end is missing before");
        }
        return expression;
    }

    /**
     * A piece of the text.
     *
     * @param text without quotes
     */
    record Token(Kind kind, String text, int from, int to) {
        enum Kind {
            WORD,
            NUMBER,
            TEXT,
            /** ".NAME" behind "]". */
            MEMBER,
            SIGN,
            END
        }

        boolean is(String sign) {
            return (kind == Kind.SIGN || kind == Kind.WORD) && text.equals(sign);
        }
    }

    private Token peek() {
        return tokens.get(next);
    }

    private Token take() {
        Token token = tokens.get(next);
        if (token.kind != Token.Kind.END) {
            next++;
        }
        return token;
    }

    private boolean takeIf(String sign) {
        boolean is = peek().is(sign);
        next += is ? 1 : 0;
        return is;
    }

    private ConditionException unexpected(String missing) {
        Token token = peek();
        String found = token.kind == Token.Kind.END ? "the end" : "\"" + token.text + "\"";
        return error(token.from, token.to, capital(missing) + " " + found + ".");
    }

    private ConditionException error(int from, int to, String sentence) {
        return ConditionException.at(text, from, to, sentence);
    }

    private static String capital(String sentence) {
        return Character.toUpperCase(sentence.charAt(0)) + sentence.substring(1);
    }

    private Expression expression() throws ConditionException {
        return list("or", this::conjunction, Expression.Any::new);
    }

    private Expression conjunction() throws ConditionException {
        return list("and", this::factor, Expression.All::new);
    }

    private interface Part {
        Expression read() throws ConditionException;
    }

    private Expression list(String word, Part part, Function<List<Expression>, Expression> joined)
            throws ConditionException {
        Expression first = part.read();
        if (!peek().is(word)) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (takeIf(word)) {
            parts.add(part.read());
        }
        return joined.apply(List.copyOf(parts));
    }

    private Expression factor() throws ConditionException {
        Token token = peek();
        if (++depth > MAX_DEPTH) {
            throw error(
                    token.from,
                    token.to,
                    "Parentheses and \"not\" stand more than " + MAX_DEPTH + " deep here.");
        }
        try {
            if (takeIf("not")) {
                return new Expression.Not(factor());
            }
            if (takeIf("(")) {
                Expression inner = expression();
                expect(")");
                return inner;
            }
            return test();
        } finally {
            depth--;
        }
    }

    private void expect(String sign) throws ConditionException {
        if (!takeIf(sign)) {
            throw unexpected("\"" + sign + "\" is missing before");
        }
    }

    private Expression test() throws ConditionException {
        Subject subject = subject();
        Literal mask = null;
        if (takeIf("&")) {
            mask = literal();
            if (mask.kind() != Literal.Kind.NUMBER) {
                throw error(mask.from(), mask.to(), "A mask is a number, as in value & 0xff.");
            }
        }
        Comparison comparison = Comparison.of(peek().text);
        boolean compares = peek().kind == Token.Kind.SIGN || peek().is("in");
        if (comparison == null || !compares) {
            return new Expression.Test(subject, mask, Comparison.HOLDS, List.of());
        }
        take();
        List<Range> values = new ArrayList<>();
        if (comparison == Comparison.IN && takeIf("(")) {
            do {
                values.add(range());
            } while (takeIf(","));
            expect(")");
        } else if (comparison == Comparison.IN) {
            values.add(range());
        } else {
            Literal value = literal();
            values.add(new Range(value, value));
        }
        return new Expression.Test(subject, mask, comparison, List.copyOf(values));
    }

    private Subject subject() throws ConditionException {
        Token first = peek();
        boolean keyword = first.is("and") || first.is("or") || first.is("in");
        boolean quoted = first.kind == Token.Kind.TEXT;
        if (keyword || !(quoted || first.kind == Token.Kind.WORD)) {
            throw unexpected("a name to ask about, as in CSTS.RDY == 1, is missing before");
        }
        take();
        if (!quoted && ConditionField.isRegion(first.text) && takeIf("[")) {
            Range bytes = range();
            int to = peek().to;
            expect("]");
            return new Subject(first.text, false, bytes, first.from, to);
        }
        StringBuilder name = new StringBuilder(first.text);
        int to = first.to;
        while (!quoted && takeIf("[")) {
            Literal index = literal();
            long number = ConditionField.number(text, index);
            to = peek().to;
            expect("]");
            name.append('[').append(Long.toUnsignedString(number)).append(']');
            if (peek().kind == Token.Kind.MEMBER) {
                to = peek().to;
                name.append(take().text);
            }
        }
        return new Subject(name.toString(), quoted, null, first.from, to);
    }

    private Range range() throws ConditionException {
        Literal from = literal();
        return new Range(from, takeIf("..") ? literal() : from);
    }

    private Literal literal() throws ConditionException {
        Token token = peek();
        Literal.Kind kind =
                switch (token.kind) {
                    case NUMBER -> Literal.Kind.NUMBER;
                    case WORD -> Literal.Kind.WORD;
                    case TEXT -> Literal.Kind.TEXT;
                    default -> throw unexpected("a value is missing before");
                };
        take();
        return new Literal(kind, token.text, token.from, token.to);
    }
}
