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

    /** How far what was read is what was written. */
    enum Verification {
        /** Its block is sealed, and is what the seal says. */
        SEALED,
        /** Its block has no seal: the writer was killed before it made one, or still writes. */
        UNSEALED,
        /** Its block is damaged: this, or something near it, is not what was written. */
        DAMAGED
    }

    /**
     * Where and when.
     *
     * @param number its place in the trace, from 0; numbers are skipped where data took more room
     * @param nanos when it began, since the trace began
     * @param durationNanos how long it took; 0 for what is posted or has no end. At most 4.29 s
     * @param generation of the function, when it began
     * @param underWay whether its end was not recorded: it hung, or the recording ended first
     * @param verification how far all this can be relied on
     * @param epoch of the lease under which it happened; 0 where there was none, or it is not known
     * @param programCounter of the driver's instruction; 0 where it is not known
     * @param linkNanos how long the link alone took, in a trace that was recorded at both ends of
     *     it; {@link #NO_LINK_TIME} where that is not known. Below 0 only as far as the clocks of
     *     the two machines are not known better. At most 2.1 s
     */
    record Stamp(
            long number,
            long nanos,
            long durationNanos,
            int generation,
            boolean underWay,
            Verification verification,
            long epoch,
            long programCounter,
            long linkNanos) {
        public static final long NO_LINK_TIME = Long.MIN_VALUE;

        /** One that was recorded at one end. */
        public Stamp(
                long number,
                long nanos,
                long durationNanos,
                int generation,
                boolean underWay,
                Verification verification,
                long epoch,
                long programCounter) {
            this(
                    number,
                    nanos,
                    durationNanos,
                    generation,
                    underWay,
                    verification,
                    epoch,
                    programCounter,
                    NO_LINK_TIME);
        }

        public boolean hasLinkTime() {
            return linkNanos != NO_LINK_TIME;
        }

        /** One that can be relied on, of whose lease and instruction nothing is known. */
        public Stamp(
                long number, long nanos, long durationNanos, int generation, boolean underWay) {
            this(number, nanos, durationNanos, generation, underWay, Verification.SEALED, 0, 0);
        }
    }

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

    /**
     * A mark by the user.
     *
     * @param byGuest whether it came from inside the guest
     */
    record Mark(Stamp stamp, String text, boolean byGuest) implements TraceEvent {
        /** One that did not. */
        public Mark(Stamp stamp, String text) {
            this(stamp, text, false);
        }

        /** Its text, and before it whose it is if it is the guest's. */
        public String words() {
            return byGuest ? "guest: " + text : text;
        }
    }

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

    /**
     * Events were lost here: there was no room for them. {@link Stamp#nanos} is when the first was,
     * {@link Stamp#durationNanos} for how long.
     */
    record Lost(Stamp stamp, long count) implements TraceEvent {}

    /**
     * A lease began or ended.
     *
     * @param slot its name
     * @param identity who borrowed
     * @param why it ended, in a sentence; else empty
     */
    record Lease(Stamp stamp, boolean begun, long epoch, String slot, String identity, String why)
            implements TraceEvent {}

    /**
     * Another tap changed what passed.
     *
     * @param tap its name
     * @param region its index; {@link #MEMORY} where DMA was changed
     * @param address offset in the region, or DMA address
     * @param before what it was
     * @param after what it was changed to; as long
     */
    @SuppressWarnings("ArrayRecordComponent") // made for each reader, and compared nowhere
    record Changed(Stamp stamp, String tap, int region, long address, byte[] before, byte[] after)
            implements TraceEvent {
        /** In place of a region's index: the driver's memory. */
        public static final int MEMORY = -1;
    }

    /** How often a range was accessed that is only counted, since it was counted last. */
    record Counted(
            Stamp stamp, int region, long firstOffset, long lastOffset, long reads, long writes)
            implements TraceEvent {}

    /**
     * From here on something else is recorded.
     *
     * @param setting as a person would say it: {@code --mode BAR0:0x0-0xfff=count}, "everything"
     */
    record Setting(Stamp stamp, String setting) implements TraceEvent {}
}
