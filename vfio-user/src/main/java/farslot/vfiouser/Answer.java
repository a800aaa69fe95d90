package farslot.vfiouser;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Where one thread builds its answers: header, up to 16 fixed bytes, data. The slices for usual
 * accesses are made once, so an access allocates nothing.
 */
final class Answer {
    private static final int DATA = Messages.HEADER_BYTES + Messages.REGION_ACCESS_DATA;
    private static final int USUAL_BYTES = 64;

    private MemorySegment memory = Arena.ofAuto().allocate(DATA + USUAL_BYTES, 8);
    private final MemorySegment[] usual = slices(memory, DATA);

    /** Takes the data of usual writes, since what it was read into is used by others next. */
    private final MemorySegment written = Arena.ofAuto().allocate(USUAL_BYTES, 8);

    private final MemorySegment[] usualWritten = slices(written, 0);

    private static MemorySegment[] slices(MemorySegment segment, long at) {
        MemorySegment[] slices = new MemorySegment[USUAL_BYTES + 1];
        for (int length = 1; length <= USUAL_BYTES; length++) {
            slices[length] = segment.asSlice(at, length);
        }
        return slices;
    }

    MemorySegment memory() {
        return memory;
    }

    /** Where a read's data goes. */
    MemorySegment data(int count) {
        if (DATA + count > memory.byteSize()) {
            memory = Arena.ofAuto().allocate(Messages.MAX_MESSAGE_BYTES, 8);
        }
        return count <= USUAL_BYTES && memory.byteSize() == DATA + USUAL_BYTES
                ? usual[count]
                : memory.asSlice(DATA, count);
    }

    /** A write's data, readable until the next message. */
    MemorySegment written(Message message, int count) {
        if (count > USUAL_BYTES) {
            return message.slice(Messages.REGION_ACCESS_DATA, count);
        }
        message.copyPayload(Messages.REGION_ACCESS_DATA, written, 0, count);
        return usualWritten[count];
    }

    /** Writes the header of an answer; the whole message's length. */
    int header(int id, int command, int payloadBytes) {
        return header(id, command, payloadBytes, Messages.TYPE_REPLY, 0);
    }

    /** Writes an error answer, which is the bare header. */
    int error(int id, int command, int errno) {
        return header(id, command, 0, Messages.TYPE_REPLY | Messages.FLAG_ERROR, errno);
    }

    private int header(int id, int command, int payloadBytes, int flags, int errno) {
        int size = Messages.HEADER_BYTES + payloadBytes;
        memory.set(Messages.U16, Messages.HEADER_ID, (short) id);
        memory.set(Messages.U16, Messages.HEADER_COMMAND, (short) command);
        memory.set(Messages.U32, Messages.HEADER_SIZE, size);
        memory.set(Messages.U32, Messages.HEADER_FLAGS, flags);
        memory.set(Messages.U32, Messages.HEADER_ERRNO, errno);
        return size;
    }

    /** Writes the fixed part of an answer to a region access. */
    void access(long offset, int region, int count) {
        long at = Messages.HEADER_BYTES;
        memory.set(Messages.U64, at + Messages.REGION_ACCESS_OFFSET, offset);
        memory.set(Messages.U32, at + Messages.REGION_ACCESS_REGION, region);
        memory.set(Messages.U32, at + Messages.REGION_ACCESS_COUNT, count);
    }

    void u32(long offset, int value) {
        memory.set(Messages.U32, Messages.HEADER_BYTES + offset, value);
    }

    void u64(long offset, long value) {
        memory.set(Messages.U64, Messages.HEADER_BYTES + offset, value);
    }
}
