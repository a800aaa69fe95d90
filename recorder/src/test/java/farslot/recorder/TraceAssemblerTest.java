package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceAssemblerTest {
    private static final Instant BEGAN = Instant.parse("2026-03-04T05:06:07.080910Z");
    private static final TraceSubject SUBJECT =
            new TraceSubject(MemoryFunction.DESCRIPTION, new byte[4096], "<database/>");
    private static final TraceOrigin ORIGIN =
            new TraceOrigin(TraceOrigin.At.SLOT, "n0", "s", "me", "here", 7);
    private static final CompletionStatus OK = CompletionStatus.SUCCESS;

    @TempDir Path folder;

    private long nanos;

    private TraceEvent.Stamp stamp() {
        nanos += 1_000;
        return new TraceEvent.Stamp(0, nanos, 77, 3, false);
    }

    private TraceEvent.Stamp stamp(boolean underWay, long programCounter) {
        nanos += 1_000;
        return new TraceEvent.Stamp(
                0, nanos, 0, 3, underWay, TraceEvent.Verification.SEALED, 0, programCounter);
    }

    private static TraceEvent.Data data(int length, Long digest) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + 1);
        }
        return new TraceEvent.Data(length, bytes, digest);
    }

    private List<TraceEvent> everyKind() {
        List<TraceEvent> events = new ArrayList<>();
        for (int length : new int[] {1, 4, 8, 9, 16, 17, 72, 73, 5000}) {
            events.add(new TraceEvent.Access(stamp(), true, 0, 16, 4, 15, OK, data(length, null)));
            events.add(
                    new TraceEvent.Access(
                            stamp(false, 0xFFFF_8000L),
                            false,
                            7,
                            4,
                            0,
                            -1,
                            OK, //
                            data(length, null)));
        }
        TraceEvent.Data none = new TraceEvent.Data(4, new byte[0], null);
        events.add(
                new TraceEvent.Access(
                        stamp(), false, 2, 9, 1, -1, CompletionStatus.TIMED_OUT, none));
        events.add(new TraceEvent.Access(stamp(true, 0), false, 2, 9, 1, -1, null, none));
        events.add(new TraceEvent.Dma(stamp(), true, 0x1000, OK, data(300, 42L)));
        TraceEvent.Data head = new TraceEvent.Data(4096, data(16, null).kept(), -1L);
        events.add(new TraceEvent.Dma(stamp(), false, -0x1000, OK, head));
        events.add(new TraceEvent.Interrupt(stamp(), InterruptKind.MSIX, 3));
        events.add(
                new TraceEvent.InterruptControl(
                        stamp(), InterruptKind.MSI, InterruptAction.MASK, 1, 2));
        events.add(new TraceEvent.Reset(stamp(), ResetKind.HOT, OK, 4));
        events.add(new TraceEvent.Mapped(stamp(), 1, 2, Direction.WRITE, true, false));
        events.add(new TraceEvent.Mapped(stamp(), 1, 2, Direction.READ, false, true));
        events.add(new TraceEvent.Unmapped(stamp(), 1, 2, OK));
        for (FunctionEvent event :
                List.of(
                        new FunctionEvent.Error(true, "broken"),
                        new FunctionEvent.PowerManagement(),
                        new FunctionEvent.Presence(true),
                        new FunctionEvent.DescriptionChanged(),
                        new FunctionEvent.GoingAway("bye"),
                        new FunctionEvent.NewGeneration(9, ResetKind.FLR),
                        new FunctionEvent.DmaRefused(5, 6, Direction.READ_WRITE, "no"))) {
            events.add(new TraceEvent.Told(stamp(), event));
        }
        events.add(new TraceEvent.Mark(stamp(), "ein Zeichen ✓ of some length"));
        events.add(new TraceEvent.Mark(stamp(), "by the guest", true));
        events.add(new TraceEvent.Attached(stamp(), true));
        events.add(new TraceEvent.State(stamp(), TraceEvent.State.Operation.LOAD, 99, OK));
        events.add(new TraceEvent.Near(stamp(), 1, 2, Direction.READ, true));
        events.add(new TraceEvent.Lost(stamp(), 12));
        events.add(new TraceEvent.Lease(stamp(), true, 8, "s", "me", ""));
        events.add(new TraceEvent.Lease(stamp(), false, 8, "s", "me", "it went away"));
        byte[] before = data(20, null).kept();
        byte[] after = new byte[20];
        events.add(new TraceEvent.Changed(stamp(), "guard", 0, 4, before, after));
        events.add(
                new TraceEvent.Changed(
                        stamp(), "guard", TraceEvent.Changed.MEMORY, 4, before, after));
        events.add(new TraceEvent.Counted(stamp(), 0, 1, 2, 3, 4));
        events.add(new TraceEvent.Setting(stamp(), "BAR0=count"));
        return events;
    }

    private Path assemble(List<TraceEvent> events) throws TraceException {
        Path file = folder.resolve("t.fst");
        try (TraceAssembler assembler = TraceAssembler.create(file, SUBJECT, ORIGIN, BEGAN)) {
            for (TraceEvent event : events) {
                assembler.add(event);
            }
            assembler.lost(12);
        }
        return file;
    }

    private static List<String> text(List<TraceEvent> events) {
        TraceText text = new TraceText(TraceNames.of(MemoryFunction.DESCRIPTION));
        return events.stream()
                .map(event ->
                        text.json(event).replaceFirst("\"number\":\\d+", "")
                                + event.stamp().programCounter())
                .toList();
    }

    @Test
    void shouldReadBackWhatWasAssembled() throws TraceException {
        List<TraceEvent> events = everyKind();
        Path file = assemble(events);
        try (TraceReader reader = TraceReader.open(file)) {
            List<TraceEvent> read = new ArrayList<>();
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                read.add(event);
                assertEquals(TraceEvent.Verification.SEALED, event.stamp().verification());
            }
            // Epochs follow from the leases before.
            List<String> expected =
                    text(events).stream().map(l -> l.replaceFirst("\"epoch\":\\d+,", "")).toList();
            List<String> found =
                    text(read).stream().map(l -> l.replaceFirst("\"epoch\":\\d+,", "")).toList();
            assertEquals(expected, found);
            assertEquals(0, reader.damaged());
        }
    }

    @Test
    void shouldBeginWithWhatIsKnownOfTheFunctionAndEndInOrder() throws TraceException {
        try (TraceReader reader = TraceReader.open(assemble(List.of()))) {
            assertEquals(MemoryFunction.DESCRIPTION, reader.description());
            assertArrayEquals(new byte[4096], reader.configuration());
            assertEquals("<database/>", reader.registerMap().orElseThrow());
            assertEquals(ORIGIN, reader.origin());
            assertEquals(BEGAN, reader.began());
            assertTrue(reader.closed());
            assertEquals(12, reader.lost());
        }
    }

    @Test
    void shouldKeepEventsInOrderOverManyBlocks() throws TraceException {
        TraceEvent.Data mebibyte = data(1 << 20, null);
        List<TraceEvent> events = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            events.add(new TraceEvent.Interrupt(stamp(), InterruptKind.MSI, i));
            if (i % 4_000 == 0) {
                events.add(new TraceEvent.Dma(stamp(), true, 0, OK, mebibyte));
            }
        }
        try (TraceReader reader = TraceReader.open(assemble(events))) {
            for (TraceEvent event : events) {
                TraceEvent read = reader.next();
                assertEquals(event.stamp().nanos(), read.stamp().nanos());
                if (read instanceof TraceEvent.Dma dma) {
                    assertTrue(Arrays.equals(mebibyte.kept(), dma.data().kept()));
                }
            }
            assertEquals(null, reader.next());
            assertEquals(0, reader.damaged() + reader.unverified());
        }
    }

    @Test
    void shouldNotReplaceAFile() throws TraceException {
        assemble(List.of());
        TraceException refused = assertThrows(TraceException.class, () -> assemble(List.of()));
        assertTrue(refused.getMessage().contains("the file exists"), refused.getMessage());
    }
}
