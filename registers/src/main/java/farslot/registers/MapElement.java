package farslot.registers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One element of a map's XML, with the place that messages name. */
final class MapElement {
    final String tag;
    final String file;
    final int line;

    /** Attributes by name; ours of {@link RegisterMapLoader#NAMESPACE} begin with "f:". */
    final Map<String, String> attributes = new LinkedHashMap<>();

    final List<MapElement> children = new ArrayList<>();

    /** The text of {@code <brief>} and {@code <doc>}. */
    final StringBuilder text = new StringBuilder();

    MapElement(String tag, String file, int line) {
        this.tag = tag;
        this.file = file;
        this.line = line;
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

    /** The one line of documentation: {@code <brief>}, or "". */
    String brief() {
        for (MapElement child : children) {
            if (child.tag.equals("brief")) {
                return child.text.toString().strip().replaceAll("\\s+", " ");
            }
        }
        return "";
    }
}
