package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.core.Region;
import farslot.recorder.Condition;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class TraceCommandTest {
    /** Of a function that has nothing but configuration space. */
    static final FunctionDescription DESCRIPTION =
            new FunctionDescription(
                    "none",
                    new Identity(1, 2, 3, 4, 5, 6),
                    List.of(
                            new Region(
                                    Region.CONFIGURATION,
                                    Region.Space.CONFIGURATION,
                                    4096,
                                    Set.of(),
                                    4)),
                    List.of(),
                    0,
                    0,
                    0,
                    Set.of(),
                    Set.of());

    @TempDir Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int farslot(Object... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(List.of(args).stream().map(Object::toString).toArray(String[]::new));
    }

    private Path trace() throws IOException {
        Path file = folder.resolve("t.fst");
        try (TraceWriter writer = TraceWriter.create(file, DESCRIPTION, TraceOptions.DEFAULT)) {
            writer.mark("one");
            writer.mark("two");
            writer.mark("three");
        }
        return file;
    }

    @Test
    void shouldShowOneLineAnEvent() throws IOException {
        assertEquals(ExitCode.OK, farslot("trace", "show", trace(), "--count", 2));
        List<String> lines = out.toString().lines().toList();
        assertEquals(2, lines.size());
        assertTrue(lines.get(1).endsWith("  mark       -     two"), lines.get(1));
    }

    @Test
    void shouldFailWhereItsOutputTakesNoMore() throws Exception {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "Skipped: there is no /dev/full.");
        try (VerbProcess process =
                VerbProcess.startInto(full, folder, "trace", "show", trace().toString())) {
            assertEquals(ExitCode.FAILED, process.exitCode());
            assertTrue(process.talk().contains("Standard output takes no more"), process.talk());
        }
    }

    @Test
    void shouldShowJsonLines() throws IOException {
        assertEquals(ExitCode.OK, farslot("trace", "show", trace(), "--json", "--where", "mark"));
        List<String> lines = out.toString().lines().toList();
        assertEquals(3, lines.size());
        assertTrue(lines.get(2).startsWith("{\"number\":2,"), lines.get(2));
    }

    @Test
    void shouldColourLinesOnlyWhereThatIsWanted() throws IOException {
        Path file = trace();
        assertEquals(ExitCode.OK, farslot("trace", "show", file, "--color", "always"));
        String line = out.toString().lines().findFirst().orElseThrow();
        assertTrue(line.contains("\u001b[1;32mmark       \u001b[0m-     one"), line);
        String painted = out.toString();
        out.getBuffer().setLength(0);
        assertEquals(ExitCode.OK, farslot("trace", "show", file, "--color", "never"));
        assertEquals(painted.replaceAll("\u001b\\[[0-9;]*m", ""), out.toString());
        assertEquals(ExitCode.USAGE, farslot("trace", "show", file, "--color", "green"));
    }

    @Test
    void shouldBeginLinesWithNumbers() throws IOException {
        assertEquals(ExitCode.OK, farslot("trace", "show", trace(), "--numbers"));
        List<String> lines = out.toString().lines().toList();
        assertTrue(lines.get(2).startsWith("        2     0."), lines.get(2));
    }

    @Test
    void shouldShowOnlyWhatIsAskedFor() throws IOException {
        assertEquals(
                ExitCode.OK,
                farslot("trace", "show", trace(), "--where", "mark and text ~ T and count == 2"));
        assertEquals(1, out.toString().lines().count());
        assertTrue(out.toString().endsWith("-     three\n"), out.toString());
    }

    @Test
    void shouldShowWhereAnExpressionIsWrong() throws IOException {
        assertEquals(ExitCode.USAGE, farslot("trace", "show", trace(), "--where", "mark and ird"));
        assertEquals(
                """
                farslot: --where: There is no register or word "ird"; did you mean "irq"?
                  mark and ird
                           ^^^
                """,
                err.toString());
        assertEquals("", out.toString());
    }

    @Test
    void shouldExplainExpressionsWithoutATrace() {
        assertEquals(ExitCode.OK, farslot("trace", "show", "--where", "help"));
        assertEquals(Condition.help(), out.toString().lines().toList());
        assertEquals(ExitCode.USAGE, farslot("trace", "show", "--where", "irq"));
    }

    @Test
    void shouldCount() throws IOException {
        Path file = trace();
        assertEquals(ExitCode.OK, farslot("trace", "stats", file));
        assertTrue(out.toString().startsWith("3 events of none in "), out.toString());
        assertTrue(out.toString().contains("mark        3"), out.toString());
        assertEquals(ExitCode.OK, farslot("trace", "stats", file, "--json"));
        assertTrue(out.toString().contains("\"mark\" : 3"), out.toString());
    }

    @Test
    void shouldShowConfigurationSpaceByName() throws IOException {
        Path file = trace();
        assertEquals(ExitCode.OK, farslot("trace", "config", file, "--at", 1));
        String text = out.toString();
        assertTrue(text.contains("\nnone 0001:0002 as it was after event 1, at "), text);
        assertTrue(text.contains("  0x000  VENDOR           0x0001"), text);
        assertTrue(text.contains("  not seen: COMMAND, STATUS, "), text);
        assertEquals(ExitCode.OK, farslot("trace", "config", file, "--json"));
        assertTrue(out.toString().contains("\"register\" : \"VENDOR\""), out.toString());
        assertEquals(ExitCode.USAGE, farslot("trace", "config", file, "--at", -1));
    }

    @Test
    void shouldRefuseADecoderThatIsNotThereOrDoesNotKnowTheFunction() throws IOException {
        Path file = trace();
        assertEquals(ExitCode.OK, farslot("trace", "decode", file, "--only", "pci"));
        assertEquals(1, out.toString().lines().count(), "a heading and no transactions");
        assertEquals(ExitCode.USAGE, farslot("trace", "decode", file, "--only", "pcii"));
        assertTrue(err.toString().contains("did you mean \"pci\"?"), err.toString());
        assertEquals(ExitCode.USAGE, farslot("trace", "decode", file, "--only", "usb4"));
        assertTrue(err.toString().contains("\"usb4\"; there are: "), err.toString());
    }

    @Test
    void shouldSayThatAFolderIsNoFile() throws IOException {
        Path file = trace();
        refusedAsFolder("trace", "show", folder);
        refusedAsFolder("trace", "stats", folder);
        refusedAsFolder("trace", "query", folder, "--named", "errors");
        refusedAsFolder("trace", "import", folder, "-o", folder.resolve("x.fst"));
        refusedAsFolder("trace", "export", file, "--to", "pcapng", "-o", folder);
        try (var files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    private void refusedAsFolder(Object... args) {
        err.getBuffer().setLength(0);
        assertEquals(ExitCode.USAGE, farslot(args), err.toString());
        assertTrue(err.toString().contains(folder + " is a folder"), err.toString());
    }

    @Test
    void shouldAskForNumbersInWordsOfPeople() throws IOException {
        Path file = trace();
        assertEquals(ExitCode.USAGE, farslot("trace", "config", file, "--at", "x"));
        assertTrue(err.toString().contains("'x' is not a whole number. "), err.toString());
        assertEquals(ExitCode.USAGE, farslot("trace", "show", file, "--since", "y"));
        assertTrue(err.toString().contains("'y' is not a number. "), err.toString());
    }

    @Test
    void shouldLeaveNoTraceWhereTheDiskIsTooSmallForAnImport() throws Exception {
        Path text = folder.resolve("long.mmiotrace");
        StringBuilder lines = new StringBuilder("VERSION 20070824\n");
        lines.append("PCIDEV 0100 12345678 0 f0000000 0 0 0 0 0 0 1000 0 0 0 0 0 0 widget\n");
        lines.append("MAP 0.5 1 0xf0000000 0x0 0x1000 0x0 0\n");
        for (int i = 0; i < 20_000; i++) {
            lines.append("R 4 3.0 1 0xf0000000 0x1 0x0 0\n");
        }
        Files.writeString(text, lines);
        Path file = folder.resolve("long.fst");
        try (VerbProcess process =
                VerbProcess.startLimited(
                        folder, 256, "trace", "import", text.toString(), "-o", file.toString())) {
            assertEquals(ExitCode.FAILED, process.exitCode());
            assertTrue(process.talk().contains("cannot be written: "), process.talk());
        }
        assertFalse(Files.exists(file));
    }

    @Test
    void shouldDecodeOnlyWhatHasAWantedEvent() throws IOException {
        Path text = folder.resolve("c.mmiotrace");
        Files.writeString(
                text,
                """
                VERSION 20070824
                PCIDEV 0100 12345678 0 f0000000 0 0 0 0 0 0 1000 0 0 0 0 0 0 widget
                MAP 0.5 1 0xf0000000 0x0 0x1000 0x0 0
                MARK 1.0 farslot write region=CFG offset=0x4 width=2 enables=0x3 took=100 length=2 data=0600
                MARK 2.0 farslot write region=CFG offset=0x3c width=1 enables=0x1 took=100 length=1 data=0b
                W 4 3.0 1 0xf0000000 0x1 0x0 0
                """);
        Path file = folder.resolve("c.fst");
        assertEquals(ExitCode.OK, farslot("trace", "import", text, "-o", file), err.toString());
        assertEquals(ExitCode.OK, farslot("trace", "decode", file));
        assertEquals(3, out.toString().lines().count(), "a heading, two settings: " + out);
        out.getBuffer().setLength(0);
        assertEquals(ExitCode.OK, farslot("trace", "decode", file, "--where", "offset == 0x3c"));
        List<String> lines = out.toString().lines().toList();
        assertEquals(2, lines.size(), out.toString());
        assertTrue(lines.get(1).contains("INT_LINE=0xb"), lines.get(1));
        assertEquals(ExitCode.OK, farslot("trace", "decode", "--where", "help"));
        assertEquals(ExitCode.USAGE, farslot("trace", "decode", file, "--where", "offst == 1"));
        assertTrue(err.toString().contains("did you mean \"offset\"?"), err.toString());
    }

    @Test
    void shouldEndWithTheExitCodesOfDiff() throws IOException {
        Path one = trace();
        assertEquals(0, farslot("trace", "diff", one, one));
        assertTrue(out.toString().startsWith("A  " + one + ": none, 3 events in "), out.toString());
        Path other = folder.resolve("other.fst");
        try (TraceWriter writer = TraceWriter.create(other, DESCRIPTION, TraceOptions.DEFAULT)) {
            writer.mark("one");
            writer.mark("three");
        }
        assertEquals(1, farslot("trace", "diff", one, other));
        assertTrue(out.toString().contains("only A   marks      two"), out.toString());
        assertEquals(1, farslot("trace", "diff", one, other, "--json"));
        assertTrue(out.toString().contains("\"what\" : \"two\""), out.toString());
        assertEquals(2, farslot("trace", "diff", one, folder.resolve("none.fst")));
        assertTrue(err.toString().contains("There is no trace"), err.toString());
        assertEquals(2, farslot("trace", "diff", one, other, "--limit", -1));
    }

    @Test
    void shouldRefuseWhatIsNoTraceInASentence() throws IOException {
        assertEquals(ExitCode.NOT_FOUND, farslot("trace", "show", folder.resolve("no.fst")));
        Path file = Files.writeString(folder.resolve("text.fst"), "hello");
        assertEquals(ExitCode.USAGE, farslot("trace", "stats", file));
        assertTrue(err.toString().contains("is not a Farslot trace"), err.toString());
        Path map = Files.writeString(folder.resolve("map.xml"), "<x/>");
        assertEquals(ExitCode.USAGE, farslot("trace", "stats", trace(), "--map", map));
        assertTrue(err.toString().contains("a register map is a <database>"), err.toString());
        assertEquals(ExitCode.USAGE, farslot("trace"));
    }
}
