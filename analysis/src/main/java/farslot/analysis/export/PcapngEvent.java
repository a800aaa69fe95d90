package farslot.analysis.export;

import farslot.core.CompletionStatus;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceText;
import farslot.registers.RegisterText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * One event as a packet: a head of fixed size, five texts, and the event's data (docs/exports.md,
 * "pcapng", which {@code farslot.lua} reads). The texts are those of {@code farslot trace show}, so
 * a dissector need not know what registers mean.
 *
 * <p>One object serves for all events of a trace.
 */
final class PcapngEvent {
    static final int VERSION = 1;

    /** Wireshark refuses longer packets (WTAP_MAX_PACKET_SIZE_STANDARD, wiretap/wtap.h). */
    static final int MAX_BYTES = 262_144;

    private static final int MAX_TEXT_BYTES = 4096;

    private static final int UNDER_WAY = 1;
    private static final int BY_DRIVER = 2;
    private static final int BY_FUNCTION = 4;
    private static final int HAS_ADDRESS = 8;
    private static final int HAS_VALUE = 16;
    private static final int HAS_DIGEST = 32;

    private static final int NO_STATUS = 0xFF;

    private final TraceNames names;
    private final EventLine line;
    private final StringBuilder fields = new StringBuilder();
    private final ByteBuffer packet = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int direction;
    private long originalLength;

    PcapngEvent(TraceNames names) {
        this.names = names;
        this.line = new EventLine(names);
    }

    /** The packet's bytes, of which {@link #length} count until the next {@link #set}. */
    byte[] bytes() {
        return packet.array();
    }

    int length() {
        return packet.position();
    }

    /** What the packet's length would be with all data that was moved; at most 2^32 - 1. */
    long originalLength() {
        return originalLength;
    }

    /** 1 where the driver's side acts, -1 where the function does, 0 where neither. */
    int direction() {
        return direction;
    }

    void set(TraceEvent event) {
        direction = actor(event);
        int flags = direction > 0 ? BY_DRIVER : direction < 0 ? BY_FUNCTION : 0;
        flags |= event.stamp().underWay() ? UNDER_WAY : 0;
        int status = NO_STATUS;
        int width = 0;
        long address = 0;
        long value = 0;
        long length = 0;
        byte[] data = new byte[0];
        String where = "";
        String what = "";
        fields.setLength(0);
        switch (event) {
            case TraceEvent.Access e -> {
                flags |= HAS_ADDRESS;
                address = e.offset();
                status = code(e.status());
                width = e.widthBytes();
                where = names.label(e.region());
                what = names.register(e);
                data = e.data().kept();
                length = e.data().length();
                if (data.length == length && length > 0 && length <= 8) {
                    flags |= HAS_VALUE;
                    value = e.data().value();
                    RegisterText.appendFields(
                            fields, names.domain(e.region()), address, (int) length, value);
                }
            }
            case TraceEvent.Dma e -> {
                flags |= HAS_ADDRESS;
                address = e.address();
                status = code(e.status());
                where = "MEM";
                data = e.data().kept();
                length = e.data().length();
                if (e.data().digest() != null) {
                    flags |= HAS_DIGEST;
                    value = e.data().digest();
                }
            }
            case TraceEvent.Interrupt e -> {
                flags |= HAS_VALUE;
                value = e.vector();
                where = e.kind().name();
            }
            case TraceEvent.InterruptControl e -> {
                flags |= HAS_VALUE;
                value = e.first();
                where = e.kind().name();
                what = e.action().name();
                length = e.count();
            }
            case TraceEvent.Reset e -> {
                status = code(e.status());
                what = e.kind().name();
            }
            case TraceEvent.Mapped e -> {
                flags |= HAS_ADDRESS;
                address = e.address();
                length = e.length();
                where = "MEM";
            }
            case TraceEvent.Unmapped e -> {
                flags |= HAS_ADDRESS;
                address = e.address();
                length = e.length();
                where = "MEM";
                status = code(e.status());
            }
            case TraceEvent.Near e -> {
                flags |= HAS_ADDRESS;
                address = e.address();
                length = e.length();
                where = "MEM";
            }
            case TraceEvent.State e -> {
                what = e.operation().name();
                length = e.bytes();
                status = code(e.status());
            }
            default -> {} // their line of text says all
        }
        packet.clear();
        packet.put((byte) VERSION).put((byte) status).put((byte) width).put((byte) 0);
        packet.putInt(flags);
        packet.putLong(event.stamp().number());
        packet.putLong(event.stamp().durationNanos());
        packet.putInt(event.stamp().generation());
        packet.putInt(data.length);
        packet.putLong(length).putLong(address).putLong(value);
        text(TraceText.kind(event));
        text(where);
        text(what);
        text(fields.toString());
        text(line.of(event));
        int room = Math.min(data.length, packet.remaining());
        packet.put(data, 0, room);
        long moved = data.length == 0 ? 0 : length;
        originalLength = Math.min(packet.position() - room + moved, 0xFFFF_FFFFL);
    }

    /** Who does it. */
    private static int actor(TraceEvent event) {
        return switch (event) {
            case TraceEvent.Access e -> 1;
            case TraceEvent.InterruptControl e -> 1;
            case TraceEvent.Reset e -> 1;
            case TraceEvent.Mapped e -> 1;
            case TraceEvent.Unmapped e -> 1;
            case TraceEvent.Dma e -> -1;
            case TraceEvent.Interrupt e -> -1;
            case TraceEvent.Told e -> -1;
            case TraceEvent.Near e -> -1;
            default -> 0;
        };
    }

    private static int code(CompletionStatus status) {
        return status == null ? NO_STATUS : status.code();
    }

    private void text(String string) {
        byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(bytes.length, MAX_TEXT_BYTES);
        while (length < bytes.length && (bytes[length] & 0xC0) == 0x80) { // within a character
            length--;
        }
        packet.putShort((short) length).put(bytes, 0, length);
    }
}
