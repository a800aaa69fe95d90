package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.CapabilityPlace;
import farslot.core.FunctionDescription.Identity;
import farslot.recorder.Condition;
import farslot.recorder.ConditionException;
import farslot.recorder.TraceNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** docs/expressions.md says what is so. */
class ExpressionsPageTest {
    private static final Path PAGE = Path.of("../docs/expressions.md");
    private static final Pattern BLOCK = Pattern.compile("(?s)```(\\w*)\\n(.*?)```");
    private static final TraceNames NVME =
            TraceNames.of(
                    new FunctionDescription(
                            "nvme",
                            new Identity(1, 2, 3, 4, 5, 6),
                            List.of(),
                            List.of(new CapabilityPlace(0x10, false, 0x40, 0x3c)),
                            0,
                            0,
                            0,
                            Set.of(),
                            Set.of()));

    private static List<String> blocks(String language) throws IOException {
        Matcher block = BLOCK.matcher(Files.readString(PAGE));
        return block.results()
                .filter(found -> found.group(1).equals(language))
                .map(found -> found.group(2))
                .toList();
    }

    static List<String> expressions() throws IOException {
        return blocks("expr").stream().flatMap(String::lines).toList();
    }

    @ParameterizedTest
    @MethodSource("expressions")
    void shouldCompileEachExpression(String expression) throws ConditionException {
        Condition.of(expression, NVME);
    }

    @Test
    void shouldBeRefusedAsThePageSays() throws IOException {
        String shown = blocks("").getLast().strip();
        String expression = shown.lines().toList().get(1).strip();
        ConditionException e =
                assertThrows(ConditionException.class, () -> Condition.of(expression, NVME));
        assertEquals(shown, e.getMessage());
    }

    @Test
    void shouldUseEveryFieldOfTheLanguage() throws IOException {
        String all = String.join("\n", expressions());
        List<String> fields =
                Condition.help().stream()
                        .dropWhile(line -> !line.startsWith("Fields"))
                        .filter(line -> line.matches("  [a-z-]+  .*"))
                        .map(line -> line.strip().split(" ", 2)[0])
                        .toList();
        assertTrue(fields.size() > 15, fields::toString);
        for (String field : fields) {
            assertTrue(Pattern.compile("\\b" + field + "\\b").matcher(all).find(), field);
        }
    }
}
