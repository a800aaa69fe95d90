package farslot.recorder;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Reads a trace while it grows, by this process or another, event by event.
 *
 * <p>An event that has begun and does not end is waited for for a quarter of a second. Then it is
 * given as it is, under way, and again when it has ended.
 *
 * <p>For one thread at a time.
 */
public final class TraceFollower implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** How far is looked behind an empty record for one that is there. */
    private static final int LOOK_AHEAD = 4096;

    /** How many events are looked for at a time. */
    private static final int MOST_AT_ONCE = 4096;

    /** How many events are remembered that were given under way. */
    private static final int MOST_OPEN = 4096;

    private static final int RECORD_BYTES = TraceFormat.RECORD_BYTES;

    private final Path file;
    private final List<Long> open = new ArrayList<>();
    private final List<String> remarks = new ArrayList<>();
    private TraceReader reader;

    private MemorySegment trace;
    private long slots;

    /** The first record that was not given. */
    private long next;

    private long stuckSinceNanos;
    private boolean stuck;

    private TraceFollower(Path file) throws TraceException {
        this.file = file;
        look();
    }

    /**
     * Opens a trace.
     *
     * @throws TraceException where there is none, or it is no trace, or one of a newer version
     */
    public static TraceFollower open(Path file) throws TraceException {
        return new TraceFollower(file);
    }

    /** For what the trace says of itself, as it was when it was opened last. */
    public TraceReader reader() {
        return reader;
    }

    /** What is to be known of what was read so far, in sentences. */
    public List<String> remarks() {
        List<String> all = new ArrayList<>(remarks);
        all.addAll(reader.remarksOfGrowing());
        return all;
    }

    /**
     * Up to where the file is read, and not needed any more but for the header and what was given
     * under way: a multiple of a block's 64 KiB behind {@link #headerBytes}.
     */
    public long readBytes() {
        long block = reader.position() / TraceFormat.BLOCK_SLOTS;
        return reader.placeOf(block * TraceFormat.BLOCK_SLOTS);
    }

    /** How long the trace's header is: a multiple of 4096. */
    public long headerBytes() {
        return reader.placeOf(0);
    }

    /** Looks at the file anew, which has another length than before. */
    private void look() throws TraceException {
        TraceReader fresh = TraceReader.open(file);
        if (reader != null) {
            remarks.addAll(reader.remarksOfGrowing());
            reader.close();
        }
        reader = fresh;
        trace = reader.memory();
        slots = reader.slots();
        reader.readBetween(next, next);
    }

    /** Whether the writer has ended the trace and all of it was given. */
    public boolean isOver() throws TraceException {
        try {
            if (isEnded() && !reader.closed()) {
                look(); // it is shorter than it was
            }
            return isEnded() && !isLonger() && firstBehind(slots) >= slots;
        } catch (InternalError cut) { // at this moment
            return false;
        }
    }

    private boolean isEnded() {
        return trace.get(TraceFormat.INT, TraceFormat.STATE_AT) == TraceFormat.STATE_CLOSED;
    }

    private boolean isLonger() throws TraceException {
        try {
            return Files.size(file) >= trace.byteSize() + RECORD_BYTES;
        } catch (IOException e) {
            throw new TraceException(
                    "The trace " + file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }

    /**
     * The next event, or null where there is none at this moment.
     *
     * @throws TraceException where the file cannot be read on
     */
    public TraceEvent next() throws TraceException {
        try {
            return nextThere();
        } catch (InternalError cut) { // by its writer, who has ended it
            look();
            return null;
        }
    }

    private TraceEvent nextThere() throws TraceException {
        TraceEvent event = reader.next();
        while (event == null && findMore()) {
            event = reader.next();
        }
        return event;
    }

    /** Points the reader at more that is there; false where there is no more. */
    private boolean findMore() throws TraceException {
        for (Long begun : open) {
            if (isComplete(begun)) {
                reader.readBetween(begun, end(begun));
                open.remove(begun);
                return true;
            }
        }
        if (isEnded() && !reader.closed()) {
            look(); // it is shorter than it was
        }
        long from = next;
        int count = 0;
        while (count < MOST_AT_ONCE && next < slots && isComplete(next) && end(next) <= slots) {
            next = end(next);
            count++;
        }
        if (next > from) {
            stuck = false;
            reader.readBetween(from, next);
            return true;
        }
        boolean cut = next >= slots || (commit(next) != 0 && end(next) > slots);
        if (cut && isLonger()) {
            look();
            return true;
        }
        return !cut && passed();
    }

    /** Gives up waiting for the record at which the reading stands still, if that is so. */
    private boolean passed() {
        boolean begun = commit(next) != 0;
        if ((commit(next) & 0xFF) == TraceFormat.KIND_SEAL) {
            return false;
        }
        long now = System.nanoTime();
        if (!stuck) {
            stuck = true;
            stuckSinceNanos = now;
        }
        if (now - stuckSinceNanos < PATIENCE_NANOS && !isEnded()) {
            return false;
        }
        long end = begun ? end(next) : firstBehind(Math.min(slots, next + LOOK_AHEAD));
        if (!begun && (end == slots || commit(end) == 0)) {
            return false; // nobody has come so far yet
        }
        stuck = false;
        if (open.size() == MOST_OPEN) {
            open.removeFirst();
        }
        open.add(next);
        reader.readBetween(next, end);
        next = end;
        return true;
    }

    /** The first record that is not empty, from the next on; or the end. */
    private long firstBehind(long end) {
        long slot = next;
        while (slot < end && (commit(slot) == 0 || reader.isSeal(slot))) {
            slot++;
        }
        return slot;
    }

    private long commit(long slot) {
        return (long)
                TraceFormat.LONG_HANDLE.getAcquire(
                        trace, reader.placeOf(slot) + TraceFormat.COMMIT_AT);
    }

    /** A seal keeps nobody waiting, whether it is made already or not. */
    private boolean isComplete(long slot) {
        if (reader.isSeal(slot)) {
            return true;
        }
        long commit = commit(slot);
        if ((commit & 0xFF) == TraceFormat.KIND_SEAL) {
            return false; // of the last block: the writer is just ending the trace
        }
        return commit != 0 && (commit & (long) TraceFormat.FLAG_UNDER_WAY << 8) == 0;
    }

    /** Where the event ends that begins here. */
    private long end(long slot) {
        long commit = commit(slot);
        if (reader.isSeal(slot) || (commit & 0xFF) == TraceFormat.KIND_CONTINUATION) {
            return slot + 1;
        }
        return TraceFormat.continuationSlot(slot, (int) (commit >>> 16) & 0xFFFF) + 1;
    }

    @Override
    public void close() {
        reader.close();
    }
}
