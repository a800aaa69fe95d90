package farslot.analysis.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.analysis.export.ProtoDefinition.Message;
import farslot.recorder.TraceReader;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
            new PerfettoExport().write(reader, Widget.names(reader), out);
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
}
