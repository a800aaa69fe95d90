package farslot.recorder;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Instant;

/**
 * Makes a trace of events that happened elsewhere, each at the time that it says: what other
 * people's programs recorded, or a part of another trace. Numbers, epochs and verification follow
 * from where an event comes to stand; the rest is kept, but that of texts and data a trace has
 * limits (docs/trace-format.md).
 *
 * <p>For one thread at a time.
 */
public final class TraceAssembler implements AutoCloseable {
    /** More than the longest event has. */
    private static final int BUFFERED_RECORDS = 1 << 15;

    private final TraceCopy copy;
    private final MemorySegment buffer =
            Arena.ofAuto().allocate((long) BUFFERED_RECORDS * TraceFormat.RECORD_BYTES, 8);

    /** Records that were added, and those of them that are in the buffer still. */
    private long added;

    private long buffered;

    private TraceAssembler(TraceCopy copy) {
        this.copy = copy;
    }

    /**
     * Creates the file.
     *
     * @param began the time of day at which the events' times are 0
     * @throws TraceException where the file exists, cannot be made, or the disk is full
     */
    public static TraceAssembler create(
            Path file, TraceSubject subject, TraceOrigin origin, Instant began)
            throws TraceException {
        long wall = began.getEpochSecond() * 1_000_000_000L + began.getNano();
        TraceHeader header = new TraceHeader(0, wall, Long.MAX_VALUE, subject, origin);
        return new TraceAssembler(TraceCopy.create(file, header.encodePublished()));
    }

    /**
     * Creates the file with all that another trace says of itself before its first event.
     *
     * @throws TraceException where the file exists, cannot be made, or the disk is full
     */
    public static TraceAssembler like(Path file, TraceReader other) throws TraceException {
        return new TraceAssembler(TraceCopy.create(file, other.headerOfFirst()));
    }

    /**
     * The same event, of which is known how long the link took.
     *
     * @param linkNanos at most 2.1 s are kept
     */
    public void add(TraceEvent event, long linkNanos) throws TraceException {
        add(RecordEncoder.encode(event, linkNanos));
    }

    /**
     * Adds an event behind those that were added before.
     *
     * @throws TraceException where the file cannot be written
     */
    public void add(TraceEvent event) throws TraceException {
        add(RecordEncoder.encode(event, event.stamp().linkNanos()));
    }

    private void add(MemorySegment records) throws TraceException {
        long count = records.byteSize() / TraceFormat.RECORD_BYTES;
        if (buffered + count > BUFFERED_RECORDS) {
            flush();
        }
        long at = buffered * TraceFormat.RECORD_BYTES;
        MemorySegment.copy(records, 0, buffer, at, records.byteSize());
        buffered += count;
        added += count;
    }

    private void flush() throws TraceException {
        copy.put(added - buffered, buffer.asSlice(0, buffered * TraceFormat.RECORD_BYTES));
        buffered = 0;
    }

    /** How many events are missing in all, those that events tell of among them. */
    public void lost(long events) throws TraceException {
        copy.lost(events);
    }

    /**
     * Ends the trace.
     *
     * @throws TraceException where the file cannot be finished
     */
    @Override
    public void close() throws TraceException {
        try (copy) {
            flush();
        }
    }
}
