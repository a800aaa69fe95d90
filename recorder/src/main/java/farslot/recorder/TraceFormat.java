package farslot.recorder;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The layout of a {@code .fst} file, in the order of docs/trace-format.md, which is what counts for
 * those who read traces with programs of their own. All numbers are little-endian.
 */
final class TraceFormat {
    private TraceFormat() {}

    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LONG_UNALIGNED =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT_UNALIGNED =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfShort SHORT_UNALIGNED =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final VarHandle LONG_HANDLE = LONG.varHandle();

    // The header.

    static final int HEADER_BYTES = 0x4000;

    /** "FARSLOT" and a line feed, which a transfer as text destroys. */
    static final long MAGIC = 0x0A54_4F4C_5352_4146L;

    static final int VERSION_MAJOR = 1;
    static final int VERSION_MINOR = 0;

    static final int MAGIC_AT = 0x00;
    static final int MAJOR_AT = 0x08;
    static final int MINOR_AT = 0x0A;
    static final int RECORD_BYTES_AT = 0x0C;
    static final int ANCHOR_MONOTONIC_AT = 0x10;
    static final int ANCHOR_WALL_AT = 0x18;
    static final int LIMIT_AT = 0x20;
    static final int HEADER_CHECK_AT = 0x28;
    static final int STATE_AT = 0x30;
    static final int LOST_AT = 0x38;
    static final int DESCRIPTION_LENGTH_AT = 0x40;
    static final int DESCRIPTION_CHECK_AT = 0x44;
    static final int DESCRIPTION_AT = 0x48;
    static final int MAX_DESCRIPTION_BYTES = HEADER_BYTES - DESCRIPTION_AT;

    static final int STATE_OPEN = 0;
    static final int STATE_CLOSED = 1;

    // A record.

    static final int RECORD_BYTES = 64;

    /** Kind, flags, number of continuations, check: written last. */
    static final int COMMIT_AT = 0x00;

    static final int TIME_AT = 0x08;
    static final int DURATION_AT = 0x10;
    static final int GENERATION_AT = 0x14;
    static final int ADDRESS_AT = 0x18;
    static final int LENGTH_AT = 0x20;
    static final int WHERE_AT = 0x24;
    static final int WIDTH_AT = 0x25;
    static final int STATUS_AT = 0x26;
    static final int DETAIL_AT = 0x27;
    static final int EXTRA_AT = 0x28;
    static final int DATA_AT = 0x30;

    /** Data bytes in the record itself. */
    static final int DATA_BYTES = RECORD_BYTES - DATA_AT;

    static final int CONTINUATION_DATA_AT = 0x08;

    /** Data bytes in each continuation. */
    static final int CONTINUATION_BYTES = RECORD_BYTES - CONTINUATION_DATA_AT;

    /** The most bytes of data that are kept of one event. */
    static final int MAX_DATA_BYTES = 1 << 20;

    static final int KIND_READ = 1;
    static final int KIND_WRITE = 2;
    static final int KIND_DMA_READ = 3;
    static final int KIND_DMA_WRITE = 4;
    static final int KIND_INTERRUPT = 5;
    static final int KIND_INTERRUPT_CONTROL = 6;
    static final int KIND_RESET = 7;
    static final int KIND_MAP = 8;
    static final int KIND_UNMAP = 9;
    static final int KIND_EVENT = 10;
    static final int KIND_MARK = 11;
    static final int KIND_ATTACH = 12;
    static final int KIND_STATE = 13;
    static final int KIND_NEAR = 14;
    static final int LAST_KIND = KIND_NEAR;
    static final int KIND_CONTINUATION = 0x7F;

    // The details of KIND_EVENT and of KIND_STATE.

    static final int EVENT_ERROR = 1;
    static final int EVENT_POWER_MANAGEMENT = 2;
    static final int EVENT_PRESENCE = 3;
    static final int EVENT_DESCRIPTION_CHANGED = 4;
    static final int EVENT_GOING_AWAY = 5;
    static final int EVENT_NEW_GENERATION = 6;
    static final int EVENT_DMA_REFUSED = 7;

    static final int STATE_QUIESCE = 1;
    static final int STATE_SAVE = 2;
    static final int STATE_LOAD = 3;
    static final int STATE_RESUME = 4;

    /** Flag: the event had begun, and its end was not recorded. */
    static final int FLAG_UNDER_WAY = 1;

    /** Flag: {@link #EXTRA_AT} holds the XXH64 digest of the data. */
    static final int FLAG_DIGEST = 2;

    /** {@link #STATUS_AT} of what has no status. */
    static final int NO_STATUS = 0xFF;

    /** How many continuations hold this many bytes of data. */
    static int continuations(int dataBytes) {
        return dataBytes <= DATA_BYTES
                ? 0
                : (dataBytes - DATA_BYTES + CONTINUATION_BYTES - 1) / CONTINUATION_BYTES;
    }

    /**
     * The commit word of the record at {@code at}, whose other 56 bytes are written.
     *
     * @param slot the record's number in the file, from 0
     */
    static long commit(
            MemorySegment segment, long at, long slot, int kind, int flags, int continuations) {
        long low = low(kind, flags, continuations);
        return low | check(segment, at, slot, low) << 32;
    }

    /**
     * The 32-bit check of a record: each of its words after the first turned and added by exclusive
     * or, then mixed (docs/trace-format.md, "The check").
     */
    static long check(MemorySegment segment, long at, long slot, long low) {
        return check(
                slot,
                low,
                segment.get(LONG, at + 0x08),
                segment.get(LONG, at + 0x10),
                segment.get(LONG, at + 0x18),
                segment.get(LONG, at + 0x20),
                segment.get(LONG, at + 0x28),
                segment.get(LONG, at + 0x30),
                segment.get(LONG, at + 0x38));
    }

    private static long check(
            long slot, long low, long a, long b, long c, long d, long e, long f, long g) {
        // Each word is turned by 9 bits for each that follows: at once, since none waits for
        // another.
        long sum =
                Long.rotateLeft(slot ^ low << 32, 63)
                        ^ Long.rotateLeft(a, 54)
                        ^ Long.rotateLeft(b, 45)
                        ^ Long.rotateLeft(c, 36)
                        ^ Long.rotateLeft(d, 27)
                        ^ Long.rotateLeft(e, 18)
                        ^ (Long.rotateLeft(f, 9) ^ g);
        sum ^= sum >>> 32;
        return (sum * 0x9E37_79B9_7F4A_7C15L) >>> 32;
    }

    /** As the other, where the first five words after the commit word are at hand. */
    static long commit(
            MemorySegment segment,
            long at,
            long slot,
            long low,
            long time,
            long duration,
            long address,
            long length,
            long extra) {
        long first = segment.get(LONG, at + DATA_AT);
        long second = segment.get(LONG, at + DATA_AT + Long.BYTES);
        return low | check(slot, low, time, duration, address, length, extra, first, second) << 32;
    }

    /** The low half of a commit word. */
    static long low(int kind, int flags, int continuations) {
        return (kind & 0xFFL) | (flags & 0xFFL) << 8 | (continuations & 0xFFFFL) << 16;
    }
}
