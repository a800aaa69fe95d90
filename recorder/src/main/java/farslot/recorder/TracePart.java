package farslot.recorder;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Some blocks of a trace, for what is made of a trace piece by piece. What holds of a part that is
 * {@link #isFinal} holds for ever, so what was made of it can be kept, and found again by {@link
 * #digest}.
 */
public final class TracePart {
    private final TraceReader reader;
    private final long firstSlot;
    private final long endSlot;
    private final boolean isFinal;
    private final long digest;

    private TracePart(TraceReader reader, long firstSlot, long endSlot) {
        this.reader = reader;
        this.firstSlot = firstSlot;
        this.endSlot = endSlot;
        long firstBlock = firstSlot / TraceFormat.BLOCK_SLOTS;
        long endBlock = -Math.floorDiv(-endSlot, (long) TraceFormat.BLOCK_SLOTS);
        boolean sealed = true;
        MemorySegment trace = reader.memory();
        long headerBytes = reader.placeOf(0);
        long stateBytes = TraceFormat.SECTIONS_AT - TraceFormat.STATE_AT;
        long sealBytes = (endBlock - firstBlock) * TraceFormat.RECORD_BYTES;
        try (Arena here = Arena.ofConfined()) {
            // What the header says of the state changes while the trace is written.
            MemorySegment all = here.allocate(headerBytes - stateBytes + sealBytes, Long.BYTES);
            MemorySegment.copy(trace, 0, all, 0, TraceFormat.STATE_AT);
            MemorySegment.copy(
                    trace,
                    TraceFormat.SECTIONS_AT,
                    all,
                    TraceFormat.STATE_AT,
                    headerBytes - TraceFormat.SECTIONS_AT);
            long at = headerBytes - stateBytes;
            for (long block = firstBlock; block < endBlock; block++) {
                long blockEnd = Math.min((block + 1) * TraceFormat.BLOCK_SLOTS, reader.slots());
                long seal = reader.placeOf(blockEnd - 1);
                sealed &= reader.isSeal(blockEnd - 1) && BlockSeal.isThere(trace, seal);
                MemorySegment.copy(trace, seal, all, at, TraceFormat.RECORD_BYTES);
                at += TraceFormat.RECORD_BYTES;
            }
            this.digest = DataDigest.of(all);
        }
        this.isFinal = sealed || reader.closed();
    }

    /**
     * A trace, as it is now, in parts.
     *
     * @param slots of each but the last; made a multiple of a block's
     * @throws TraceException where it cannot be read any more
     */
    public static List<TracePart> of(TraceReader reader, long slots) throws TraceException {
        long each = Math.max(1, slots / TraceFormat.BLOCK_SLOTS) * TraceFormat.BLOCK_SLOTS;
        List<TracePart> parts = new ArrayList<>();
        try {
            for (long at = 0; at < reader.slots(); at += each) {
                parts.add(new TracePart(reader, at, Math.min(at + each, reader.slots())));
            }
        } catch (InternalError e) {
            throw TraceReader.unreadable(reader.file(), e);
        }
        return parts;
    }

    /** How many slots it has. */
    public long slots() {
        return endSlot - firstSlot;
    }

    /** How many slots of the trace are before it. */
    public long firstSlot() {
        return firstSlot;
    }

    /** Whether all its blocks are sealed: what is read of it changes no more. */
    public boolean isFinal() {
        return isFinal;
    }

    /**
     * Of the trace's header and of the blocks' seals, so of all that was written: other parts, and
     * parts of other traces, have another one. Damage that came later does not change it.
     */
    public long digest() {
        return digest;
    }

    /**
     * A reader of its own, of the events that begin in this part and no others.
     *
     * @param epoch what {@link TraceReader#epoch} was at the end of the part before it
     * @throws TraceException where the file cannot be read any more, or is another one now
     */
    @SuppressWarnings("MustBeClosed") // by whoever asked for it
    public TraceReader open(long epoch) throws TraceException {
        TraceReader again = TraceReader.open(reader.file());
        try {
            if (new TracePart(again, firstSlot, Math.min(endSlot, again.slots())).digest != digest
                    && isFinal) {
                throw new TraceException(
                        "The trace "
                                + reader.file()
                                + " became another one while it was read; ask again.");
            }
            again.readBetween(firstBegin(), Math.min(endSlot, again.slots()), epoch);
            return again;
        } catch (TraceException e) {
            again.close();
            throw e;
        } catch (InternalError e) {
            again.close();
            throw TraceReader.unreadable(reader.file(), e);
        }
    }

    /** Behind the data of an event that began before. */
    private long firstBegin() {
        long slot = firstSlot;
        while (slot > 0 && slot < endSlot && (reader.isSeal(slot) || isContinuation(slot))) {
            slot++;
        }
        return slot;
    }

    private boolean isContinuation(long slot) {
        long commit = reader.memory().get(TraceFormat.LONG, reader.placeOf(slot));
        return (commit & 0xFF) == TraceFormat.KIND_CONTINUATION;
    }
}
