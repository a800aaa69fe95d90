package farslot.registers;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What is wrong with a map: an error in our own, a remark in others. */
final class MapRemarks {
    private static final int MAX_REMARKS = 1000;

    /** A map's own words stand in sentences, and may be as long as the map. */
    private static final int MAX_WORDS = 400;

    private final boolean strict;
    private final Set<String> remarks = new LinkedHashSet<>();
    private long unsaid;

    MapRemarks(boolean strict) {
        this.strict = strict;
    }

    /**
     * Says what is passed over.
     *
     * @param what without an end: "there is no group named "x""
     * @throws RegisterMapException for our own maps
     */
    void complain(MapElement element, String what) {
        String words = what.length() <= MAX_WORDS ? what : what.substring(0, MAX_WORDS) + "...";
        String sentence = element.place() + ": " + MapElement.inOneLine(words) + ".";
        if (strict) {
            throw new RegisterMapException(sentence);
        }
        if (remarks.size() < MAX_REMARKS) {
            remarks.add(sentence);
        } else if (!remarks.contains(sentence)) {
            unsaid++;
        }
    }

    /** All of them, and how many more there would be. */
    List<String> sentences(String file) {
        if (unsaid > 0) {
            remarks.add(file + ", line 1: " + unsaid + " more remarks are left out.");
            unsaid = 0;
        }
        return List.copyOf(remarks);
    }
}
