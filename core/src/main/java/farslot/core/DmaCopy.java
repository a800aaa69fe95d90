package farslot.core;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Copies between a device's buffer and the driver's memory, as DMA must be seen by a driver that
 * looks at the same time: aligned 8-byte words whole and ascending, the last word after all others
 * are visible (docs/architecture.md, "DMA writes have a granularity"). NVMe's phase bit and every
 * network card's "descriptor done" bit stand in such a last word.
 *
 * <p>The driver's memory can vanish under a copy: its owner unmaps it ({@link
 * IllegalStateException}) or cuts its file short ({@link InternalError}). Both end as {@link
 * CompletionStatus#COMPLETER_ABORT}.
 *
 * <p>Any thread may call; nothing is allocated and no lock taken.
 */
public final class DmaCopy {
    /** Up to here a write is done word by word; beyond, all but the last of these in bulk. */
    private static final long WORDWISE_BYTES = 256;

    private static final VarHandle WORD =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.nativeOrder()).varHandle();
    private static final ValueLayout.OfLong UNALIGNED_WORD =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private DmaCopy() {}

    /**
     * Writes {@code length} bytes of {@code from}, beginning at {@code fromOffset}, to the driver's
     * memory.
     *
     * @throws IndexOutOfBoundsException where a range lies outside its segment
     */
    public static CompletionStatus write(
            MemorySegment from,
            long fromOffset,
            MemorySegment memory,
            long memoryOffset,
            long length) {
        try {
            copyOut(from, fromOffset, memory, memoryOffset, length);
            return CompletionStatus.SUCCESS;
        } catch (IllegalStateException | InternalError vanished) {
            return CompletionStatus.COMPLETER_ABORT;
        }
    }

    /**
     * Reads {@code length} bytes of the driver's memory to {@code into}, beginning at {@code
     * intoOffset}.
     *
     * @throws IndexOutOfBoundsException where a range lies outside its segment
     */
    public static CompletionStatus read(
            MemorySegment memory,
            long memoryOffset,
            MemorySegment into,
            long intoOffset,
            long length) {
        try {
            copyIn(memory, memoryOffset, into, intoOffset, length);
            return CompletionStatus.SUCCESS;
        } catch (IllegalStateException | InternalError vanished) {
            return CompletionStatus.COMPLETER_ABORT;
        }
    }

    private static void copyOut(
            MemorySegment from, long source, MemorySegment memory, long target, long length) {
        VarHandle.releaseFence();
        if (memory.maxByteAlignment() < Long.BYTES) {
            // A Java array of bytes as memory: no driver but Java code can look at it.
            MemorySegment.copy(from, source, memory, target, length);
            VarHandle.releaseFence();
            return;
        }
        long end = target + length;
        long head = Math.min(length, -(memory.address() + target) & 7);
        copyBytes(from, source, memory, target, head);
        long at = target + head;
        long shift = source - target;
        long words = end - ((end - at) & 7);
        if (words - at > WORDWISE_BYTES) {
            long bulk = words - at - WORDWISE_BYTES;
            if (((from.address() + shift - memory.address()) & 7) == 0) {
                MemorySegment.copy(from, at + shift, memory, at, bulk);
                at += bulk;
            }
        }
        for (; at < words; at += Long.BYTES) {
            // Release, not plain: x86 pays nothing for it, and on others it keeps the order.
            WORD.setRelease(memory, at, from.get(UNALIGNED_WORD, at + shift));
        }
        VarHandle.releaseFence();
        copyBytes(from, at + shift, memory, at, end - at);
        VarHandle.releaseFence();
    }

    private static void copyIn(
            MemorySegment memory, long source, MemorySegment into, long target, long length) {
        VarHandle.acquireFence();
        boolean words =
                length <= WORDWISE_BYTES
                        && memory.maxByteAlignment() >= Long.BYTES
                        && ((memory.address() + source) & 7) == 0;
        long at = 0;
        if (words) {
            for (; at + Long.BYTES <= length; at += Long.BYTES) {
                long word = (long) WORD.getAcquire(memory, source + at);
                into.set(UNALIGNED_WORD, target + at, word);
            }
        }
        MemorySegment.copy(memory, source + at, into, target + at, length - at);
        VarHandle.acquireFence();
    }

    /** Fewer than eight bytes at the edge: the largest aligned pieces, ascending. */
    private static void copyBytes(
            MemorySegment from, long source, MemorySegment memory, long target, long length) {
        long end = target + length;
        long shift = source - target;
        for (long at = target; at < end; ) {
            long physical = memory.address() + at;
            if ((physical & 3) == 0 && end - at >= 4) {
                memory.set(
                        ValueLayout.JAVA_INT,
                        at,
                        from.get(ValueLayout.JAVA_INT_UNALIGNED, at + shift));
                at += 4;
            } else if ((physical & 1) == 0 && end - at >= 2) {
                memory.set(
                        ValueLayout.JAVA_SHORT,
                        at,
                        from.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + shift));
                at += 2;
            } else {
                memory.set(ValueLayout.JAVA_BYTE, at, from.get(ValueLayout.JAVA_BYTE, at + shift));
                at += 1;
            }
        }
    }
}
