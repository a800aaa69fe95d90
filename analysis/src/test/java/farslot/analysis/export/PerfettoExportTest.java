package farslot.analysis.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.analysis.export.ProtoDefinition.Message;
import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.recorder.TraceAssembler;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOrigin;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceSubject;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is what Perfetto's own definition says, and tells what the trace tells. */
class PerfettoExportTest {
    private static final Path DEFINITION = Path.of("src/test/data/perfetto");

    @TempDir Path folder;

    /** A slice or instant; {@code endNanos} -1 while it has no end. */
    @SuppressWarnings("ArrayRecordComponent") // set when its end comes
    private record Shown(String track, String name, long nanos, long[] endNanos, Message event) {
        String annotation(String name) {
            for (Object annotation : event.all("debug_annotations")) {
                Message message = (Message) annotation;
                if (message.text("name").equals(name)) {
                    return message.has("string_value")
                            ? message.text("string_value")
                            : message.has("pointer_value")
                                    ? Long.toHexString(message.number("pointer_value"))
                                    : Long.toString(message.number("uint_value"));
                }
            }
            return null;
        }
    }

    private final Map<Long, Message> tracks = new HashMap<>();
    private final Map<String, Long> counters = new HashMap<>();
    private final List<Shown> shown = new ArrayList<>();
    private List<Object> packets;

    private void export(Path file) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TraceReader reader = TraceReader.open(file)) {
            TraceNames names =
                    reader.description().kind().equals("widget")
                            ? Widget.names(reader)
                            : TraceNames.of(reader.description());
            new PerfettoExport().write(ExportedTrace.whole(reader, names, null), out);
        }
        packets = ProtoDefinition.of(DEFINITION).read("Trace", out.toByteArray()).all("packet");
        Map<Long, Deque<Shown>> open = new HashMap<>();
        for (Object packet : packets) {
            Message message = (Message) packet;
            assertEquals(1, message.number("trusted_packet_sequence_id"));
            if (message.has("track_descriptor")) {
                Message track = message.message("track_descriptor");
                assertTrue(tracks.put(track.number("uuid"), track) == null);
            } else if (message.has("track_event")) {
                event(message.number("timestamp"), message.message("track_event"), open);
            }
        }
        open.values().forEach(left -> assertTrue(left.isEmpty()));
    }

    private void event(long nanos, Message event, Map<Long, Deque<Shown>> open) {
        long uuid = event.number("track_uuid");
        Message track = tracks.get(uuid);
        assertEquals(1, track.number("parent_uuid"), "announced, below the function");
        Deque<Shown> slices = open.computeIfAbsent(uuid, _ -> new ArrayDeque<>());
        switch (event.text("type")) {
            case "TYPE_SLICE_END" -> slices.pop().endNanos()[0] = nanos;
            case "TYPE_COUNTER" -> {
                assertTrue(track.has("counter"));
                counters.put(track.text("name"), event.number("counter_value"));
            }
            default -> {
                Shown slice =
                        new Shown(
                                track.text("name"),
                                event.text("name"),
                                nanos,
                                new long[] {-1},
                                event);
                shown.add(slice);
                if (event.text("type").equals("TYPE_SLICE_BEGIN")) {
                    slices.push(slice);
                }
            }
        }
    }

    private Shown one(String name) {
        List<Shown> found = shown.stream().filter(slice -> slice.name().equals(name)).toList();
        assertEquals(1, found.size(), name);
        return found.getFirst();
    }

    @Test
    void shouldBeginWithClocksAndTheFunctionAsAProcess() throws Exception {
        export(Widget.record(folder));
        Message first = (Message) packets.getFirst();
        assertEquals(1, first.number("sequence_flags"), "SEQ_INCREMENTAL_STATE_CLEARED");
        List<Object> clocks = first.message("clock_snapshot").all("clocks");
        assertEquals(6, ((Message) clocks.get(0)).number("clock_id"));
        assertEquals(0, ((Message) clocks.get(0)).number("timestamp"));
        assertEquals(1, ((Message) clocks.get(1)).number("clock_id"));
        assertTrue(((Message) clocks.get(1)).number("timestamp") > 1_700_000_000_000_000_000L);
        Message process = tracks.get(1L).message("process");
        assertEquals("widget 1234:5678", process.text("process_name"));
    }

    @Test
    void shouldShowAccessesAsSlicesWithNamesAndFields() throws Exception {
        export(Widget.record(folder));
        Shown write = one("write CTRL");
        assertEquals("BAR0", write.track());
        assertEquals("3", write.annotation("value"));
        assertEquals("EN=1 MODE=FAST", write.annotation("fields"));
        assertTrue(write.endNanos()[0] > write.nanos());
        assertEquals("UNSUPPORTED_REQUEST", one("read 0x2000").annotation("status"));
        assertEquals("a5", one("write 0x3").annotation("value"));
        assertEquals("BAR2", one("write 0x3").track());
    }

    @Test
    void shouldShowDmaInterruptsAndMarksOnTracksOfTheirOwn() throws Exception {
        export(Widget.record(folder));
        Shown dma = one("DMA write 1500");
        assertEquals("DMA write", dma.track());
        assertEquals("10040", dma.annotation("address"));
        assertEquals("COMPLETER_ABORT", one("DMA write 4").annotation("status"));
        assertEquals("MSIX 2", one("interrupt").track());
        assertEquals("marks", one("the driver is loaded").track());
        assertTrue(one("reset").annotation("text").contains("FLR"));
        assertEquals(
                Map.of("DMA read bytes", 8L, "DMA write bytes", 1500L, "interrupts", 1L), counters);
    }

    /** An admin command of NVMe, from its doorbell to its interrupt. */
    private Path identify() throws Exception {
        Path file = folder.resolve("nvme.fst");
        FunctionDescription nvme =
                new FunctionDescription(
                        "nvme",
                        new Identity(0x1b36, 0x10, 0, 0, 0x01_08_02, 0),
                        List.of(
                                new Region(0, Region.Space.MEMORY, 0x2000, Set.of(), 8),
                                new Region(7, Region.Space.CONFIGURATION, 4096, Set.of(), 4)),
                        List.of(),
                        0,
                        0,
                        1,
                        Set.of(),
                        Set.of());
        byte[] command = bytes(64, 0x06, 0x30000, 1);
        byte[] completion = bytes(16, 0, 0, 0);
        completion[12] = 5;
        completion[14] = 1;
        try (TraceAssembler trace =
                TraceAssembler.create(
                        file, TraceSubject.of(nvme), TraceOrigin.UNKNOWN, Instant.EPOCH)) {
            trace.add(write(1, 0x24, bytes(4, 0x001f_001f)));
            trace.add(write(2, 0x28, bytes(8, 0x10000)));
            trace.add(write(3, 0x30, bytes(8, 0x20000)));
            trace.add(write(4, 0x14, bytes(4, 0x0046_0001)));
            trace.add(write(5, 0x1000, bytes(4, 1)));
            trace.add(dma(6, false, 0x10000, command));
            trace.add(dma(7, true, 0x30000, new byte[4096]));
            trace.add(dma(8, true, 0x20000, completion));
            trace.add(new TraceEvent.Interrupt(stamp(9), InterruptKind.MSIX, 0));
        }
        return file;
    }

    /** Opcode and identifier, PRP entry 1, dword 10, as far as there is room. */
    private static byte[] bytes(int length, int... values) {
        ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0, length == 64 ? values[0] | 5 << 16 : values[0]);
        if (length == 64) {
            bytes.putInt(24, values[1]).putInt(40, values[2]);
        }
        return Arrays.copyOf(bytes.array(), length);
    }

    private static TraceEvent.Stamp stamp(long micros) {
        return new TraceEvent.Stamp(0, micros * 1000, 100, 1, false);
    }

    private static TraceEvent write(long micros, long offset, byte[] bytes) {
        return new TraceEvent.Access(
                stamp(micros),
                true,
                0,
                offset,
                bytes.length,
                -1,
                CompletionStatus.SUCCESS,
                new TraceEvent.Data(bytes.length, bytes, null));
    }

    private static TraceEvent dma(long micros, boolean write, long address, byte[] bytes) {
        return new TraceEvent.Dma(
                stamp(micros),
                write,
                address,
                CompletionStatus.SUCCESS,
                new TraceEvent.Data(bytes.length, bytes, null));
    }

    @Test
    void shouldLeadFromDoorbellToInterruptWhereADecoderKnowsTheWay() throws Exception {
        export(identify());
        Shown command = one("IDENTIFY");
        assertEquals("decoded SQ0", command.track());
        assertEquals("SUCCESS", command.annotation("status"));
        assertEquals(5_000, command.nanos());
        assertEquals(
                List.of("doorbell", "fetch", "data", "completion"),
                shown.stream()
                        .filter(slice -> slice.track().equals("decoded SQ0"))
                        .skip(1)
                        .map(Shown::name)
                        .toList());
        List<Shown> flowing =
                shown.stream().filter(slice -> slice.event().has("flow_ids")).toList();
        assertEquals(
                List.of("BAR0", "DMA read", "DMA write", "DMA write", "MSIX 0"),
                flowing.stream().map(Shown::track).toList());
        assertEquals(
                1,
                flowing.stream().map(slice -> slice.event().all("flow_ids")).distinct().count(),
                "one flow");
    }

    @Test
    void shouldPutWhatHappensAtOnceOnTracksOfOneName() throws Exception {
        Path file = folder.resolve("t.fst");
        TraceSubject subject = TraceSubject.of(Widget.DESCRIPTION);
        try (TraceAssembler trace =
                TraceAssembler.create(file, subject, TraceOrigin.UNKNOWN, Instant.EPOCH)) {
            for (int i = 0; i < 200; i++) {
                TraceEvent.Stamp stamp = new TraceEvent.Stamp(0, i, 1_000_000, 1, false);
                TraceEvent.Data none = new TraceEvent.Data(64, new byte[0], null);
                trace.add(new TraceEvent.Dma(stamp, true, 64L * i, CompletionStatus.SUCCESS, none));
            }
        }
        export(file);
        assertEquals(200, shown.size(), "and slices lie within each other on each track");
        assertEquals(64, shown.stream().filter(slice -> slice.track().equals("DMA write")).count());
        assertEquals(
                136,
                shown.stream()
                        .filter(slice -> slice.track().equals("DMA write (more at once)"))
                        .count());
    }
}
