package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import farslot.core.Region;
import farslot.recorder.TraceText;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The words of one of our own marks ({@link MmiotraceMark}), with the data of those that go on with
 * it. They may be anybody's: each is checked when it is asked for.
 */
final class MmiotraceWords {
    private static final int MAX_DATA_BYTES = 1 << 20;

    private final String place;
    private final String kind;
    private final List<String> texts = new ArrayList<>();
    private final Map<String, String> words = new HashMap<>();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();

    /**
     * @param place where the mark is, for sentences
     * @param text of the mark, with the prefix
     */
    MmiotraceWords(String place, String text) throws AnalysisException {
        this.place = place;
        texts.add(text);
        String[] parts = text.substring(MmiotraceMark.PREFIX.length()).split(" ", 2);
        this.kind = parts[0];
        String rest = parts.length < 2 ? "" : parts[1];
        while (!rest.isEmpty()) {
            boolean last = rest.startsWith("text=");
            String[] pair = last ? new String[] {rest} : rest.split(" ", 2);
            int equals = pair[0].indexOf('=');
            if (equals > 0) {
                words.put(pair[0].substring(0, equals), pair[0].substring(equals + 1));
            }
            rest = pair.length < 2 ? "" : pair[1];
        }
        if (words.containsKey("data")) {
            addData(this);
        }
    }

    /** What the mark is of. */
    String kind() {
        return kind;
    }

    /** The texts of the marks, as they stood there. */
    List<String> texts() {
        return texts;
    }

    /** Takes the data of a mark that goes on with this one. */
    void add(MmiotraceWords more) throws AnalysisException {
        texts.addAll(more.texts);
        addData(more);
    }

    private void addData(MmiotraceWords more) throws AnalysisException {
        try {
            data.writeBytes(HexFormat.of().parseHex(more.word("data")));
        } catch (IllegalArgumentException e) {
            throw more.wrong("data", "not bytes in hexadecimal");
        }
        if (data.size() > MAX_DATA_BYTES) {
            throw more.wrong("data", "more than 1 MiB in all");
        }
    }

    byte[] data() {
        return data.toByteArray();
    }

    /** A sentence: of this line, or of the data. */
    String text() {
        String text = words.get("text");
        return text == null ? data.toString(StandardCharsets.UTF_8) : text;
    }

    boolean has(String name) {
        return words.containsKey(name);
    }

    String word(String name) throws AnalysisException {
        String word = words.get(name);
        if (word == null) {
            throw new AnalysisException(
                    place + ": \"farslot " + kind + "\" needs " + name + "=, and has none.");
        }
        return word;
    }

    /** A number, decimal or with 0x in front; of 64 bits. */
    long number(String name) throws AnalysisException {
        String word = word(name);
        try {
            return word.startsWith("0x")
                    ? Long.parseUnsignedLong(word, 2, word.length(), 16)
                    : Long.parseLong(word);
        } catch (NumberFormatException e) {
            throw wrong(name, "not a number");
        }
    }

    long number(String name, long otherwise) throws AnalysisException {
        return has(name) ? number(name) : otherwise;
    }

    /** A number within bounds, both included. */
    int number(String name, int from, int to) throws AnalysisException {
        long number = number(name);
        if (number < from || number > to) {
            throw wrong(name, "not within " + from + " to " + to);
        }
        return (int) number;
    }

    boolean truth(String name) throws AnalysisException {
        return number(name, 0) != 0;
    }

    /** One of an enum's values. */
    <E extends Enum<E>> E one(String name, Class<E> type) throws AnalysisException {
        return one(name, word(name), type);
    }

    <E extends Enum<E>> E one(String name, String word, Class<E> type) throws AnalysisException {
        try {
            return Enum.valueOf(type, word.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw wrong(name, "not one that is known");
        }
    }

    /** The index of a region by its label. */
    int region() throws AnalysisException {
        String word = word("region");
        for (int index = 0; index <= Region.CONFIGURATION; index++) {
            if (MmiotraceMark.label(index).equals(word)) {
                return index;
            }
        }
        throw wrong("region", "not BAR0 to BAR5, ROM or CFG");
    }

    AnalysisException wrong(String name, String why) {
        return new AnalysisException(
                place
                        + ": "
                        + name
                        + " of \"farslot "
                        + kind
                        + "\" is \""
                        + TraceText.clean(words.getOrDefault(name, ""))
                        + "\", which is "
                        + why
                        + ".");
    }
}
