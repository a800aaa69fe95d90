package farslot.recorder;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.function.LongConsumer;

/**
 * Where a trace's slots are: {@link FileStore}, {@link RingStore}. One thread, the keeper's, grows
 * and tends it; any thread may tell it of losses.
 */
interface TraceStore {
    /** The header's times, from which a trace counts. */
    long monotonicNanos();

    /** What is in front of the first record, as it is at this moment. */
    byte[] header();

    /** How many bytes a window has, a power of two. */
    int windowBytes();

    /** How many windows are in use at once, at most. */
    int mostWindows();

    /** How many records there can be; Long.MAX_VALUE where old ones make room for new ones. */
    long mostRecords();

    /** No event lies across a multiple of this many records. */
    long recordsInOne();

    /** How many windows may be made before their turn, at most. */
    int mostAhead();

    /**
     * The next window, zeros.
     *
     * @param drop is to be told which window is no more, before its memory becomes another
     * @throws IOException where the disk gives no more room; the same may be tried again
     */
    Window grow(long index, LongConsumer drop) throws IOException;

    /**
     * Seals what can be.
     *
     * @param slots how many are taken
     */
    void tend(long slots) throws IOException;

    /** Counts lost events where readers find it. */
    void lose(long count);

    void clock(ClockRelation relation);

    /** What is to stand in files that begin from now on. */
    void origin(TraceOrigin origin);

    /**
     * Writes a piece of a window to the disk, and returns when it is there.
     *
     * @return false where there is no disk
     */
    boolean force(MemorySegment piece);

    /** Writes all to the disk. */
    void force() throws IOException;

    /**
     * Ends the trace: nobody writes to a window any more.
     *
     * @param slots how many are taken
     */
    void finish(long slots) throws IOException;

    /** Leaves nothing of a trace that could not be begun. */
    void abandon();
}
