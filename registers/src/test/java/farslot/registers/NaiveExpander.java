package farslot.registers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

/**
 * A second reading of register databases, by DOM and by hand, that knows nothing of the loader:
 * just where registers are and what they are called.
 */
final class NaiveExpander {
    /**
     * A register, of arrays the first and the last element.
     *
     * @param name its own and those of the arrays that it is in, without indexes
     */
    record Place(String domain, String name, long first, long last, int widthBits) {}

    private final Path root;
    private final Map<Path, Element> files = new HashMap<>();
    private final Map<String, List<Element>> groups = new HashMap<>();
    private final List<Element> domains = new ArrayList<>();
    private final List<Place> places = new ArrayList<>();

    private NaiveExpander(Path root) {
        this.root = root;
    }

    static Element parse(Path file) {
        try {
            return DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(file.toFile())
                    .getDocumentElement();
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new IllegalStateException(file.toString(), e);
        }
    }

    /** All registers of a rules-ng-ng file and what it imports, relative to its folder. */
    static List<Place> ofRulesNg(Path file) {
        NaiveExpander expander = new NaiveExpander(file.getParent());
        expander.readFile(file);
        for (Element domain : expander.domains) {
            int cell = domain.hasAttribute("width") ? (int) number(domain, "width") / 8 : 1;
            expander.walk(domain, domain.getAttribute("name"), cell, "", 0, 0);
        }
        return expander.places;
    }

    private void readFile(Path file) {
        if (Files.exists(file) && !files.containsKey(file)) {
            Element database = parse(file);
            files.put(file, database);
            define(database);
        }
    }

    private void define(Element element) {
        for (Element child : children(element)) {
            switch (child.getTagName()) {
                case "import" -> readFile(root.resolve(child.getAttribute("file")));
                case "domain" -> domains.add(child);
                case "group" ->
                        groups.computeIfAbsent(child.getAttribute("name"), n -> new ArrayList<>())
                                .add(child);
                default -> {}
            }
            define(child);
        }
    }

    private void walk(
            Element parent, String domain, int cell, String prefix, long first, long further) {
        for (Element child : children(parent)) {
            String tag = child.getTagName();
            if (tag.equals("use-group")) {
                for (Element group : groups.get(child.getAttribute("name"))) {
                    walk(group, domain, cell, prefix, first, further);
                }
                continue;
            }
            boolean register = tag.startsWith("reg");
            if (!register && !tag.equals("array") && !tag.equals("stripe")) {
                continue;
            }
            int width = register ? Integer.parseInt(tag.substring(3)) : 0;
            long offset = child.hasAttribute("offset") ? number(child, "offset") * cell : 0;
            long length = child.hasAttribute("length") ? number(child, "length") : 1;
            long stride = child.hasAttribute("stride") ? number(child, "stride") * cell : width / 8;
            length = length == 0 ? 65536 : length;
            String name = prefix + child.getAttribute("name");
            long at = first + offset;
            long more = further + stride * (length - 1);
            if (register) {
                places.add(new Place(domain, name, at, at + more, width));
            } else {
                walk(
                        child,
                        domain,
                        cell,
                        child.hasAttribute("name") ? name + "." : prefix,
                        at,
                        more);
            }
        }
    }

    /** All registers of a CMSIS-SVD file without arrays and clusters, such as rp2040.svd. */
    static List<Place> ofPlainSvd(Path file) {
        Map<String, Element> peripherals = new HashMap<>();
        List<Place> places = new ArrayList<>();
        for (Element peripheral : children(child(parse(file), "peripherals"))) {
            String name = text(peripheral, "name");
            peripherals.put(name, peripheral);
            String base = peripheral.getAttribute("derivedFrom");
            Element from = base.isEmpty() ? peripheral : peripherals.get(base);
            for (Element register : children(child(from, "registers"))) {
                long at = Long.decode(text(register, "addressOffset"));
                places.add(new Place(name, text(register, "name"), at, at, 32));
            }
        }
        return places;
    }

    static List<Element> children(Element element) {
        List<Element> children = new ArrayList<>();
        for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof Element child) {
                children.add(child);
            }
        }
        return children;
    }

    static Element child(Element element, String tag) {
        return children(element).stream()
                .filter(c -> c.getTagName().equals(tag))
                .findFirst()
                .orElse(null);
    }

    static String text(Element element, String tag) {
        return child(element, tag).getTextContent().strip();
    }

    private static long number(Element element, String attribute) {
        return Long.decode(element.getAttribute(attribute));
    }
}
