package farslot.recorder;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Reads along while a trace is written: whole records of 64 bytes, as they are in the file, in
 * their order, without the seals between them. The writer knows nothing of it and never waits.
 *
 * <p>A record whose event has not ended is waited for for 10 ms. Then it is given as it is, and
 * again once it is complete. Where somebody is in a {@link #hurry} it is given at once.
 *
 * <p>One thread reads; any thread may call {@link #finish} and {@link #close}.
 */
public final class TraceTail implements AutoCloseable {
    /** The size of a record, in bytes. */
    public static final int RECORD_BYTES = TraceFormat.RECORD_BYTES;

    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    /** How many incomplete stretches are remembered: more than threads can have under way. */
    private static final int MOST_OPEN = 4096;

    /**
     * Some records.
     *
     * @param first how many records are in front of the first in the trace
     * @param count how many; 0 where there are none at this moment
     * @param missed how many in front of the first are gone, since the last
     */
    public record Batch(long first, int count, long missed) {}

    /** Records that were given as they were, before they were complete. */
    private static final class Open {
        long from;
        final long end;

        Open(long from, long end) {
            this.from = from;
            this.end = end;
        }
    }

    private final TraceWriter trace;
    private final RecordRoom room;
    private final Consumer<TraceTail> left;
    private final CountDownLatch drained = new CountDownLatch(1);
    private final List<Open> open = new ArrayList<>();
    private final byte[] header;
    private long next;

    /** Where the reading stands still, and since when. */
    private long stuckAt = -1;

    private long stuckSinceNanos;

    /** Records before this one are not waited for. */
    private volatile long hurriedTo;

    /** Where it ends: with the recording, or before. */
    private volatile long endAt = Long.MAX_VALUE;

    private volatile boolean over;

    /**
     * @param left is told when nobody reads here any more
     */
    TraceTail(TraceWriter trace, Consumer<TraceTail> left) {
        this.trace = trace;
        this.room = trace.room();
        this.left = left;
        this.header = trace.header();
    }

    /** What is in front of the first record. */
    public byte[] header() {
        return header.clone();
    }

    /** How many events the writer could not keep so far. */
    public long lost() {
        return trace.lost();
    }

    /** How many records were written so far, and are not read. */
    public long behind() {
        return Math.max(0, Math.min(room.taken(), endAt) - next);
    }

    /** Whether nothing more will come: everything that was wanted was read or is gone. */
    public boolean isOver() {
        return over;
    }

    /**
     * Begins with the oldest event of which all is kept still. What was in front of it is not
     * missed then.
     *
     * @return how many records are in front of it in the trace
     */
    public long beginWithOldest() {
        next = room.firstKept(next);
        while (next < room.taken() && continues(room.recordsFrom(next))) {
            next++;
        }
        return next;
    }

    private static boolean continues(MemorySegment records) {
        return records != null && !TraceCopy.isAtEvent(records);
    }

    /**
     * Copies what is there. Waits for nothing.
     *
     * @param into room for at least one record
     */
    public Batch next(MemorySegment into) {
        int most = (int) (into.byteSize() / RECORD_BYTES);
        long missed = 0;
        try {
            Batch completed = completed(into, most);
            if (completed != null) {
                return completed;
            }
            int count;
            do {
                long begin = room.firstKept(next);
                missed += begin - next;
                next = begin;
                count = forward(into, most);
            } while (isGone(next));
            long begin = next;
            next += count;
            if (count == 0 && next >= (room.isClosing() ? room.taken() : endAt)) {
                end();
            }
            return new Batch(begin, count, missed);
        } catch (IllegalStateException gone) {
            if (room.isClosing()) {
                long rest = behind(); // it was closed before all of it was read
                missed += rest;
                next += rest;
                end();
            } // else it was an old file, which is gone just now; others go on
            return new Batch(next, 0, missed);
        }
    }

    /** Whether what was just copied may be of others, for which its memory is used by now. */
    private boolean isGone(long record) {
        VarHandle.acquireFence();
        return room.firstKept(record) != record;
    }

    private void end() {
        over = true;
        drained.countDown();
    }

    /**
     * The next piece of what was given incomplete and is complete now; null where there is none.
     */
    private Batch completed(MemorySegment into, int most) {
        for (int i = 0; i < open.size(); i++) {
            Open stretch = open.get(i);
            if (room.recordsFrom(stretch.from) == null) {
                open.remove(i--); // it is gone, and its end with it
                continue;
            }
            if (!isComplete(stretch.from)) {
                continue;
            }
            long begin = stretch.from;
            int count = 0;
            while (count < most && begin + count < stretch.end && isComplete(begin + count)) {
                MemorySegment records = room.recordsFrom(begin + count);
                if (records == null) {
                    break;
                }
                MemorySegment.copy(records, 0, into, (long) count * RECORD_BYTES, RECORD_BYTES);
                count++;
            }
            if (isGone(begin)) {
                open.remove(i--);
                continue;
            }
            stretch.from += count;
            if (stretch.from == stretch.end) {
                open.remove(i);
            }
            return new Batch(begin, count, 0);
        }
        return null;
    }

    /** Copies records from the next on, up to one that is not complete and may soon be. */
    private int forward(MemorySegment into, int most) {
        long end = Math.min(Math.min(room.taken(), endAt), next + most);
        int count = 0;
        while (next + count < end) {
            MemorySegment records = room.recordsFrom(next + count);
            if (records == null) {
                break; // it is gone just now
            }
            int there = (int) Math.min(end - next - count, records.byteSize() / RECORD_BYTES);
            int complete = completeAtOnce(records, there);
            MemorySegment.copy(
                    records, 0, into, (long) count * RECORD_BYTES, (long) complete * RECORD_BYTES);
            count += complete;
            if (complete < there) {
                int passed = passed(records, next + count, complete, there);
                if (passed == 0) {
                    break;
                }
                MemorySegment.copy(
                        records,
                        (long) complete * RECORD_BYTES,
                        into,
                        (long) count * RECORD_BYTES,
                        (long) passed * RECORD_BYTES);
                count += passed;
            }
        }
        return count;
    }

    private static int completeAtOnce(MemorySegment records, int there) {
        int complete = 0;
        while (complete < there && isComplete(records, complete)) {
            complete++;
        }
        return complete;
    }

    /** How many records behind a stop are to be given although they are not complete. */
    private int passed(MemorySegment records, long slot, int from, int there) {
        long now = System.nanoTime();
        if (slot != stuckAt) {
            stuckAt = slot;
            stuckSinceNanos = now;
        }
        boolean hurried = slot < hurriedTo;
        if ((!hurried && now - stuckSinceNanos < PATIENCE_NANOS) || open.size() >= MOST_OPEN) {
            return 0;
        }
        int passed = 1;
        while (from + passed < there && !isComplete(records, from + passed)) {
            passed++;
        }
        open.add(new Open(slot, slot + passed));
        return passed;
    }

    /** Records before this one are to be given at once, as they are. Any thread may call. */
    public synchronized void hurry(long record) {
        hurriedTo = Math.max(hurriedTo, record);
    }

    private boolean isComplete(long slot) {
        MemorySegment records = room.recordsFrom(slot);
        return records != null && isComplete(records, 0);
    }

    private static boolean isComplete(MemorySegment records, int index) {
        long commit =
                (long)
                        TraceFormat.LONG_HANDLE.getAcquire(
                                records, (long) index * RECORD_BYTES + TraceFormat.COMMIT_AT);
        return commit != 0 && (commit & (long) TraceFormat.FLAG_UNDER_WAY << 8) == 0;
    }

    /** What is there at this moment is all that is wanted. */
    public void finish() {
        endAt = Math.min(endAt, room.taken());
    }

    /** Waits until all was read, or nobody reads any more, or the deadline. */
    void awaitDrained(long deadlineNanos) {
        boolean interrupted = false;
        while (true) {
            try {
                if (drained.await(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS)
                        || deadlineNanos - System.nanoTime() <= 0) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Nobody reads any more. */
    @Override
    public void close() {
        end();
        left.accept(this);
    }
}
