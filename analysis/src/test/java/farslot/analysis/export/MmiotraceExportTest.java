package farslot.analysis.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.Region;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MmiotraceExportTest {
    @TempDir Path folder;

    private Path trace;
    private List<String> lines;

    @BeforeEach
    void export() throws Exception {
        trace = Widget.record(folder);
        lines = exported(event -> true);
    }

    private List<String> exported(Predicate<TraceEvent> wanted) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TraceReader reader = TraceReader.open(trace)) {
            TraceNames names = Widget.names(reader);
            new MmiotraceExport().write(new ExportedTrace(reader, names, () -> wanted, null), out);
        }
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    /** Lines of one kind, their times out of the way. */
    private List<String> lines(String keyword) {
        return lines.stream()
                .filter(line -> line.startsWith(keyword + " "))
                .map(line -> line.replaceFirst("\\d+\\.\\d{6} ", ""))
                .toList();
    }

    @Test
    void shouldBeginAsReadersExpectIt() {
        assertEquals("VERSION 20070824", lines.get(0));
        // Bus and device, identity, interrupt, 7 addresses with their attributes, 7 sizes, driver.
        assertEquals(
                "PCIDEV 0100 12345678 0 38fe000004 0 c001 0 0 0 0 1000 0 10 0 0 0 0 widget",
                lines.get(1));
    }

    @Test
    void shouldGiveEachAccessToMemoryItsPhysicalAddress() {
        assertEquals(
                List.of("W 4 1 0x38fe000000 0x3 0x0 0", "W 1 2 0x38fd000fff 0x80 0x0 0"),
                lines("W"));
        assertEquals(
                List.of(
                        "R 4 1 0x38fe000004 0x0 0x0 0",
                        "R 8 2 0x38fd000008 0xfffffffffffffffe 0x0 0"),
                lines("R"));
    }

    @Test
    void shouldMapARegionAgainWhereItHasMoved() {
        assertEquals(
                List.of(
                        "MAP 1 0x38fe000000 0x0 0x1000 0x0 0",
                        "MAP 2 0x38fd000000 0x0 0x1000 0x0 0"),
                lines("MAP"));
        assertEquals(List.of("UNMAP 1 0x0 0", "UNMAP 2 0x0 0"), lines("UNMAP"));
    }

    @Test
    void shouldKnowAddressesAlsoWhenTheEventsThatSetThemAreNotWanted() throws Exception {
        List<String> before = lines("W");
        lines =
                exported(e ->
                        e instanceof TraceEvent.Access a
                                && a.write()
                                && a.region() != Region.CONFIGURATION);
        assertEquals(before, lines("W"));
        lines = exported(e -> e instanceof TraceEvent.Access a && a.write() && a.region() == 0);
        assertTrue(before.containsAll(lines("W")) && !lines("W").isEmpty(), lines.toString());
        assertEquals(List.of(), lines("R"));
    }

    @Test
    void shouldMarkWhatMmiotraceHasNoLineFor() {
        List<String> marks = lines("MARK");
        assertTrue(marks.contains("MARK the driver is loaded"), marks.toString());
        for (String mark :
                List.of(
                        "MARK farslot write region=BAR2 offset=0x3 width=1 enables=0xfff",
                        "MARK farslot read region=BAR0 offset=0x2000 width=4",
                        "MARK farslot irq kind=MSIX vector=2",
                        "MARK farslot generation number=2",
                        "MARK farslot more data=")) {
            assertTrue(marks.stream().anyMatch(m -> m.startsWith(mark)), mark);
        }
        assertEquals(0, marks.stream().filter(mark -> mark.contains("\t")).count());
    }

    @Test
    void shouldKeepLinesShortEnoughForReadersOfFixedBuffers() {
        lines.forEach(line -> assertTrue(line.getBytes(StandardCharsets.UTF_8).length < 1024));
    }
}
