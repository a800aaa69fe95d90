package farslot.recorder;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

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

    /** The header is a multiple of this long. */
    static final int HEADER_STEP_BYTES = 0x1000;

    static final int MAX_HEADER_BYTES = 32 << 20;

    /** "FARSLOT" and a line feed, which a transfer as text destroys. */
    static final long MAGIC = 0x0A54_4F4C_5352_4146L;

    static final int VERSION_MAJOR = 2;
    static final int VERSION_MINOR = 1;

    static final int MAGIC_AT = 0x00;
    static final int MAJOR_AT = 0x08;
    static final int MINOR_AT = 0x0A;
    static final int RECORD_BYTES_AT = 0x0C;
    static final int HEADER_BYTES_AT = 0x10;
    static final int BLOCK_BYTES_AT = 0x14;
    static final int ANCHOR_MONOTONIC_AT = 0x18;
    static final int ANCHOR_WALL_AT = 0x20;
    static final int LIMIT_AT = 0x28;
    static final int FIRST_NUMBER_AT = 0x30;
    static final int SECTIONS_BYTES_AT = 0x38;
    static final int HEADER_CHECK_AT = 0x3C;

    static final int STATE_AT = 0x40;
    static final int LOST_AT = 0x48;
    static final int SLOTS_AT = 0x50;
    static final int STATE_CHECK_AT = 0x58;

    static final int CLOCK_OFFSET_AT = 0x60;
    static final int CLOCK_UNCERTAINTY_AT = 0x68;
    static final int CLOCK_MEASURED_AT = 0x70;
    static final int CLOCK_CHECK_AT = 0x78;

    static final int SECTIONS_AT = 0x80;

    static final int STATE_OPEN = 0;
    static final int STATE_CLOSED = 1;

    // A section.

    static final int SECTION_LENGTH_AT = 0x04;
    static final int SECTION_CHECK_AT = 0x08;
    static final int SECTION_CONTENT_AT = 0x10;

    static final int SECTION_DESCRIPTION = 1;
    static final int SECTION_CONFIGURATION = 2;
    static final int SECTION_REGISTER_MAP = 3;
    static final int SECTION_ORIGIN = 4;

    // Blocks.

    static final int RECORD_BYTES = 64;
    static final int BLOCK_BYTES = 1 << 16;
    static final int BLOCK_SLOTS = BLOCK_BYTES / RECORD_BYTES;

    /** Records of a whole block: all its slots but the seal. */
    static final int BLOCK_RECORDS = BLOCK_SLOTS - 1;

    // A record.

    /** Kind, flags, number of continuations: written last. */
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

    /** With {@link #FLAG_LINK_TIME}: how long the link took, in signed nanoseconds. */
    static final int LINK_TIME_AT = 0x04;

    /** With {@link #FLAG_PROGRAM_COUNTER}: the place of the program counter. */
    static final int PROGRAM_COUNTER_AT = 0x38;

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

    /** The detail of a mark. */
    static final int MARK_BY_GUEST = 1;

    static final int KIND_ATTACH = 12;
    static final int KIND_STATE = 13;
    static final int KIND_NEAR = 14;
    static final int KIND_LOST = 15;
    static final int KIND_LEASE = 16;
    static final int KIND_CHANGED = 17;
    static final int KIND_COUNTED = 18;
    static final int KIND_SETTING = 19;
    static final int LAST_KIND = KIND_SETTING;
    static final int KIND_SEAL = 0x7E;
    static final int KIND_CONTINUATION = 0x7F;

    // The details of KIND_EVENT, of KIND_STATE and of KIND_LEASE.

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

    static final int LEASE_BEGUN = 1;
    static final int LEASE_ENDED = 2;

    /** {@link #WHERE_AT} of KIND_CHANGED where DMA was changed. */
    static final int WHERE_MEMORY = 0xFF;

    /** Flag: the event had begun, and its end was not recorded. */
    static final int FLAG_UNDER_WAY = 1;

    /** Flag: {@link #EXTRA_AT} holds the XXH64 digest of the data. */
    static final int FLAG_DIGEST = 2;

    /** Flag: {@link #PROGRAM_COUNTER_AT} holds the driver's program counter. */
    static final int FLAG_PROGRAM_COUNTER = 4;

    /** Flag: {@link #LINK_TIME_AT} holds how long the link took. */
    static final int FLAG_LINK_TIME = 8;

    /** {@link #STATUS_AT} of what has no status. */
    static final int NO_STATUS = 0xFF;

    // A seal.

    static final int SEAL_RECORDS_AT = 0x02;
    static final int SEAL_NUMBER_AT = 0x08;
    static final int SEAL_CHECK_AT = 0x3C;

    /** How many continuations hold this many bytes of data. */
    static int continuations(int dataBytes) {
        return dataBytes <= DATA_BYTES
                ? 0
                : (dataBytes - DATA_BYTES + CONTINUATION_BYTES - 1) / CONTINUATION_BYTES;
    }

    /** The slot of a record, when only records are counted. */
    static long slotOfRecord(long record) {
        return record + record / BLOCK_RECORDS;
    }

    /** The slot of an event's continuation {@code index}, from 1; of the event's own for 0. */
    static long continuationSlot(long slot, int index) {
        return slot + index + ((slot & (BLOCK_SLOTS - 1)) + index) / BLOCK_RECORDS;
    }

    /** The commit word of a record. */
    static long commit(int kind, int flags, int continuations) {
        return (kind & 0xFFL) | (flags & 0xFFL) << 8 | (continuations & 0xFFFFL) << 16;
    }

    /**
     * CRC-32C of a piece of a file. Of a copy of it: where a mapped file is cut short meanwhile,
     * the copying throws {@link InternalError}, and the JDK's sum would end the process.
     */
    static int check(MemorySegment segment, long from, long length) {
        CRC32C check = new CRC32C();
        check.update(segment.asSlice(from, length).toArray(ValueLayout.JAVA_BYTE));
        return (int) check.getValue();
    }
}
