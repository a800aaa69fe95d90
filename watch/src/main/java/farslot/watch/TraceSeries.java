package farslot.watch;

import farslot.recorder.TraceCopy;
import farslot.recorder.TraceException;
import farslot.recorder.TraceFileNames;
import farslot.recorder.TraceOptions;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The files into which a trace that is recorded elsewhere is copied: one, or the last few, of which
 * {@code FILE} is the newest, {@code FILE.1} the one before it, and so on.
 *
 * <p>For one thread at a time, but {@link #force}.
 */
final class TraceSeries {
    /** More than the longest event and one message of records take: no event lies in two files. */
    private static final long NEAR_LIMIT_BYTES = 2L << 20;

    private final TraceFileNames names;
    private final TraceOptions keep;
    private volatile TraceCopy newest;

    /** Takes what was not complete when it came still; null where there is none. */
    private TraceCopy previous;

    /** In files before the newest. */
    private long recordsBefore;

    private long bytesBefore;
    private long missedBefore;

    private TraceSeries(Path file, TraceOptions keep) {
        this.names = new TraceFileNames(file);
        this.keep = keep;
    }

    /**
     * Looks whether there can be these files, and makes none.
     *
     * @throws TraceException where one is there, or the limit is too low for several
     */
    static TraceSeries of(Path file, TraceOptions keep) throws TraceException {
        TraceSeries series = new TraceSeries(file, keep);
        for (int number = 0; number < keep.files(); number++) {
            if (Files.exists(series.names.of(number))) {
                throw new TraceException(
                        "The trace "
                                + series.names.of(number)
                                + " cannot be made: the file exists; move it away or give another"
                                + " name.");
            }
        }
        if (keep.files() > 1 && keep.limitBytes() < 4 * NEAR_LIMIT_BYTES) {
            throw new TraceException(
                    "Several files of at most "
                            + keep.limitBytes()
                            + " bytes are too short here; 8 MiB is the least.");
        }
        return series;
    }

    /**
     * Makes the first file.
     *
     * @throws TraceException where it cannot be made, or the header is none
     */
    void begin(byte[] header) throws TraceException {
        newest = TraceCopy.create(names.newest(), header);
    }

    /**
     * Takes some records, as {@link TraceCopy#put}.
     *
     * @return false where there is no room for them
     */
    boolean put(long first, MemorySegment records) throws TraceException {
        if (previous != null && first < previous.end()) {
            previous.put(first, records);
            return true;
        }
        long after = newest.bytes() + records.byteSize();
        boolean isNew = first >= newest.end() && TraceCopy.isAtEvent(records);
        if (keep.files() > 1 && isNew && after > keep.limitBytes() - NEAR_LIMIT_BYTES) {
            goOn();
        } else if (after > keep.limitBytes()) {
            return false;
        }
        newest.put(first, records);
        return true;
    }

    private void goOn() throws TraceException {
        try {
            if (previous != null) {
                previous.close();
            }
            names.moveOn(keep.files());
        } catch (TraceException e) {
            throw e;
        } catch (IOException e) {
            throw new TraceException(
                    "The trace " + file() + " cannot go on in another file: " + e.getMessage(), e);
        }
        previous = newest;
        recordsBefore += newest.records();
        bytesBefore += newest.bytes();
        missedBefore += newest.missed();
        newest = newest.next(file());
    }

    Path file() {
        return names.newest();
    }

    long limitBytes() {
        return keep.limitBytes();
    }

    /** The number behind the last record that came. */
    long end() {
        return newest.end();
    }

    /** How many records came, marks of what is missing among them. */
    long records() {
        return recordsBefore + newest.records();
    }

    /** How long all files are that there were. */
    long bytes() {
        return bytesBefore + newest.bytes();
    }

    /** How many records are missing. */
    long missed() {
        return missedBefore + newest.missed();
    }

    /** Returns when the newest file is on the disk. Any thread may call. */
    void force() throws TraceException {
        newest.force();
    }

    /** What is to be known of the whole trace when it ends. */
    void lost(long events) throws TraceException {
        newest.lost(events);
    }

    /** Says in the newest file why no more came, though there was more. */
    void brokenOff(String why) throws TraceException {
        newest.brokenOff(why);
    }

    /** Ends the files; what has come is a whole trace. */
    void close() throws TraceException {
        if (previous != null) {
            previous.close();
        }
        newest.close();
    }
}
