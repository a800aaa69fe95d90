package farslot.link;

import java.lang.foreign.MemorySegment;

/**
 * Where a follower puts the records that it gets. Called on the link's own thread: as long as one
 * of these takes, no more come, and the other side's recorder goes on without waiting.
 */
public interface RecordSink {
    /**
     * Takes records.
     *
     * @param first as {@link RecordFeed.Batch}
     * @param lost how many events the recorder had no room for, so far
     * @param waitedFor whether an access waits until these are kept
     * @param records whole ones of {@link RecordFeed#RECORD_BYTES}, good until this returns
     * @return whether they are kept, where the end of the recorder's computer does not reach them;
     *     once that was not so, no more are acknowledged
     */
    boolean records(long first, long lost, boolean waitedFor, MemorySegment records);

    /**
     * Nothing more comes, by the other side's decision or this one's.
     *
     * @param end the number behind the last record of the recording
     * @param lost as above
     */
    void ended(long end, long lost, String sentence);
}
