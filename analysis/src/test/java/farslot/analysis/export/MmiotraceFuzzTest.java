package farslot.analysis.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.code_intelligence.jazzer.junit.Lifecycle;
import farslot.analysis.AnalysisException;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever calls itself a mmiotrace becomes a trace that is whole, and the same trace again by way
 * of our own export; or it is refused in a sentence, and nothing is made.
 */
@Timeout(120)
class MmiotraceFuzzTest {
    private static final Path CORPUS =
            Path.of("src/test/resources/farslot/analysis/export/MmiotraceFuzzTestInputs/read");

    @TempDir static Path folder;

    @FuzzTest(maxDuration = "30m", lifecycle = Lifecycle.PER_TEST)
    void read(byte[] input) throws Exception {
        importedOrRefused(input);
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void shouldImportOrRefuseWhatWasFoundBefore(Path input) throws Exception {
        importedOrRefused(Files.readAllBytes(input));
    }

    static List<Path> corpus() throws Exception {
        try (Stream<Path> files = Files.list(CORPUS)) {
            return files.sorted().toList();
        }
    }

    private static void importedOrRefused(byte[] input) throws Exception {
        Path first = folder.resolve("first.fst");
        Path second = folder.resolve("second.fst");
        Files.deleteIfExists(first);
        Files.deleteIfExists(second);
        Path text = Files.write(folder.resolve("in"), input);
        try {
            MmiotraceImport.run(text, null, first);
        } catch (AnalysisException | TraceException refused) {
            String sentence = refused.getMessage();
            assertTrue(sentence.endsWith("."), sentence);
            assertFalse(sentence.chars().anyMatch(Character::isISOControl), sentence);
            assertFalse(Files.exists(first), sentence);
            return;
        }
        String exported = export(first);
        Files.writeString(text, exported);
        assertEquals(List.of(), MmiotraceImport.run(text, null, second).remarks());
        assertEquals(exported, export(second));
    }

    private static String export(Path trace) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TraceReader reader = TraceReader.open(trace)) {
            new MmiotraceExport()
                    .write(
                            ExportedTrace.whole(reader, TraceNames.of(reader.description()), null),
                            out);
            assertEquals(0, reader.damaged() + reader.unverified() + reader.unfinished());
            for (String remark : reader.remarks()) {
                assertTrue(remark.endsWith("are missing."), remark);
            }
        }
        return out.toString(StandardCharsets.UTF_8);
    }
}
