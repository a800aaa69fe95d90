package farslot.registers;

import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Reads the XML of a register map into elements. A map may come from anywhere, so document types
 * and entities are refused, and depth, count and length are bounded.
 */
final class MapXml {
    private static final int MAX_DEPTH = 64;
    private static final int MAX_TEXT = 1 << 16;

    /** Documentation's own markup, which is text to us. */
    private static final Set<String> MARKUP =
            Set.of("b", "i", "u", "code", "ul", "ol", "li", "p", "a", "pre", "tt");

    private final RegisterMapLoader.Budget budget;

    MapXml(RegisterMapLoader.Budget budget) {
        this.budget = budget;
    }

    /** The root element. The stream is closed by the caller. */
    MapElement read(String file, InputStream stream) {
        XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
        factory.setProperty(XMLInputFactory.IS_REPLACING_ENTITY_REFERENCES, false);
        factory.setXMLResolver((publicId, systemId, base, namespace) -> {
            throw new XMLStreamException("external entities are refused");
        });
        XMLStreamReader reader = null;
        try {
            reader = factory.createXMLStreamReader(file, budget.bounded(file, stream));
            return elements(file, reader);
        } catch (XMLStreamException e) {
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNumber();
            String reason = e.getMessage() == null ? "unreadable" : e.getMessage();
            int at = reason.indexOf("Message: ");
            throw new RegisterMapException(
                    file
                            + ", line "
                            + line
                            + ": not XML that can be read: "
                            + reason.substring(at < 0 ? 0 : at + "Message: ".length())
                                    .replaceAll("\\s+", " "),
                    e);
        } finally {
            close(reader);
        }
    }

    private MapElement elements(String file, XMLStreamReader reader) throws XMLStreamException {
        Deque<MapElement> open = new ArrayDeque<>();
        MapElement root = null;
        while (reader.hasNext()) {
            switch (reader.next()) {
                case XMLStreamConstants.START_ELEMENT -> {
                    MapElement element = element(file, reader);
                    budget.countElement(element);
                    if (open.size() >= MAX_DEPTH) {
                        throw new RegisterMapException(
                                element.place()
                                        + ": elements are nested deeper than "
                                        + MAX_DEPTH
                                        + ".");
                    }
                    if (open.isEmpty()) {
                        root = element;
                    } else if (!MARKUP.contains(element.tag)) {
                        open.peek().children.add(element);
                    }
                    open.push(element);
                }
                case XMLStreamConstants.END_ELEMENT -> {
                    MapElement closed = open.pop();
                    if (MARKUP.contains(closed.tag) && !open.isEmpty()) {
                        append(open.peek(), closed.text);
                    }
                }
                case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA -> {
                    MapElement element = open.peek();
                    if (element != null && keepsText(element)) {
                        append(element, reader.getText());
                    }
                }
                case XMLStreamConstants.DTD, XMLStreamConstants.ENTITY_REFERENCE ->
                        throw new RegisterMapException(
                                file
                                        + ", line "
                                        + reader.getLocation().getLineNumber()
                                        + ": document types and entities are refused in register"
                                        + " maps.");
                default -> {}
            }
        }
        return root;
    }

    private static boolean keepsText(MapElement element) {
        return element.tag.equals("brief")
                || element.tag.equals("doc")
                || MARKUP.contains(element.tag);
    }

    private static void append(MapElement element, CharSequence text) {
        int room = MAX_TEXT - element.text.length();
        element.text.append(text, 0, Math.min(room, text.length()));
    }

    private static MapElement element(String file, XMLStreamReader reader) {
        MapElement element =
                new MapElement(reader.getLocalName(), file, reader.getLocation().getLineNumber());
        for (int i = 0; i < reader.getAttributeCount(); i++) {
            String namespace = reader.getAttributeNamespace(i);
            String name = reader.getAttributeLocalName(i);
            if (namespace == null || namespace.isEmpty()) {
                element.attributes.put(name, reader.getAttributeValue(i));
            } else if (namespace.equals(RegisterMapLoader.NAMESPACE)) {
                element.attributes.put("f:" + name, reader.getAttributeValue(i));
            }
        }
        return element;
    }

    private static void close(XMLStreamReader reader) {
        if (reader != null) {
            try {
                reader.close();
            } catch (XMLStreamException e) {
                // Nothing is lost: the stream itself is closed by who opened it.
            }
        }
    }
}
