package farslot.analysis.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceReader;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads what was written by draft-ietf-opsawg-pcapng, and the packets by docs/exports.md. */
class PcapngExportTest {
    @TempDir Path folder;

    private final List<Block> blocks = new ArrayList<>();
    private final List<TraceEvent> events = new ArrayList<>();
    private Instant began;

    /** One block: what its type has before the options, and the options by code. */
    private record Block(int type, ByteBuffer body, Map<Integer, byte[]> options) {
        String text(int option) {
            return new String(options.get(option), StandardCharsets.UTF_8);
        }
    }

    /** A packet's parts. */
    @SuppressWarnings("ArrayRecordComponent") // compared nowhere
    private record Packet(ByteBuffer head, List<String> texts, byte[] data) {}

    @BeforeEach
    void export() throws Exception {
        Path file = Widget.record(folder);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (TraceReader reader = TraceReader.open(file)) {
            began = reader.began();
            new PcapngExport().write(ExportedTrace.whole(reader, Widget.names(reader), null), out);
        }
        try (TraceReader reader = TraceReader.open(file)) {
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                events.add(event);
            }
        }
        read(ByteBuffer.wrap(out.toByteArray()).order(ByteOrder.LITTLE_ENDIAN));
    }

    private void read(ByteBuffer in) {
        while (in.hasRemaining()) {
            int at = in.position();
            int type = in.getInt();
            int length = in.getInt();
            assertEquals(0, length % 4);
            assertEquals(length, in.getInt(at + length - 4));
            ByteBuffer body = in.slice(at + 8, length - 12).order(ByteOrder.LITTLE_ENDIAN);
            int fixed =
                    switch (type) {
                        case 0x0A0D_0D0A -> 16;
                        case 1 -> 8;
                        case 5 -> 12;
                        default -> 20 + (body.getInt(12) + 3) / 4 * 4;
                    };
            blocks.add(new Block(type, body, options(body.position(fixed))));
            in.position(at + length);
        }
    }

    private static Map<Integer, byte[]> options(ByteBuffer in) {
        Map<Integer, byte[]> options = new HashMap<>();
        while (true) {
            int code = in.getShort();
            byte[] value = new byte[in.getShort()];
            if (code == 0) {
                assertFalse(in.hasRemaining());
                return options;
            }
            in.get(value).position((in.position() + 3) / 4 * 4);
            options.put(code, value);
        }
    }

    private Packet packet(int event) {
        Block block = blocks.get(2 + event);
        ByteBuffer body = block.body().position(20);
        ByteBuffer packet = body.slice(20, body.getInt(12)).order(ByteOrder.LITTLE_ENDIAN);
        packet.position(0x38);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            byte[] text = new byte[packet.getShort()];
            packet.get(text);
            texts.add(new String(text, StandardCharsets.UTF_8));
        }
        byte[] data = new byte[packet.remaining()];
        packet.get(data);
        return new Packet(packet, texts, data);
    }

    private int indexOf(String line) {
        for (int i = 0; i < events.size(); i++) {
            if (packet(i).texts().get(4).contains(line)) {
                return i;
            }
        }
        throw new AssertionError(line);
    }

    @Test
    void shouldDescribeItsInterfaceByTheFunction() {
        Block section = blocks.get(0);
        assertEquals(0x0A0D_0D0A, section.type());
        assertEquals(0x1A2B_3C4D, section.body().getInt(0));
        assertEquals(1, section.body().getShort(4));
        Block device = blocks.get(1);
        assertEquals(1, device.type());
        assertEquals(147, device.body().getShort(0));
        assertEquals(0, device.body().getInt(4), "no limit of a packet's length");
        assertEquals("widget", device.text(2));
        assertEquals("PCI function 1234:5678", device.text(3));
        assertArrayEquals(new byte[] {9}, device.options().get(9));
    }

    @Test
    void shouldHoldAPacketForEachEventAtItsTimeOfDay() {
        assertEquals(3 + events.size(), blocks.size());
        assertEquals(5, blocks.getLast().type());
        assertArrayEquals(new byte[8], blocks.getLast().options().get(5), "none were lost");
        for (int i = 0; i < events.size(); i++) {
            Block block = blocks.get(2 + i);
            assertEquals(6, block.type());
            long time =
                    ((long) block.body().getInt(4) << 32) | (block.body().getInt(8) & 0xFFFF_FFFFL);
            Instant expected = began.plusNanos(events.get(i).stamp().nanos());
            assertEquals(expected.getEpochSecond() * 1_000_000_000 + expected.getNano(), time);
        }
    }

    @Test
    void shouldNameRegisterFieldsAndMeaning() {
        Packet packet = packet(indexOf("CTRL"));
        assertEquals(
                List.of("write", "BAR0", "CTRL", "EN=1 MODE=FAST"), packet.texts().subList(0, 4));
        assertTrue(packet.texts().get(4).matches("BAR0 +CTRL +0x00000003 +EN=1 MODE=FAST.*"));
        ByteBuffer head = packet.head();
        assertEquals(1, head.get(0));
        assertEquals(0, head.get(1), "success");
        assertEquals(4, head.get(2));
        assertEquals(2 | 8 | 16, head.getInt(4), "by the driver, with offset and value");
        assertEquals(1, head.getInt(0x18));
        assertEquals(4, head.getInt(0x1C));
        assertEquals(4, head.getLong(0x20));
        assertEquals(0, head.getLong(0x28));
        assertEquals(3, head.getLong(0x30));
        assertArrayEquals(new byte[] {3, 0, 0, 0}, packet.data());
    }

    @Test
    void shouldSayByWhomAndWithWhatData() {
        int index = indexOf("0x10040");
        Packet packet = packet(index);
        TraceEvent.Dma dma = (TraceEvent.Dma) events.get(index);
        assertArrayEquals(dma.data().kept(), packet.data());
        assertEquals(4 | 8, packet.head().getInt(4), "by the function, with an address");
        assertArrayEquals(new byte[] {1, 0, 0, 0}, blocks.get(2 + index).options().get(2));
        Block failed = blocks.get(2 + indexOf("0x2000"));
        int captured = failed.body().getInt(12);
        assertEquals(captured, failed.body().getInt(16), "nothing was moved");
        assertEquals(1, failed.body().get(20 + 1), "unsupported request");
    }

    @Test
    void shouldMakeMarksComments() {
        int index = indexOf("the driver is loaded");
        assertEquals("the driver is loaded", blocks.get(2 + index).text(1));
        assertEquals(0, packet(index).head().getInt(4));
    }
}
