package farslot.registers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** One element of a map's XML, with the place that messages name. */
final class MapElement {
    private static final Pattern SPACE = Pattern.compile("\\s+");
    private static final Pattern BLANK_LINE = Pattern.compile("\\n\\s*\\n");

    private static final Pattern LINE_END = Pattern.compile("\\\\n");

    final String tag;
    final String file;
    final int line;

    /** Attributes by name; ours of {@link RegisterMapLoader#NAMESPACE} begin with "f:". */
    final Map<String, String> attributes = new LinkedHashMap<>();

    final List<MapElement> children;

    private StringBuilder text;
    private String documentation;

    MapElement(String tag, String file, int line) {
        this(tag, file, line, new ArrayList<>());
    }

    private MapElement(String tag, String file, int line, List<MapElement> children) {
        this.tag = tag;
        this.file = file;
        this.line = line;
        this.children = children;
    }

    /** The same element with other children. */
    MapElement with(List<MapElement> others) {
        MapElement copy = new MapElement(tag, file, line, others);
        copy.attributes.putAll(attributes);
        return copy;
    }

    String attribute(String name) {
        return attributes.get(name);
    }

    String attribute(String name, String otherwise) {
        return attributes.getOrDefault(name, otherwise);
    }

    boolean has(String name) {
        return attributes.containsKey(name);
    }

    /** "file.xml, line 12". */
    String place() {
        return file + ", line " + line;
    }

    /** Adds to the text between its tags, up to so many characters. */
    void append(CharSequence more, int most) {
        if (text == null) {
            if (more.chars().allMatch(c -> c <= ' ')) {
                return; // the indentation of what stands within
            }
            text = new StringBuilder();
        }
        text.append(more, 0, Math.min(most - text.length(), more.length()));
    }

    /** The text between its tags, as it is, or "". */
    String text() {
        return text == null ? "" : text.toString();
    }

    /**
     * Its text for people: each paragraph a line, without any other white space but single spaces.
     */
    private String documentation() {
        if (documentation == null) {
            documentation = paragraphs(BLANK_LINE, text());
        }
        return documentation;
    }

    private static String paragraphs(Pattern between, String text) {
        return between.splitAsStream(text)
                .map(MapElement::inOneLine)
                .filter(paragraph -> !paragraph.isEmpty())
                .collect(Collectors.joining("\n"));
    }

    static String inOneLine(String text) {
        return SPACE.matcher(text).replaceAll(" ").strip();
    }

    /** The first child with this tag, or null. */
    MapElement child(String childTag) {
        for (MapElement child : children) {
            if (child.tag.equals(childTag)) {
                return child;
            }
        }
        return null;
    }

    /** The text of the first child with this tag, in one line; null where there is none. */
    String childText(String childTag) {
        MapElement child = child(childTag);
        return child == null ? null : inOneLine(child.text());
    }

    /** What {@code <brief>} and {@code <doc>} in it say (rules-ng-ng, 2.1). */
    Doc doc() {
        MapElement brief = child("brief");
        String line = brief == null ? "" : brief.documentation().replace('\n', ' ');
        List<MapElement> docs = children.stream().filter(c -> c.tag.equals("doc")).toList();
        String all =
                docs.size() == 1
                        ? docs.getFirst().documentation()
                        : docs.stream()
                                .map(MapElement::documentation)
                                .filter(paragraph -> !paragraph.isEmpty())
                                .collect(Collectors.joining("\n"));
        return line.isEmpty() && all.isEmpty() ? Doc.NONE : new Doc(line, all);
    }

    /** What {@code <description>} in it says (CMSIS-SVD); "\\n" is a line's end to its authors. */
    Doc description() {
        MapElement description = child("description");
        if (description == null) {
            return Doc.NONE;
        }
        if (description.documentation == null) {
            description.documentation = paragraphs(LINE_END, description.text());
        }
        return Doc.ofText(description.documentation);
    }
}
