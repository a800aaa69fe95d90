package farslot.sdk;

import java.util.List;

/** Finds what somebody probably meant. */
final class Nearest {
    private Nearest() {}

    /** "did you mean "nvme"? There are edu, nvme." or the second half alone. */
    static String hint(String word, List<String> known) {
        String nearest = null;
        int distance = Integer.MAX_VALUE;
        for (String candidate : known) {
            int changes = changes(word, candidate);
            if (changes < distance) {
                distance = changes;
                nearest = candidate;
            }
        }
        String all =
                known.isEmpty() ? "there are none." : "there are " + String.join(", ", known) + ".";
        boolean close = nearest != null && distance <= Math.max(2, word.length() / 3);
        return close ? "did you mean \"" + nearest + "\"? " + all.replaceFirst("^t", "T") : all;
    }

    /** Levenshtein's distance: how many letters must change, come or go. */
    private static int changes(String one, String other) {
        int[] row = new int[other.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int change = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[other.length()];
    }
}
