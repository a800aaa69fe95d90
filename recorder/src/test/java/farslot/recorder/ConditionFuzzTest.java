package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Any text is a condition that means the same when printed, or is refused with its place. */
@Timeout(60)
class ConditionFuzzTest {
    private static final Path CORPUS =
            Path.of("src/test/resources/farslot/recorder/ConditionFuzzTestInputs/parse");

    private static final List<TraceEvent> EVENTS =
            List.of(
                    ConditionSamples.write(0x14, 4, 0x460001),
                    ConditionSamples.read(0x1c, 4, 9),
                    ConditionSamples.read(0x1000, 64, -1),
                    ConditionSamples.failedRead(0),
                    ConditionSamples.dma(true, -8, 16, 5),
                    ConditionSamples.masked(1, 3),
                    ConditionSamples.mark("mount"));

    @FuzzTest(maxDuration = "30m")
    void parse(byte[] input) {
        madeOrRefused(input);
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void shouldMakeOrRefuseWhatWasFoundBefore(Path input) throws IOException {
        madeOrRefused(Files.readAllBytes(input));
    }

    static List<Path> corpus() throws IOException {
        try (Stream<Path> files = Files.list(CORPUS)) {
            return files.sorted().toList();
        }
    }

    private static void madeOrRefused(byte[] input) {
        String text = new String(input, StandardCharsets.UTF_8);
        Condition condition;
        try {
            condition = Condition.of(text, ConditionSamples.NAMES);
        } catch (ConditionException refused) {
            assertShown(text, refused);
            return;
        }
        Condition printed = ConditionSamples.condition(condition.toString());
        assertEquals(condition.toString(), printed.toString());
        assertEquals(condition.needsEnd(), printed.needsEnd());
        for (TraceEvent event : EVENTS) {
            assertEquals(condition.test(event), printed.test(event), text);
        }
    }

    private static void assertShown(String text, ConditionException refused) {
        String[] lines = refused.getMessage().split("\n", -1);
        assertEquals(3, lines.length, refused.getMessage());
        assertTrue(lines[0].matches(".*[.?]"), lines[0]);
        assertFalse(
                refused.getMessage().replace("\n", "").chars().anyMatch(Character::isISOControl));
        assertTrue(refused.line() >= 1 && refused.column() >= 1);
        assertTrue(refused.line() <= 1 + text.chars().filter(c -> c == '\n').count());
    }
}
