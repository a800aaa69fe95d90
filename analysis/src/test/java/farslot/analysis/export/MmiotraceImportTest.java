package farslot.analysis.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.analysis.AnalysisException;
import farslot.core.FunctionDescription.Identity;
import farslot.core.Region;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceText;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MmiotraceImportTest {
    /** As Linux prints it, of a machine with a graphics card and a network card. */
    private static final String LINUX =
            """
            VERSION 20070824
            PCIDEV 0000 80860f00 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 iosf_mbi_pci
            PCIDEV 0010 80860f31 61 b0000000 0 a0000008 0 e081 0 c0002 400000 0 10000000 0 8 0 20000 i915
            PCIDEV 0100 10ec8168 1f d001 0 f7c04004 0 f7c00004 0 0 100 0 1000 0 4000 0 0 r8169
            MAP 71.000120 1 0xb0000000 0xffffc90000800000 0x200000 0x0 0
            R 4 71.000200 1 0xb0002024 0xdeadbeef 0xffffffffa0012345 0
            W 4 71.000210 1 0xb0002024 0x1 0x0 0
            MARK 71.000300 X  is up
            W 1 71.000400 1 0xb0000003 0xab 0x0 0
            R 8 71.000500 2 0xa0000010 0x123456789abcdef0 0x0 0
            UNKNOWN 71.000600 1 0xb0000040 00,f3,a5 0x0 0
            R 4 71.000700 9 0xfee00020 0x0 0x0 0
            MARK 0.000000 Lost 3 events.
            UNMAP 72.000000 1 0x0 0
            """;

    @TempDir Path folder;

    private Path trace;
    private MmiotraceImport.Imported imported;

    private List<String> lines(String text, String device) throws Exception {
        Path file = Files.writeString(folder.resolve("in.mmiotrace"), text);
        trace = folder.resolve("out.fst");
        Files.deleteIfExists(trace);
        imported = MmiotraceImport.run(file, device, trace);
        try (TraceReader reader = TraceReader.open(trace)) {
            TraceText shown = new TraceText(TraceNames.of(reader.description()));
            List<String> lines = new ArrayList<>();
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                lines.add(shown.line(event).strip().replaceAll(" +", " "));
            }
            return lines;
        }
    }

    private String refusal(String text, String device) throws Exception {
        Path file = Files.writeString(folder.resolve("in.mmiotrace"), text);
        Path out = folder.resolve("refused.fst");
        AnalysisException refused =
                assertThrows(AnalysisException.class, () -> MmiotraceImport.run(file, device, out));
        assertFalse(Files.exists(out), "nothing is made");
        return refused.getMessage().replace(folder + "/", "");
    }

    private static String export(Path trace) throws Exception {
        Path text = Files.createTempFile(trace.getParent(), "export", ".mmiotrace");
        try (TraceReader reader = TraceReader.open(trace);
                OutputStream out = Files.newOutputStream(text)) {
            new MmiotraceExport()
                    .write(
                            ExportedTrace.whole(reader, TraceNames.of(reader.description()), null),
                            out);
        }
        return Files.readString(text);
    }

    @Test
    void shouldReadWhatLinuxRecorded() throws Exception {
        assertEquals(
                List.of(
                        "0.000000000 mark - BAR0 is at 0xb0000000",
                        "0.000000000 mark - BAR2 is at 0xa0000000",
                        "0.000000000 mark - BAR4 is at 0xe080",
                        "0.000000000 mark - ROM is at 0xc0000",
                        "71.000200000 read BAR0 0x2024 0xdeadbeef",
                        "71.000210000 write BAR0 0x2024 0x00000001",
                        "71.000300000 mark - X is up",
                        "71.000400000 write BAR0 0x3 0xab",
                        "71.000500000 read BAR2 0x10 0x123456789abcdef0",
                        "71.000600000 mark - UNKNOWN 71.000600 1 0xb0000040 00,f3,a5 0x0 0"),
                lines(LINUX, null).stream()
                        .filter(line -> !line.contains("lost"))
                        .map(line -> line.replaceFirst(" pc=.*", ""))
                        .toList());
        assertEquals("i915", imported.function().kind());
        assertEquals(new Identity(0x8086, 0xf31, 0, 0, 0, 0), imported.function().identity());
        Region aperture = imported.function().region(2).orElseThrow();
        assertEquals(0x1000_0000, aperture.sizeBytes());
        assertTrue(aperture.has(Region.Attribute.PREFETCHABLE));
        assertEquals(Region.Space.IO_PORT, imported.function().region(4).orElseThrow().space());
        assertEquals(
                List.of("Accesses to addresses of no region of this function were left out: 1."),
                imported.remarks());
        try (TraceReader reader = TraceReader.open(trace)) {
            assertEquals(3, reader.lost());
            for (int i = 0; i < 4; i++) {
                reader.next();
            }
            assertEquals(0xffffffffa0012345L, reader.next().stamp().programCounter());
        }
    }

    @Test
    void shouldGiveBackThePlacesOfSomebodyElsesFunction() throws Exception {
        lines(LINUX, null);
        String text = export(trace);
        assertTrue(
                text.lines()
                        .toList()
                        .get(1)
                        .startsWith(
                                "PCIDEV 0100 80860f31 0 b0000000 0 a0000008 0 e081 0 c0000 400000 0 10000000"),
                text);
        assertTrue(
                text.contains("R 4 71.000200 1 0xb0002024 0xdeadbeef 0xffffffffa0012345 0\n"),
                text);
        assertTrue(text.endsWith("Lost 3 events.\n"), text);
        lines(text, null);
        assertEquals(text, export(trace));
    }

    @Test
    void shouldGiveBackARecordingOfOurs() throws Exception {
        Path recorded = Widget.record(folder);
        String text = export(recorded);
        lines(text, null);
        assertEquals(text, export(trace));
        try (TraceReader before = TraceReader.open(recorded);
                TraceReader after = TraceReader.open(trace)) {
            assertEquals(before.description(), after.description());
            assertEquals(before.began(), after.began());
            assertTrue(java.util.Arrays.equals(before.configuration(), after.configuration()));
        }
    }

    @Test
    void shouldAskWhichFunctionIsMeantWhereSeveralWereUsed() throws Exception {
        String both = LINUX + "R 2 73.0 5 0xf7c0003e 0x8000 0x0 0\n";
        assertEquals(
                "in.mmiotrace has accesses of several functions: 00:02.0 8086:0f31 i915 (accesses:"
                        + " 4), 01:00.0 10ec:8168 r8169 (accesses: 1); choose one with --device.",
                refusal(both, null));
        for (String name : List.of("01:00.0", "1:0.0", "0000:01:00.0")) {
            assertTrue(lines(both, name).contains("73.000000000 read BAR4 0x3e 0x8000"));
            assertEquals("r8169", imported.function().kind());
        }
        assertEquals(
                "in.mmiotrace has no function 02:00.0; there are: 00:00.0 8086:0f00 iosf_mbi_pci,"
                        + " 00:02.0 8086:0f31 i915 (accesses: 4), 01:00.0 10ec:8168 r8169"
                        + " (accesses: 1).",
                refusal(both, "02:00.0"));
    }

    @Test
    void shouldGuessRegionsWhereNoDeviceIsNamed() throws Exception {
        String text =
                """
                VERSION 20070824
                MAP 1.0 1 0x90000000 0xffff 0x1800 0x0 0
                R 4 1.1 1 0x90000008 0x7 0x0 0
                R 4 1.2 1 0x9000105c 0xfa02003 0x0 0
                W 4 1.25 2 0x80001010 0x1
                """;
        List<String> lines = lines(text, null);
        assertTrue(lines.contains("1.200000000 read BAR1 0x105c 0x0fa02003"), lines.toString());
        assertTrue(lines.contains("1.250000000 write BAR0 0x10 0x00000001"), lines.toString());
        assertEquals("unknown", imported.function().kind());
        assertEquals(0x2000, imported.function().region(1).orElseThrow().sizeBytes());
        assertEquals(
                "in.mmiotrace has no accesses and no mappings: there is nothing to make a trace"
                        + " of.",
                refusal("VERSION 20070824\nMARK 1.0 hello\n", null));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "R 3 1.0 1 0xb0000000 0x0 0x0 0|an access has 1, 2, 4 or 8 bytes, not 3.",
                "R 4 1.x 1 0xb0000000 0x0 0x0 0|\"1.x\" is no time in seconds.",
                "R 4 1.0 1 0xb000000z 0x0 0x0 0|\"0xb000000z\" is no number that can stand there.",
                "R 4 1.0 1|\"R\" is followed by too few words.",
                "Q 4 1.0 1|a line of mmiotrace cannot begin with \"Q\".",
                "PCIDEV 0100 12345678 0|\"PCIDEV\" is followed by place, identity, interrupt, 7"
                        + " addresses and 7 sizes; here is less.",
                "MARK 1.0 farslot dma-read address=0x0|\"farslot dma-read\" needs length=, and has"
                        + " none.",
                "MARK 1.0 farslot irq kind=MSIY vector=1|kind of \"farslot irq\" is \"MSIY\", which"
                        + " is not one that is known.",
            })
    void shouldNameTheLineThatIsMalformed(String line, String why) throws Exception {
        String refusal = refusal("VERSION 20070824\nMARK 0.0 one\n" + line + "\n", null);
        assertEquals("in.mmiotrace, line 3: " + why, refusal);
    }

    @Test
    void shouldRefuseWhatIsNoMmiotrace() throws Exception {
        String refusal = refusal("\u001f\u008b compressed", null);
        assertTrue(refusal.startsWith("in.mmiotrace, line 1: this is no mmiotrace"), refusal);
        assertTrue(refusal("", null).startsWith("in.mmiotrace, line 0: this is no"), refusal);
    }
}
