package farslot.lender;

import java.util.Collection;

/** Finds what a person may have meant, and says it. */
final class Nearest {
    private Nearest() {}

    /**
     * The rest of a sentence that said that {@code word} is unknown: {@code "; did you mean "X"?"}
     * where one is near, else what there is.
     */
    static String to(String word, Collection<String> candidates) {
        String nearest = null;
        int least = Math.max(1, word.length() / 3) + 1;
        for (String candidate : candidates) {
            int distance = distance(word, candidate);
            if (distance < least) {
                least = distance;
                nearest = candidate;
            }
        }
        if (nearest != null) {
            return "; did you mean \"" + nearest + "\"?";
        }
        return candidates.isEmpty()
                ? "; there are none."
                : "; there are: " + String.join(", ", candidates) + ".";
    }

    /** How many characters are to be inserted, removed or replaced (Levenshtein). */
    private static int distance(String a, String b) {
        int[] above = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(above[j], row[j - 1]) + 1);
            }
            above = row;
        }
        return above[b.length()];
    }
}
