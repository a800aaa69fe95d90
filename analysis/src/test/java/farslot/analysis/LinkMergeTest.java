package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.InterruptKind;
import farslot.devices.edu.EduKind;
import farslot.recorder.TraceAssembler;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOrigin;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceSubject;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two traces of one function, of both ends of its link. */
class LinkMergeTest {
    /** By so much the slot's clock is ahead of the lender's. */
    private static final long AHEAD = 1_000_000;

    @TempDir Path folder;

    private TraceAssembler trace(TraceOrigin.At at) throws Exception {
        EduKind kind = new EduKind();
        try (DeviceFunction edu =
                DeviceFunction.of(kind.kind(), kind.create(Options.check(kind, Map.of())))) {
            return TraceAssembler.create(
                    folder.resolve(at + ".fst"),
                    TraceSubject.of(edu.describe()),
                    new TraceOrigin(at, "e0", "s0", "", "", 3),
                    Instant.EPOCH);
        }
    }

    private static TraceEvent.Stamp stamp(long nanos, long took) {
        return new TraceEvent.Stamp(0, nanos, took, 1, false);
    }

    private static TraceEvent access(boolean write, int region, long value, long nanos, long took) {
        byte[] bytes = {(byte) value, 0, 0, 0};
        return new TraceEvent.Access(
                stamp(nanos, took),
                write,
                region,
                8,
                4,
                -1,
                CompletionStatus.SUCCESS,
                new TraceEvent.Data(4, bytes, null));
    }

    private static TraceEvent read(long value, long nanos, long took) {
        return access(false, 0, value, nanos, took);
    }

    private static TraceEvent write(long value, long nanos) {
        return access(true, 0, value, nanos, 2);
    }

    private static TraceEvent dmaRead(long nanos, long took) {
        return new TraceEvent.Dma(
                stamp(nanos, took),
                false,
                0x1000,
                CompletionStatus.SUCCESS,
                new TraceEvent.Data(2, new byte[] {1, 2}, null));
    }

    private static TraceEvent interrupt(long nanos) {
        return new TraceEvent.Interrupt(stamp(nanos, 0), InterruptKind.MSI, 0);
    }

    /** docs/trace-format.md, "The header". */
    private void clock(Path file, long offset, long uncertainty) throws IOException {
        ByteBuffer fields = ByteBuffer.allocate(28).order(ByteOrder.LITTLE_ENDIAN);
        fields.putLong(offset).putLong(uncertainty).putLong(0);
        CRC32C check = new CRC32C();
        check.update(fields.array(), 0, 24);
        fields.putInt((int) check.getValue()).flip();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(fields, 0x60);
        }
    }

    private LinkMerge.Report merge() throws Exception {
        Path lender = folder.resolve("LENDER.fst");
        clock(lender, AHEAD, 10);
        return LinkMerge.merge(lender, folder.resolve("SLOT.fst"), folder.resolve("both.fst"));
    }

    private List<TraceEvent> merged() throws TraceException {
        List<TraceEvent> events = new ArrayList<>();
        try (TraceReader reader = TraceReader.open(folder.resolve("both.fst"))) {
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                events.add(event);
            }
            assertTrue(reader.closed());
            assertEquals(List.of(), reader.remarks());
            assertEquals(TraceOrigin.At.LENDER, reader.origin().at());
            assertEquals(AHEAD, reader.clock().orElseThrow().offsetNanos());
        }
        return events;
    }

    private static List<Long> linkTimes(List<TraceEvent> events) {
        return events.stream()
                .map(event -> event.stamp().hasLinkTime() ? event.stamp().linkNanos() : null)
                .toList();
    }

    @Test
    void shouldTellTheLinksTimeOfEachEventThatBothEndsHave() throws Exception {
        try (TraceAssembler lender = trace(TraceOrigin.At.LENDER);
                TraceAssembler slot = trace(TraceOrigin.At.SLOT)) {
            slot.add(read(5, AHEAD + 100, 80));
            lender.add(read(5, 130, 20));
            slot.add(write(6, AHEAD + 300));
            lender.add(write(6, 340));
            lender.add(dmaRead(400, 90));
            slot.add(dmaRead(AHEAD + 430, 10));
            lender.add(interrupt(500));
            slot.add(interrupt(AHEAD + 533));
        }
        LinkMerge.Report report = merge();
        List<TraceEvent> events = merged();
        assertEquals(
                java.util.Arrays.asList(60L, 40L, 80L, 33L, null), linkTimes(events), events + "");
        TraceStatistics statistics = new TraceStatistics(TraceScript.NAMES);
        events.forEach(statistics::add);
        List<String> summed = SummaryText.lines(statistics.summary(), 9);
        assertTrue(summed.stream().anyMatch(line -> line.matches("read +1 +60ns.*")), summed + "");
        assertEquals(4, report.paired());
        assertEquals(0, report.onlyLender() + report.onlySlot());
        String mark = ((TraceEvent.Mark) events.getLast()).text();
        assertTrue(mark.contains("4 accesses, transfers and interrupts were seen"), mark);
    }

    @Test
    void shouldSayHowManyOneEndAloneHasAndGuessNothingAtLosses() throws Exception {
        try (TraceAssembler lender = trace(TraceOrigin.At.LENDER);
                TraceAssembler slot = trace(TraceOrigin.At.SLOT)) {
            slot.add(access(false, 7, 9, AHEAD + 10, 5)); // answered there
            slot.add(read(5, AHEAD + 100, 80));
            lender.add(read(5, 130, 20));
            slot.add(write(6, AHEAD + 300));
            slot.add(write(6, AHEAD + 301));
            lender.add(new TraceEvent.Lost(stamp(310, 20), 1));
            lender.add(write(6, 341));
            slot.add(new TraceEvent.Lost(stamp(AHEAD + 400, 20), 1));
            lender.add(write(6, 430));
            slot.add(read(7, AHEAD + 500, 80));
            lender.add(read(7, 530, 20));
            slot.add(write(6, AHEAD + 600));
            lender.add(write(6, 612));
        }
        LinkMerge.Report report = merge();
        assertEquals(
                java.util.Arrays.asList(60L, null, null, null, 60L, 12L, null),
                linkTimes(merged()));
        assertEquals(3, report.paired());
        assertEquals(2, report.onlyLender());
        assertEquals(3, report.onlySlot());
    }

    @Test
    void shouldKnowClocksBetterByWhatWaitedThanByWhatWasMeasuredLongAgo() throws Exception {
        long hour = 3_600_000_000_000L;
        try (TraceAssembler lender = trace(TraceOrigin.At.LENDER);
                TraceAssembler slot = trace(TraceOrigin.At.SLOT)) {
            slot.add(read(5, AHEAD + hour, 80));
            lender.add(read(5, hour + 30, 20));
            slot.add(write(6, AHEAD + hour + 100));
            lender.add(write(6, hour + 140));
        }
        assertEquals(2, merge().paired());
    }

    @Test
    void shouldRefuseWhatIsNotOfBothEndsOrHasNoClocks() throws Exception {
        try (TraceAssembler lender = trace(TraceOrigin.At.LENDER);
                TraceAssembler slot = trace(TraceOrigin.At.SLOT)) {
            lender.add(read(5, 130, 20));
            slot.add(read(5, 130, 20));
        }
        Path lender = folder.resolve("LENDER.fst");
        Path slot = folder.resolve("SLOT.fst");
        Path both = folder.resolve("both.fst");
        String noClocks =
                assertThrows(TraceException.class, () -> LinkMerge.merge(lender, slot, both))
                        .getMessage();
        assertTrue(noClocks.contains("how the clocks of lender and slot are related"), noClocks);
        String twice =
                assertThrows(TraceException.class, () -> LinkMerge.merge(lender, lender, both))
                        .getMessage();
        assertTrue(twice.contains("was not recorded at the SLOT's end"), twice);
        assertFalse(Files.exists(both));
    }
}
