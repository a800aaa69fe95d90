package farslot.recorder;

import farslot.core.Region;
import farslot.registers.Nearest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How the accesses of an address range are recorded: {@code BAR0:0x0-0xfff=flush}, {@code
 * CFG=count}, {@code *=off}.
 *
 * @param region its index; {@link #ALL_REGIONS}
 * @param first offset of the range
 * @param last offset, which belongs to it
 */
public record RangeMode(int region, long first, long last, Mode mode) {
    /** In place of a region's index. */
    public static final int ALL_REGIONS = -1;

    private static final List<String> LABELS =
            List.of("BAR0", "BAR1", "BAR2", "BAR3", "BAR4", "BAR5", "ROM", "CFG", "*");

    /** From the least to the most; an access that touches several ranges has the most of theirs. */
    public enum Mode {
        /** Passes as if there were no recorder. */
        OFF,
        /** Is only counted; the trace says how often. */
        COUNT,
        RECORD,
        /** Is on the disk before it is done: for what may bring down this machine. */
        FLUSH,
        /** Is acknowledged by another computer before it is done ({@link RemoteFlush}). */
        FLUSH_REMOTE;

        /** As people write it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /**
     * Reads RANGE=MODE, where RANGE is a region, or REGION:FIRST-LAST, or REGION:OFFSET.
     *
     * @throws ConditionException where it means nothing, with carets under the place
     */
    public static RangeMode parse(String text) throws ConditionException {
        int equals = text.indexOf('=');
        if (equals < 0) {
            throw ConditionException.at(
                    text,
                    text.length(),
                    text.length(),
                    "A range is followed by \"=\" and how it is recorded: BAR0:0x0-0xfff=flush.");
        }
        int colon = text.indexOf(':');
        int regionEnd = colon >= 0 && colon < equals ? colon : equals;
        int region = region(text, regionEnd);
        long first = 0;
        long last = Long.MAX_VALUE;
        if (regionEnd < equals) {
            int minus = text.indexOf('-', regionEnd);
            boolean one = minus < 0 || minus > equals;
            first = offset(text, regionEnd + 1, one ? equals : minus);
            last = one ? first : offset(text, minus + 1, equals);
            if (last < first) {
                throw ConditionException.at(
                        text, minus + 1, equals, "The range ends before it begins.");
            }
        }
        return new RangeMode(region, first, last, mode(text, equals + 1));
    }

    /** Whether each address of the other is one of this. */
    boolean covers(RangeMode other) {
        return (region == ALL_REGIONS || region == other.region())
                && first <= other.first()
                && last >= other.last();
    }

    private static int region(String text, int end) throws ConditionException {
        String word = text.substring(0, end);
        int index = LABELS.indexOf(word.toUpperCase(Locale.ROOT));
        if (index < 0) {
            throw ConditionException.at(
                    text,
                    0,
                    end,
                    "There is no region \"" + word + "\"" + Nearest.questionOrAll(word, LABELS));
        }
        return index == Region.COUNT ? ALL_REGIONS : index;
    }

    private static long offset(String text, int from, int to) throws ConditionException {
        String word = text.substring(from, to);
        try {
            long offset = Long.decode(word);
            if (offset >= 0 && !word.startsWith("+")) {
                return offset;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw ConditionException.at(
                text, from, to, "\"" + word + "\" is no offset; 0x1000 and 4096 are.");
    }

    private static Mode mode(String text, int from) throws ConditionException {
        String word = text.substring(from);
        List<String> words = new ArrayList<>();
        for (Mode mode : Mode.values()) {
            if (mode.word().equals(word)) {
                return mode;
            }
            words.add(mode.word());
        }
        throw ConditionException.at(
                text,
                from,
                text.length(),
                "There is no mode \"" + word + "\"" + Nearest.questionOrAll(word, words));
    }

    @Override
    public String toString() {
        String label = region == ALL_REGIONS ? "*" : LABELS.get(region);
        String range =
                first == 0 && last == Long.MAX_VALUE
                        ? ""
                        : ":0x" + Long.toHexString(first) + "-0x" + Long.toHexString(last);
        return label + range + "=" + mode.word();
    }
}
