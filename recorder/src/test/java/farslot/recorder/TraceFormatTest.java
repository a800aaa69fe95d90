package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** docs/trace-format.md is true: docs/trace-vectors.txt is read as it says that it is meant. */
class TraceFormatTest {
    private static final Path VECTORS =
            Path.of(System.getProperty("farslot.home", ".."), "docs", "trace-vectors.txt");

    @TempDir static Path folder;
    private static byte[] header;

    @BeforeAll
    static void makeHeader() throws IOException {
        header = TraceForge.header(folder);
    }

    /** A vector: either the records of a first block, or a whole file. */
    record Vector(String name, boolean isFile, String hex, List<String> means) {
        byte[] bytes() {
            return HexFormat.of().parseHex(hex);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Vector> vectors() throws IOException {
        List<Vector> vectors = new ArrayList<>();
        String name = "";
        boolean isFile = false;
        StringBuilder hex = new StringBuilder();
        List<String> means = new ArrayList<>();
        for (String line : Files.readAllLines(VECTORS)) {
            int colon = line.indexOf(':');
            String value = colon < 0 ? "" : line.substring(colon + 1).strip();
            switch (colon < 0 ? line : line.substring(0, colon)) {
                case "name" -> name = value;
                case "records", "file" -> {
                    isFile = line.startsWith("file");
                    hex.append(plain(value));
                }
                case "means" -> means.add(value);
                case "" -> {
                    if (!hex.isEmpty()) {
                        vectors.add(new Vector(name, isFile, hex.toString(), List.copyOf(means)));
                    }
                    hex.setLength(0);
                    means.clear();
                }
                default -> {} // a comment
            }
        }
        return vectors.stream();
    }

    /** Hex digits, of which "00*3900" is so many zero bytes. */
    private static String plain(String line) {
        StringBuilder hex = new StringBuilder();
        for (String word : line.split(" ", -1)) {
            boolean many = word.startsWith("00*");
            hex.append(many ? "00".repeat(Integer.parseInt(word.substring(3))) : word);
        }
        return hex.toString();
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void aVectorIsReadAsItIsMeant(Vector vector) throws IOException {
        byte[] bytes = vector.isFile() ? vector.bytes() : TraceForge.ended(header, vector.bytes());
        assertEquals(vector.means(), lines(Files.write(folder.resolve("vector.fst"), bytes)));
    }

    private static List<String> lines(Path file) throws TraceException {
        try (TraceReader reader = TraceReader.open(file)) {
            TraceText text = new TraceText(TraceNames.none());
            List<String> lines = new ArrayList<>();
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                lines.add(text.json(event).replaceAll("\"register\":\"[^\"]*\",", ""));
            }
            assertEquals(0, reader.damaged() + reader.unverified());
            return lines;
        }
    }

    @Test
    void theHeaderIsAsDocumented() throws IOException {
        Path file = folder.resolve("t.fst");
        TraceWriter.create(file, MemoryFunction.DESCRIPTION, TraceOptions.DEFAULT).close();
        byte[] bytes = Files.readAllBytes(file);
        assertEquals(0x1000, bytes.length);
        assertEquals("46 41 52 53 4c 4f 54 0a 02 00 01 00 40 00 00 00", hex(bytes, 0, 16));
        assertEquals("00 10 00 00 00 00 01 00", hex(bytes, 0x10, 0x18));
        assertEquals("01 00 00 00", hex(bytes, 0x40, 0x44));
        assertEquals("06 00 6d 65 6d 6f 72 79", hex(bytes, 0x90, 0x98));
    }

    private static String hex(byte[] bytes, int from, int to) {
        return HexFormat.ofDelimiter(" ").formatHex(bytes, from, to);
    }
}
