package farslot.registers;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.regex.Pattern;
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

    /** Of that, what begins a paragraph. */
    private static final Set<String> PARAGRAPHS = Set.of("ul", "ol", "li", "p", "pre");

    private static final char BYTE_ORDER_MARK = '\uFEFF';
    private static final Pattern CONTROL = Pattern.compile("\\p{Cc}");
    private static final Pattern CONTROL_IN_TEXT = Pattern.compile("[\\p{Cc}&&[^\t\n\r]]");

    private final MapLimits limits;

    MapXml(MapLimits limits) {
        this.limits = limits;
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
            reader = factory.createXMLStreamReader(file, new StringReader(text(file, stream)));
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
                    limits.countElement(element);
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
                        boolean paragraph = PARAGRAPHS.contains(closed.tag);
                        String text = closed.text();
                        open.peek().append(paragraph ? "\n\n" + text + "\n\n" : text, MAX_TEXT);
                    }
                }
                case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA -> {
                    MapElement element = open.peek();
                    if (element != null) {
                        element.append(
                                CONTROL_IN_TEXT.matcher(reader.getText()).replaceAll("\uFFFD"),
                                MAX_TEXT);
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

    /** The text, read to its end and refused where it is too long or not UTF-8. */
    private String text(String file, InputStream stream) {
        try {
            byte[] bytes = stream.readNBytes(MapLimits.MAX_FILE_BYTES + 1);
            if (bytes.length > MapLimits.MAX_FILE_BYTES) {
                throw new RegisterMapException(
                        file + ": the file is longer than 16 MiB, too long for a register map.");
            }
            limits.countFile(file, bytes.length);
            return decoded(file, ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            throw new RegisterMapException(
                    "The register map " + file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    private static String decoded(String file, ByteBuffer bytes) {
        CharBuffer text = CharBuffer.allocate(bytes.remaining());
        if (StandardCharsets.UTF_8.newDecoder().decode(bytes, text, true).isError()) {
            int line = 1;
            for (int at = 0; at < bytes.position(); at++) {
                line += bytes.get(at) == '\n' ? 1 : 0;
            }
            throw new RegisterMapException(
                    file + ", line " + line + ": the file is not UTF-8, as register maps are.");
        }
        text.flip();
        if (text.hasRemaining() && text.get(0) == BYTE_ORDER_MARK) {
            text.get();
        }
        return text.toString();
    }

    /** Without what would command a terminal: names are printed. */
    private static String printable(String text) {
        return text.chars().noneMatch(Character::isISOControl)
                ? text
                : CONTROL.matcher(text).replaceAll("\uFFFD");
    }

    private static MapElement element(String file, XMLStreamReader reader) {
        boolean ours = RegisterMapLoader.NAMESPACE.equals(reader.getNamespaceURI());
        String tag = ours ? "f:" + reader.getLocalName() : reader.getLocalName();
        MapElement element = new MapElement(tag, file, reader.getLocation().getLineNumber());
        for (int i = 0; i < reader.getAttributeCount(); i++) {
            String namespace = reader.getAttributeNamespace(i);
            String name = reader.getAttributeLocalName(i);
            if (namespace == null || namespace.isEmpty()) {
                element.attributes.put(name, printable(reader.getAttributeValue(i)));
            } else if (namespace.equals(RegisterMapLoader.NAMESPACE)) {
                element.attributes.put("f:" + name, printable(reader.getAttributeValue(i)));
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
