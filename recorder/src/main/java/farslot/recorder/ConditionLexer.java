package farslot.recorder;

import farslot.recorder.ConditionParser.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Cuts the text of a condition into words, numbers, texts and signs. */
final class ConditionLexer {
    /** Signs, the longer first. */
    private static final List<String> SIGNS =
            List.of("..", "==", "!=", "<=", ">=", "<", ">", "~", "&", "(", ")", "[", "]", ",");

    /** What other languages write. */
    private static final Map<String, String> MEANT =
            Map.of("&&", "and", "||", "or", "!", "not", "=", "==", "|", "or", "<>", "!=");

    private final String text;
    private final List<Token> tokens = new ArrayList<>();
    private int at;

    ConditionLexer(String text) {
        this.text = text;
    }

    /** All pieces, and one that is the end. */
    List<Token> tokens() throws ConditionException {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (Character.isWhitespace(c)) {
                at++;
            } else if (isLetter(c)) {
                word();
            } else if (isDigit(c) || (c == '-' && isDigit(charAt(at + 1)))) {
                number();
            } else if (c == '"' || c == '\'') {
                quoted(c);
            } else if (c == '.' && isLetter(charAt(at + 1)) && behindBracket()) {
                int from = at++;
                word();
                tokens.set(
                        tokens.size() - 1,
                        new Token(Token.Kind.MEMBER, text.substring(from, at), from, at));
            } else {
                sign();
            }
        }
        tokens.add(new Token(Token.Kind.END, "", at, at));
        return tokens;
    }

    private boolean behindBracket() {
        return !tokens.isEmpty() && tokens.getLast().is("]") && tokens.getLast().to() == at;
    }

    /** Letters, digits and "_", joined by "." or "-" where a letter follows. */
    private void word() {
        int from = at;
        while (isWordCharacter(charAt(at))
                || ((charAt(at) == '.' || charAt(at) == '-') && isLetter(charAt(at + 1)))) {
            at++;
        }
        add(Token.Kind.WORD, from);
    }

    /** Digits and letters, with one fraction: "0x1f", "1.5ms", "64K". */
    private void number() {
        int from = at++;
        boolean fraction = false;
        while (isWordCharacter(charAt(at))
                || charAt(at) == 'µ'
                || (!fraction && charAt(at) == '.' && isDigit(charAt(at + 1)))) {
            fraction |= charAt(at) == '.';
            at++;
        }
        add(Token.Kind.NUMBER, from);
    }

    private void quoted(char quote) throws ConditionException {
        int from = at++;
        StringBuilder inside = new StringBuilder();
        while (at < text.length() && text.charAt(at) != quote) {
            boolean escaped = text.charAt(at) == '\\' && at + 1 < text.length();
            at += escaped ? 1 : 0;
            inside.append(text.charAt(at++));
        }
        if (at >= text.length()) {
            throw ConditionException.at(text, from, from + 1, "This quote has no end.");
        }
        at++;
        tokens.add(new Token(Token.Kind.TEXT, inside.toString(), from, at));
    }

    private void sign() throws ConditionException {
        for (String foreign : List.of("&&", "||", "<>")) {
            if (text.startsWith(foreign, at)) {
                throw unknown(foreign);
            }
        }
        for (String sign : SIGNS) {
            if (text.startsWith(sign, at)) {
                at += sign.length();
                add(Token.Kind.SIGN, at - sign.length());
                return;
            }
        }
        throw unknown(text.substring(at, text.offsetByCodePoints(at, 1)));
    }

    private ConditionException unknown(String sign) {
        String meant = MEANT.get(sign);
        return ConditionException.at(
                text,
                at,
                at + sign.length(),
                "\""
                        + sign
                        + "\" means nothing here"
                        + (meant == null ? "." : "; write \"" + meant + "\"."));
    }

    private void add(Token.Kind kind, int from) {
        tokens.add(new Token(kind, text.substring(from, at), from, at));
    }

    /** The character, or a blank behind the end. */
    private char charAt(int index) {
        return index < text.length() ? text.charAt(index) : ' ';
    }

    private static boolean isWordCharacter(char c) {
        return isLetter(c) || isDigit(c);
    }

    private static boolean isLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
