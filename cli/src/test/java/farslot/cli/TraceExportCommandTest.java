package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class TraceExportCommandTest {
    @TempDir Path folder;

    private final StringWriter err = new StringWriter();
    private Path trace;
    @RegisterExtension final OwnFolder own = new OwnFolder();

    @BeforeEach
    void makeTrace() throws IOException {
        FunctionDescription function =
                new FunctionDescription(
                        "none",
                        new Identity(1, 2, 3, 4, 5, 6),
                        List.of(),
                        List.of(),
                        0,
                        0,
                        0,
                        Set.of(),
                        Set.of());
        trace = folder.resolve("t.fst");
        try (TraceWriter writer = TraceWriter.create(trace, function, TraceOptions.DEFAULT)) {
            writer.mark("one");
        }
    }

    private int farslot(Object... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(new StringWriter()));
        line.setErr(new PrintWriter(err));
        return line.execute(Stream.of(args).map(Object::toString).toArray(String[]::new));
    }

    @Test
    void shouldWriteIntoAFileOnlyOnceAllIsWritten() throws IOException {
        Path text = folder.resolve("t.mmiotrace");
        assertEquals(
                ExitCode.OK, farslot("trace", "export", trace, "--to", "mmiotrace", "-o", text));
        List<String> lines = Files.readAllLines(text);
        assertEquals("VERSION 20070824", lines.getFirst());
        assertTrue(lines.getLast().endsWith(" one"), lines.getLast());
        Path damaged = Files.writeString(folder.resolve("no.fst"), "hello");
        assertEquals(
                ExitCode.USAGE,
                farslot("trace", "export", damaged, "--to", "mmiotrace", "-o", text));
        assertEquals(lines, Files.readAllLines(text));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(3, files.count(), "and nothing unfinished");
        }
    }

    @Test
    void shouldRefuseInASentenceWhatCannotBeWritten() {
        assertEquals(ExitCode.USAGE, farslot("trace", "export", trace, "--to", "mmiotrac"));
        assertTrue(err.toString().contains("did you mean \"mmiotrace\"?"), err.toString());
        Path nowhere = folder.resolve("none").resolve("t");
        assertEquals(
                ExitCode.FAILED,
                farslot("trace", "export", trace, "--to", "mmiotrace", "-o", nowhere));
        assertTrue(err.toString().contains("its folder does not exist."), err.toString());
    }

    @Test
    void shouldWriteTheEventsAsATableWhenAsked() throws IOException {
        String heads = "trace,number,nanos,kind,";
        for (String format : List.of("csv", "jsonl", "parquet")) {
            Path file = Files.writeString(folder.resolve("t." + format), "before");
            assertEquals(
                    ExitCode.OK, farslot("trace", "export", trace, "--to", format, "-o", file));
            byte[] bytes = Files.readAllBytes(file);
            String begin = new String(bytes, 0, 24, StandardCharsets.ISO_8859_1);
            switch (format) {
                case "csv" -> assertEquals(heads, begin);
                case "jsonl" -> assertEquals("{\"trace\":\"", begin.substring(0, 10));
                default -> assertEquals("PAR1", begin.substring(0, 4));
            }
        }
        Path none = folder.resolve("none.csv");
        assertEquals(
                ExitCode.OK,
                farslot("trace", "export", trace, "--to", "csv", "-o", none, "--where", "write"));
        List<String> lines = Files.readAllLines(none);
        assertEquals(1, lines.size(), "the headings");
        assertTrue(lines.getFirst().startsWith(heads), lines.getFirst());
    }

    @Test
    void shouldLeaveAFileAsItWasWhenItsTableCannotBeMade() throws IOException {
        Path file = Files.writeString(folder.resolve("t.csv"), "before");
        assertEquals(ExitCode.USAGE, farslot("trace", "export", trace, "--to", "cvs", "-o", file));
        assertTrue(err.toString().contains("There is no format \"cvs\""), err.toString());
        assertTrue(err.toString().contains("did you mean \"csv\"?"), err.toString());
        assertEquals(ExitCode.USAGE, farslot("trace", "export", trace, "-o", file));
        assertTrue(err.toString().contains("Which format? --to takes mmiotrace, "), err.toString());
        assertEquals(ExitCode.USAGE, farslot("trace", "export", trace, "--to", "parquet"));
        assertTrue(err.toString().contains("parquet is no text"), err.toString());
        assertEquals(
                ExitCode.USAGE,
                farslot("trace", "export", trace, "--to", "csv", "-o", file, "--where", "wite"));
        assertTrue(err.toString().contains("--where: "), err.toString());
        assertEquals("before", Files.readString(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"csv", "jsonl", "parquet"})
    void shouldSaySoWhenThereIsNoSpace(String format) {
        assertEquals(
                ExitCode.FAILED,
                farslot("trace", "export", trace, "--to", format, "-o", "/dev/full"));
        assertTrue(
                err.toString().contains("/dev/full cannot be written: No space left on device."),
                err.toString());
    }

    @Test
    void shouldMakeATraceOfWhatWasExported() throws IOException {
        Path text = folder.resolve("t.mmiotrace");
        Path again = folder.resolve("again.fst");
        assertEquals(
                ExitCode.OK, farslot("trace", "export", trace, "--to", "mmiotrace", "-o", text));
        assertEquals(ExitCode.OK, farslot("trace", "import", text, "-o", again));
        assertTrue(err.toString().contains("again.fst has 1 events of none 0001:0002."));
        assertEquals(ExitCode.FAILED, farslot("trace", "import", text, "-o", again));
        assertTrue(err.toString().contains("the file exists"), err.toString());
        Path other = folder.resolve("other.fst");
        assertEquals(ExitCode.USAGE, farslot("trace", "import", trace, "-o", other));
        assertTrue(err.toString().contains("this is no mmiotrace"), err.toString());
        assertEquals(ExitCode.NOT_FOUND, farslot("trace", "import", other, "-o", other));
        assertFalse(Files.exists(other));
    }
}
