package farslot.link;

import java.lang.foreign.MemorySegment;

/**
 * The records of a recording for one follower: what an {@link Offer} gives, and a link takes from,
 * on a thread for that alone. The recording never waits for it.
 *
 * <p>{@link #next} is called by one thread at a time, all others by any.
 */
public interface RecordFeed extends AutoCloseable {
    /** The size of a record, in bytes. */
    int RECORD_BYTES = 64;

    /**
     * Some records.
     *
     * @param first the number of the first. More than is expected: those between are gone. Less: it
     *     came before, was not complete then, and replaces what came
     * @param count how many
     * @param waitedFor whether an access waits until the follower has them
     */
    record Batch(long first, int count, boolean waitedFor) {}

    /** What is in front of the trace's first record, up to 1 MiB. */
    byte[] header();

    /** The number of the first record that will come, or a later one. */
    long first();

    /**
     * Takes what there is; waits some milliseconds for it where there is nothing.
     *
     * @param into room for at least one record
     * @return with the count 0 where there is nothing now
     */
    Batch next(MemorySegment into);

    /** How many events the recorder had no room for, so far. */
    long lost();

    /** Why no more will come, in a sentence; null as long as more may come. */
    String over();

    /** The number behind the last record, once {@link #over}. */
    long end();

    /** The follower has all records before this one, and keeps them. */
    void kept(long next);

    /** The follower wants no more than there is at this moment; what it began to record ends. */
    void finish();

    /** Nobody follows any more; again is harmless. */
    @Override
    void close();
}
