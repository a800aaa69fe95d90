package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A map from anywhere is loaded within bounds, and answers for itself, or is refused by name. */
@Timeout(120)
class RegisterMapFuzzTest {
    /**
     * In {@code load} and {@code loadSvd} what the fuzzer begins with; in {@code bounds} what is
     * too slow for it.
     */
    private static final Path CORPUS =
            Path.of("src/test/resources/farslot/registers/RegisterMapFuzzTestInputs");

    /** Of a large map, so many registers are asked everything. */
    private static final int ASKED = 50;

    /**
     * Registers and fields; what has more is loaded, and not written again: that takes its time.
     */
    private static final long MOST_WRITTEN = 5_000;

    @FuzzTest(maxDuration = "30m")
    void load(byte[] input) {
        loadedOrRefused(MapGrammar.xml(input));
    }

    @FuzzTest(maxDuration = "30m")
    void loadSvd(byte[] input) {
        loadedOrRefused(SvdGrammar.xml(input));
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void shouldLoadOrRefuseWhatWasFoundBefore(Path input) throws IOException {
        byte[] bytes = Files.readAllBytes(input);
        boolean svd = input.getParent().endsWith("loadSvd");
        loadedOrRefused(svd ? SvdGrammar.xml(bytes) : MapGrammar.xml(bytes));
    }

    static List<Path> corpus() throws IOException {
        boolean few = "few".equals(System.getProperty("farslot.rounds"));
        try (Stream<Path> files = Files.walk(CORPUS)) {
            List<Path> all =
                    files.filter(Files::isRegularFile)
                            .filter(file -> !few || !file.getParent().endsWith("bounds"))
                            .sorted()
                            .toList();
            return IntStream.range(0, all.size())
                    .filter(index -> !few || index % 8 == 0)
                    .mapToObj(all::get)
                    .toList();
        }
    }

    private static void loadedOrRefused(byte[] xml) {
        String strict = text(RegisterMapLoader.strict(), xml);
        String lenient = text(RegisterMapLoader.lenient(), xml);
        if (strict != null) {
            assertEquals(strict, lenient, "nothing of a strict map is passed over");
        }
    }

    /** All that a map says of itself, or null where it is refused. */
    private static String text(RegisterMapLoader loader, byte[] xml) {
        RegisterMap map;
        try {
            map = loader.load("fuzz.xml", new ByteArrayInputStream(xml));
        } catch (RegisterMapException refused) {
            String sentence = refused.getMessage();
            assertTrue(sentence.startsWith("fuzz.xml"), sentence);
            assertFalse(sentence.contains("\n"), sentence);
            return null;
        }
        if (pieces(map) < MOST_WRITTEN) {
            assertEquals(map, RegisterMapWriterTest.writtenAndLoaded(map));
        }
        StringBuilder text = new StringBuilder();
        for (String remark : map.remarks()) {
            assertTrue(remark.startsWith("fuzz.xml, line "), remark);
            text.append(remark).append('\n');
        }
        for (RegisterDomain domain : map.domains()) {
            assertTrue(map.has(domain.name()));
            text.append(domain.name()).append(' ').append(domain.sizeBytes()).append('\n');
            domain.registers().stream().limit(ASKED).forEach(r -> ask(domain, r, text));
        }
        return text.toString();
    }

    private static long pieces(RegisterMap map) {
        return map.domains().stream()
                .flatMap(domain -> domain.registers().stream())
                .mapToLong(register -> pieces(register.whole()))
                .sum();
    }

    private static long pieces(RegisterField field) {
        return 1
                + field.values().size()
                + field.fields().stream().mapToLong(RegisterMapFuzzTest::pieces).sum();
    }

    private static void ask(RegisterDomain domain, Register register, StringBuilder text) {
        assertTrue(domain.has(register.name()));
        long[] indexes = new long[register.dimensions()];
        long first = register.offset(indexes);
        for (int dimension = 0; dimension < indexes.length; dimension++) {
            indexes[dimension] = register.length(dimension) - 1;
        }
        long last = register.offset(indexes);
        assertEquals(register.offset(), first);
        assertEquals(register.endOffset(), last + register.widthBytes(), register.toString());
        for (long at : new long[] {first, last, last + register.widthBytes() - 1}) {
            assertEquals(true, register.elementStart(at) >= 0, "its own byte at " + at);
            Register found = domain.find(at);
            assertNotNull(found, "nothing is found at " + at);
            long start = found.elementStart(at);
            assertTrue(start <= at && at - start < found.widthBytes());
            for (int length = 1; length <= 8; length *= 2) {
                text.append(RegisterText.name(domain, at, length)).append(' ');
                RegisterText.appendFields(text, domain, at, length, -1);
            }
            text.append('\n');
        }
        assertEquals(0, register.resetValue() & ~register.resetKnownMask());
        long said = 0;
        for (RegisterAccess access : RegisterAccess.values()) {
            said |= register.mask(access);
        }
        assertEquals(register.whole().mask(), said, "every bit has an access: " + register);
        assertEquals(0, register.writeOnceMask() & ~register.whole().mask());
        text.append(register.brief()).append(register.variants()).append('\n');
    }
}
