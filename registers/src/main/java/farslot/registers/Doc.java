package farslot.registers;

/**
 * What a map says in words ({@code <brief>} and {@code <doc>} of rules-ng-ng, 2.1).
 *
 * @param brief one line, or ""
 * @param text as long as it likes, a line a paragraph, or ""
 */
public record Doc(String brief, String text) {
    /** Nothing is said. */
    public static final Doc NONE = new Doc("", "");

    private static final int LONGEST_BRIEF = 100;

    /** One line, and no more. */
    public static Doc brief(String brief) {
        return brief.isEmpty() ? NONE : new Doc(brief, "");
    }

    /** Of a map that has one text for both: where it is long, its first sentence is the brief. */
    static Doc ofText(String text) {
        if (text.length() <= LONGEST_BRIEF && text.indexOf('\n') < 0) {
            return brief(text);
        }
        int end = text.indexOf('\n');
        String line = end < 0 ? text : text.substring(0, end);
        int stop = line.indexOf(". ");
        String sentence = stop < 0 ? line : line.substring(0, stop + 1);
        return new Doc(
                sentence.length() <= LONGEST_BRIEF
                        ? sentence
                        : sentence.substring(0, LONGEST_BRIEF - 3).strip() + "...",
                text);
    }

    /** The brief, or the first line of the text, or "". */
    public String line() {
        if (!brief.isEmpty() || text.isEmpty()) {
            return brief;
        }
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }
}
