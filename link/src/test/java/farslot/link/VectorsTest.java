package farslot.link;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Messages.Header;
import farslot.link.Messages.Preamble;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The codec means what docs/protocol-vectors.txt says, which was not written with it. */
class VectorsTest {
    /** One test vector: its meaning or its error, each with the word that begins its line. */
    record Vector(String name, String hex, String outcome) {
        byte[] bytes() {
            return HexFormat.of().parseHex(hex);
        }

        MemorySegment frame() {
            return MemorySegment.ofArray(bytes());
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static List<Vector> vectors() throws IOException {
        Path file = Path.of(System.getProperty("farslot.home"), "docs", "protocol-vectors.txt");
        List<Vector> vectors = new ArrayList<>();
        String name = "";
        StringBuilder hex = new StringBuilder();
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith("name:")) {
                name = line.substring("name:".length()).strip();
                hex.setLength(0);
            } else if (line.startsWith("bytes:")) {
                hex.append(line.substring("bytes:".length()).replace(" ", ""));
            } else if (line.startsWith("means:") || line.startsWith("error:")) {
                vectors.add(new Vector(name, hex.toString(), line));
            }
        }
        return vectors;
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void meansWhatTheDocumentSays(Vector vector) {
        assertEquals(vector.outcome(), meaning(vector));
    }

    private static String meaning(Vector vector) {
        MemorySegment frame = vector.frame();
        byte[] magic = Arrays.copyOf(vector.bytes(), Preamble.MAGIC.length);
        if (Arrays.equals(magic, Preamble.MAGIC)) {
            return "means: PREAMBLE version="
                    + Meaning.number(Preamble.VERSION.get(frame, 0))
                    + " minor="
                    + Meaning.number(Preamble.MINOR.get(frame, 0));
        }
        try {
            return "means: " + Meaning.of(frame);
        } catch (BrokenFrameException broken) {
            return "error: " + broken.code();
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void nothingButTheFieldsStandsInAFrame(Vector vector) {
        if (vector.outcome().startsWith("error:") || vector.name().equals("preamble")) {
            return;
        }
        MemorySegment frame = vector.frame();
        Layout layout = Messages.of(Header.TYPE.getInt(frame, 0));
        MemorySegment again = MemorySegment.ofArray(new byte[(int) frame.byteSize()]);
        List<Field> header =
                List.of(
                        Header.LENGTH,
                        Header.TYPE,
                        Header.FLAGS,
                        Header.DESCRIPTORS,
                        Header.GENERATION,
                        Header.TAG,
                        Header.SEQUENCE,
                        Header.ACKNOWLEDGED);
        header.forEach(field -> field.set(again, 0, field.get(frame, 0)));
        layout.fields().forEach(field -> field.set(again, 0, field.get(frame, 0)));
        long end = layout.fixedEnd();
        MemorySegment.copy(frame, end, again, end, frame.byteSize() - end);
        assertArrayEquals(vector.bytes(), again.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void everyMessageHasAVector() throws IOException {
        TreeSet<Integer> types = new TreeSet<>();
        for (Vector vector : vectors()) {
            types.add(Header.TYPE.getInt(vector.frame(), 0));
        }
        for (Layout layout : Messages.ALL) {
            assertTrue(types.contains(layout.type()), layout.name());
        }
    }

    @Test
    void everyMessageIsInTheDocumentByNumberAndName() throws IOException {
        Path file = Path.of(System.getProperty("farslot.home"), "docs", "protocol.md");
        String document = Files.readString(file);
        for (Layout layout : Messages.ALL) {
            String number = String.format("0x%02x", layout.type());
            assertTrue(
                    document.contains(number + " " + layout.name())
                            || document.contains("| " + number + " | " + layout.name()),
                    number + " " + layout.name());
        }
    }
}
