package farslot.recorder;

import static farslot.recorder.TraceFormat.INT;
import static farslot.recorder.TraceFormat.LONG;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;

/**
 * The seal of a block (docs/trace-format.md, "Blocks"): says that its records are complete, and
 * what they were.
 *
 * <p>{@code at} is the block's first byte in the memory that is given.
 */
final class BlockSeal {
    private BlockSeal() {}

    /** Whether each record of a whole block is there and has ended, so that none changes more. */
    static boolean isComplete(MemorySegment memory, long at) {
        long end = at + (long) TraceFormat.BLOCK_RECORDS * TraceFormat.RECORD_BYTES;
        for (long record = at; record < end; record += TraceFormat.RECORD_BYTES) {
            long commit = (long) TraceFormat.LONG_HANDLE.getAcquire(memory, record);
            if (commit == 0 || (commit >>> 8 & TraceFormat.FLAG_UNDER_WAY) != 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Seals a block.
     *
     * @param number of its first slot
     * @param records how many it has, 1 to 1023; the seal goes behind them
     */
    static void set(MemorySegment memory, long at, long number, int records) {
        long seal = at + (long) records * TraceFormat.RECORD_BYTES;
        memory.asSlice(seal, TraceFormat.RECORD_BYTES).fill((byte) 0);
        memory.set(LONG, seal + TraceFormat.SEAL_NUMBER_AT, number);
        long commit = commit(records);
        // The check is over the commit word too, which is there only when all else is.
        memory.set(INT, seal + TraceFormat.SEAL_CHECK_AT, check(memory, at, seal, commit));
        TraceFormat.LONG_HANDLE.setRelease(memory, seal, commit);
    }

    /**
     * Makes the seal of a block whose records were checked as they came.
     *
     * @param seal becomes it; room for one record
     * @param records how many the block has
     * @param check of the records; takes the seal in
     */
    static void set(MemorySegment seal, long number, int records, CRC32C check) {
        seal.fill((byte) 0);
        seal.set(LONG, 0, commit(records));
        seal.set(LONG, TraceFormat.SEAL_NUMBER_AT, number);
        check.update(seal.asSlice(0, TraceFormat.SEAL_CHECK_AT).asByteBuffer());
        seal.set(INT, TraceFormat.SEAL_CHECK_AT, (int) check.getValue());
    }

    /** Whether the slot at {@code seal} has a seal, right or wrong. */
    static boolean isThere(MemorySegment memory, long seal) {
        return (long) TraceFormat.LONG_HANDLE.getAcquire(memory, seal) != 0;
    }

    /** Whether the block is what its seal says. */
    static boolean isWhole(MemorySegment memory, long at, long number, int records) {
        long seal = at + (long) records * TraceFormat.RECORD_BYTES;
        return memory.get(LONG, seal) == commit(records)
                && memory.get(LONG, seal + TraceFormat.SEAL_NUMBER_AT) == number
                && memory.get(INT, seal + TraceFormat.SEAL_CHECK_AT)
                        == check(memory, at, seal, commit(records));
    }

    private static long commit(int records) {
        return TraceFormat.commit(TraceFormat.KIND_SEAL, 0, records);
    }

    /** Of a copy, as {@link TraceFormat#check} says. */
    private static int check(MemorySegment memory, long at, long seal, long commit) {
        byte[] bytes =
                memory.asSlice(at, seal - at + TraceFormat.SEAL_CHECK_AT)
                        .toArray(ValueLayout.JAVA_BYTE);
        MemorySegment.ofArray(bytes).set(TraceFormat.LONG_UNALIGNED, seal - at, commit);
        CRC32C check = new CRC32C();
        check.update(bytes);
        return (int) check.getValue();
    }
}
