package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;

/** One thing that a trace recorded, in the order in which things began. */
public sealed interface TraceEvent {
    /** What every event has. */
    Stamp stamp();

    /**
     * Where and when.
     *
     * @param number its place in the trace, from 0; numbers are skipped where data took more room
     * @param nanos when it began, since the trace began
     * @param durationNanos how long it took; 0 for what is posted or has no end. At most 4.29 s
     * @param generation of the function, when it began
     * @param underWay whether its end was not recorded: it hung, or the recording ended first
     */
    record Stamp(long number, long nanos, long durationNanos, int generation, boolean underWay) {}

    /**
     * What was moved.
     *
     * @param length in bytes
     * @param kept what the trace has of it, from its beginning; shorter than {@code length} where
     *     the rest was not kept or is damaged
     * @param digest XXH64 of all, or null where none was kept
     */
    @SuppressWarnings("ArrayRecordComponent") // made for each reader, and compared nowhere
    record Data(long length, byte[] kept, Long digest) {
        public boolean complete() {
            return kept.length == length;
        }

        /** The first up to eight bytes as a little-endian number. */
        public long value() {
            long value = 0;
            for (int i = Math.min(8, kept.length) - 1; i >= 0; i--) {
                value = value << 8 | (kept[i] & 0xFF);
            }
            return value;
        }
    }

    /**
     * The driver read or wrote a region.
     *
     * @param region its index
     * @param byteEnables of a write; all for a read
     * @param status null while it is under way
     */
    record Access(
            Stamp stamp,
            boolean write,
            int region,
            long offset,
            int widthBytes,
            long byteEnables,
            CompletionStatus status,
            Data data)
            implements TraceEvent {}

    /** The function read or wrote the driver's memory. */
    record Dma(Stamp stamp, boolean write, long address, CompletionStatus status, Data data)
            implements TraceEvent {}

    /** The function signalled an interrupt. */
    record Interrupt(Stamp stamp, InterruptKind kind, long vector) implements TraceEvent {}

    /** The driver's side enabled, disabled, masked or unmasked vectors. */
    record InterruptControl(
            Stamp stamp, InterruptKind kind, InterruptAction action, long first, long count)
            implements TraceEvent {}

    /**
     * The function was reset.
     *
     * @param newGeneration that the reset began
     */
    record Reset(Stamp stamp, ResetKind kind, CompletionStatus status, long newGeneration)
            implements TraceEvent {}

    /**
     * The driver's side mapped memory for DMA.
     *
     * @param near whether the function could reach it as memory
     */
    record Mapped(
            Stamp stamp,
            long address,
            long length,
            Direction direction,
            boolean near,
            boolean servedWhileWaiting)
            implements TraceEvent {}

    record Unmapped(Stamp stamp, long address, long length, CompletionStatus status)
            implements TraceEvent {}

    /** The function told its driver's side of something. */
    record Told(Stamp stamp, FunctionEvent event) implements TraceEvent {}

    /** A mark by the user. */
    record Mark(Stamp stamp, String text) implements TraceEvent {}

    /** The function was given a host, or lost it. */
    record Attached(Stamp stamp, boolean attached) implements TraceEvent {}

    /** Quiesce, save, load or resume. */
    record State(Stamp stamp, Operation operation, long bytes, CompletionStatus status)
            implements TraceEvent {
        /** In the order of their codes in a trace, from 1. */
        public enum Operation {
            QUIESCE,
            SAVE,
            LOAD,
            RESUME
        }
    }

    /**
     * The device asked for the driver's memory itself; what it did there is not in the trace.
     *
     * @param given whether it got it
     */
    record Near(Stamp stamp, long address, long length, Direction direction, boolean given)
            implements TraceEvent {}
}
