package farslot.sdk.decode;

import farslot.core.CompletionStatus;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;

/** One thing that passed between a function and its driver, as a decoder is shown it. */
public sealed interface Observation {
    When when();

    /**
     * Where and when it stands in its trace.
     *
     * @param number its place, rising
     * @param nanos when it began, since the trace began
     * @param durationNanos how long it took; 0 where that is not known
     */
    record When(long number, long nanos, long durationNanos) {
        public long endNanos() {
            return nanos + durationNanos;
        }
    }

    /**
     * The driver read or wrote a region.
     *
     * @param region its index, as in {@link farslot.core.Region}
     * @param length in bytes
     * @param byteEnables of a write, bit n for byte n; all ones for a read
     * @param status null where its end was not recorded
     * @param bytes what was moved, as far as it is known, from its beginning; at most {@code
     *     length}. Empty for a read that failed or did not end. Not to be changed
     */
    @SuppressWarnings("ArrayRecordComponent") // compared nowhere
    record Access(
            When when,
            boolean write,
            int region,
            long offset,
            long length,
            long byteEnables,
            CompletionStatus status,
            byte[] bytes)
            implements Observation {
        /** Whether all {@code length} bytes are known. */
        public boolean whole() {
            return bytes.length == length;
        }

        /** The first up to eight bytes as a little-endian number. */
        public long value() {
            return LittleEndian.number(bytes, 0, Math.min(8, bytes.length));
        }
    }

    /**
     * The function read or wrote the driver's memory.
     *
     * @param bytes as of an {@link Access}; often a trace keeps only the first
     */
    @SuppressWarnings("ArrayRecordComponent") // compared nowhere
    record Dma(
            When when,
            boolean write,
            long address,
            long length,
            CompletionStatus status,
            byte[] bytes)
            implements Observation {
        public boolean whole() {
            return bytes.length == length;
        }

        /**
         * A little-endian number at an offset of what was moved.
         *
         * @param sizeBytes 1 to 8, all of them known: {@code offset + sizeBytes <= bytes.length}
         */
        public long number(int offset, int sizeBytes) {
            return LittleEndian.number(bytes, offset, sizeBytes);
        }
    }

    /** The function signalled an interrupt. */
    record Interrupt(When when, InterruptKind kind, long vector) implements Observation {}

    /** The function was reset, by its driver's side or by itself: what was under way has ended. */
    record Reset(When when, ResetKind kind) implements Observation {}
}
