package farslot.registers;

import java.util.Collection;
import java.util.Optional;

/**
 * Finds what somebody may have meant by an unknown word, for the sentence that refuses it: a
 * register, a field, and whatever else has a name.
 */
public final class Nearest {
    private Nearest() {}

    /** The candidate that differs least from {@code word}, if any is near enough to be meant. */
    public static Optional<String> to(String word, Collection<String> candidates) {
        String nearest = null;
        // A word that would have to change in every letter is not near.
        int least = Math.min(word.length(), Math.max(2, word.length() / 3) + 1);
        for (String candidate : candidates) {
            int distance = distance(word, candidate);
            if (distance < least) {
                least = distance;
                nearest = candidate;
            }
        }
        return Optional.ofNullable(nearest);
    }

    /** {@code "; did you mean "X"?"}, or {@code "."} where nothing is near. */
    public static String question(String word, Collection<String> candidates) {
        return to(word, candidates).map(near -> "; did you mean \"" + near + "\"?").orElse(".");
    }

    /** {@code "; did you mean "X"?"}, or {@code "; there are: X, Y."} where nothing is near. */
    public static String questionOrAll(String word, Collection<String> candidates) {
        if (to(word, candidates).isPresent()) {
            return question(word, candidates);
        }
        return candidates.isEmpty()
                ? "; there are none."
                : "; there are: " + String.join(", ", candidates) + ".";
    }

    /** "did you mean "nvme"? There are edu, nvme." or the second half alone. */
    public static String hint(String word, Collection<String> known) {
        String all =
                known.isEmpty() ? "there are none." : "there are " + String.join(", ", known) + ".";
        return to(word, known)
                .map(near -> "did you mean \"" + near + "\"? " + all.replaceFirst("^t", "T"))
                .orElse(all);
    }

    /**
     * How many characters are to be inserted, removed, replaced or swapped with their neighbour.
     */
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                if (i > 1
                        && j > 1
                        && a.charAt(i - 1) == b.charAt(j - 2)
                        && a.charAt(i - 2) == b.charAt(j - 1)) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }
}
