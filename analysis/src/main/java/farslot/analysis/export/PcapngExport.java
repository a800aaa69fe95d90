package farslot.analysis.export;

import farslot.core.FunctionDescription;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.function.Predicate;

/**
 * A capture for Wireshark: pcapng (draft-ietf-opsawg-pcapng, whose sections are cited), one
 * interface, an enhanced packet block for each event. A packet holds a {@link PcapngEvent}, which
 * {@code farslot.lua} shows in columns (docs/exports.md).
 */
final class PcapngExport implements TraceExport {
    /** LINKTYPE_USER0: for private use. */
    private static final int LINK_TYPE = 147;

    /** 4.1: Section Header Block. */
    private static final int SECTION = 0x0A0D_0D0A;

    private static final int BYTE_ORDER = 0x1A2B_3C4D;
    private static final int SECTION_APPLICATION = 4;

    /** 4.2: Interface Description Block. */
    private static final int INTERFACE = 1;

    private static final int INTERFACE_NAME = 2;
    private static final int INTERFACE_DESCRIPTION = 3;
    private static final int INTERFACE_RESOLUTION = 9;

    /** Times are 10^-9 s. */
    private static final byte NANOSECONDS = 9;

    /** 4.3: Enhanced Packet Block. */
    private static final int PACKET = 6;

    private static final int PACKET_FLAGS = 2;

    /** 4.3.1: by the driver's side, as its computer sees it. */
    private static final int OUTBOUND = 2;

    private static final int INBOUND = 1;

    /** 4.6: Interface Statistics Block. */
    private static final int STATISTICS = 5;

    private static final int STATISTICS_DROPPED = 5;

    private static final int COMMENT = 1;
    private static final int END_OF_OPTIONS = 0;

    @Override
    public String name() {
        return "pcapng";
    }

    @Override
    public boolean isText() {
        return false;
    }

    @Override
    public void write(ExportedTrace trace, OutputStream out) throws IOException {
        TraceReader reader = trace.reader();
        Predicate<TraceEvent> wanted = trace.wanted().get();
        Instant began = reader.began();
        Blocks blocks = new Blocks(out, nanos(began));
        blocks.section();
        blocks.interfaceOf(reader.description());
        PcapngEvent packet = new PcapngEvent(trace.names());
        long last = 0;
        for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
            last = Math.max(last, event.stamp().nanos());
            if (wanted.test(event)) {
                packet.set(event);
                blocks.packet(event, packet);
            }
        }
        blocks.statistics(last, reader.lost());
    }

    private static long nanos(Instant instant) {
        return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
    }

    /** Each block is built in memory, since its length stands before and behind it. */
    private static final class Blocks {
        private final OutputStream out;
        private final long beganNanos;

        /** For the longest packet, its options and what is around them. */
        private final ByteBuffer block =
                ByteBuffer.allocate(PcapngEvent.MAX_BYTES + 0x10000).order(ByteOrder.LITTLE_ENDIAN);

        Blocks(OutputStream out, long beganNanos) {
            this.out = out;
            this.beganNanos = beganNanos;
        }

        void section() throws IOException {
            begin(SECTION);
            block.putInt(BYTE_ORDER).putShort((short) 1).putShort((short) 0).putLong(-1);
            option(SECTION_APPLICATION, "Farslot");
            end();
        }

        void interfaceOf(FunctionDescription function) throws IOException {
            begin(INTERFACE);
            block.putShort((short) LINK_TYPE).putShort((short) 0).putInt(0);
            option(INTERFACE_NAME, function.kind());
            String id =
                    String.format(
                            "PCI function %04x:%04x",
                            function.identity().vendor(), function.identity().device());
            option(INTERFACE_DESCRIPTION, id);
            option(INTERFACE_RESOLUTION, new byte[] {NANOSECONDS});
            end();
        }

        void packet(TraceEvent event, PcapngEvent packet) throws IOException {
            begin(PACKET);
            block.putInt(0);
            time(event.stamp().nanos());
            byte[] bytes = packet.bytes();
            block.putInt(packet.length()).putInt((int) packet.originalLength());
            block.put(bytes, 0, packet.length());
            pad();
            if (event instanceof TraceEvent.Mark mark && !mark.text().isEmpty()) {
                option(COMMENT, mark.text());
            }
            if (packet.direction() != 0) {
                int flags = packet.direction() > 0 ? OUTBOUND : INBOUND;
                option(PACKET_FLAGS, new byte[] {(byte) flags, 0, 0, 0});
            }
            end();
        }

        void statistics(long nanos, long lost) throws IOException {
            begin(STATISTICS);
            block.putInt(0);
            time(nanos);
            byte[] count = new byte[Long.BYTES];
            ByteBuffer.wrap(count).order(ByteOrder.LITTLE_ENDIAN).putLong(lost);
            option(STATISTICS_DROPPED, count);
            end();
        }

        /** The high half first. */
        private void time(long nanos) {
            long time = beganNanos + Math.max(0, nanos);
            block.putInt((int) (time >>> 32)).putInt((int) time);
        }

        private void option(int code, String text) {
            option(code, text.getBytes(StandardCharsets.UTF_8));
        }

        private void option(int code, byte[] value) {
            block.putShort((short) code).putShort((short) value.length).put(value);
            pad();
        }

        private void pad() {
            while (block.position() % 4 != 0) {
                block.put((byte) 0);
            }
        }

        private void begin(int type) {
            block.clear();
            block.putInt(type).putInt(0);
        }

        private void end() throws IOException {
            block.putShort((short) END_OF_OPTIONS).putShort((short) 0);
            int length = block.position() + Integer.BYTES;
            block.putInt(length);
            block.putInt(Integer.BYTES, length);
            out.write(block.array(), 0, length);
        }
    }
}
