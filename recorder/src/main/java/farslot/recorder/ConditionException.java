package farslot.recorder;

/**
 * An expression that means nothing. The message is a sentence, and below it the line it is about
 * with carets under the place:
 *
 * <pre>
 * Register CSTS has no field "RDX"; did you mean "RDY"?
 *   CSTS.RDX == 1
 *   ^^^^^^^^
 * </pre>
 */
public final class ConditionException extends Exception {
    private static final long serialVersionUID = 1L;

    /** How much of a long line is shown on each side of the place. */
    private static final int SHOWN = 60;

    private static final int MAX_CARETS = 40;

    private final String sentence;
    private final int line;
    private final int column;

    private ConditionException(String sentence, String below, int line, int column) {
        super(sentence + "\n" + below);
        this.sentence = sentence;
        this.line = line;
        this.column = column;
    }

    /**
     * @param from the place's first character within {@code text}
     * @param to behind its last one; at least one caret is shown
     */
    static ConditionException at(String text, int from, int to, String sentence) {
        int start = text.lastIndexOf('\n', from - 1) + 1;
        int end = text.indexOf('\n', from);
        String whole = text.substring(start, end < 0 ? text.length() : end);
        int line = 1 + (int) text.chars().limit(start).filter(c -> c == '\n').count();
        int column = from - start;
        int first = Math.max(0, column - SHOWN);
        String shown = whole.substring(first, Math.min(whole.length(), column + SHOWN));
        String prefix = line > 1 || end >= 0 ? "line " + line + ": " : "  ";
        int carets = Math.clamp((long) Math.min(to, start + whole.length()) - from, 1, MAX_CARETS);
        String below =
                prefix
                        + visible(shown)
                        + "\n"
                        + " ".repeat(prefix.length() + column - first)
                        + "^".repeat(carets);
        return new ConditionException(TraceText.clean(sentence), below, line, column + 1);
    }

    /** Nothing in an expression commands a terminal, and each character takes one place. */
    private static String visible(String shown) {
        StringBuilder text = new StringBuilder(shown);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isISOControl(c) || Character.isSurrogate(c)) {
                text.setCharAt(i, c == '\t' ? ' ' : '?');
            }
        }
        return text.toString();
    }

    /** The message's first line: what is wrong, and what to do. */
    public String sentence() {
        return sentence;
    }

    /** The line of the expression that it is about, from 1. */
    public int line() {
        return line;
    }

    /** The place within that line, in characters from 1. */
    public int column() {
        return column;
    }
}
