package farslot.link;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * One fixed field of a frame: an unsigned little-endian number at a fixed place.
 *
 * @param name as docs/protocol.md calls it
 * @param offset from the frame's first byte
 * @param bytes 1, 2, 4 or 8
 */
record Field(String name, int offset, int bytes) {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The offset of the first byte after this field. */
    int end() {
        return offset + bytes;
    }

    /** The field of the frame that begins at {@code at}. */
    long get(MemorySegment memory, long at) {
        long place = at + offset;
        return switch (bytes) {
            case 1 -> Byte.toUnsignedLong(memory.get(ValueLayout.JAVA_BYTE, place));
            case 2 -> Short.toUnsignedLong(memory.get(SHORT, place));
            case 4 -> Integer.toUnsignedLong(memory.get(INT, place));
            default -> memory.get(LONG, place);
        };
    }

    /** As {@link #get}, for what is known to fit; a four-byte field may come out negative. */
    int getInt(MemorySegment memory, long at) {
        return (int) get(memory, at);
    }

    void set(MemorySegment memory, long at, long value) {
        long place = at + offset;
        switch (bytes) {
            case 1 -> memory.set(ValueLayout.JAVA_BYTE, place, (byte) value);
            case 2 -> memory.set(SHORT, place, (short) value);
            case 4 -> memory.set(INT, place, (int) value);
            default -> memory.set(LONG, place, value);
        }
    }
}
