package farslot.recorder;

import static farslot.recorder.TraceFormat.LONG;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The room for a trace's records: gives each its slot, waits a little where there is none yet, and
 * counts what finds none. Any thread may take; the keeper makes more.
 */
final class RecordRoom {
    private static final System.Logger LOG = System.getLogger("farslot.recorder");
    private static final VarHandle CLAIMED;
    private static final int MOST_WINDOWS = 1 << 24;
    private static final long LOW_INT = 0xFFFF_FFFFL;

    /** What a record that found no place is called. */
    static final long NOWHERE = -1;

    /** More than there can be records. */
    private static final long NO_MORE = Long.MAX_VALUE / 2;

    static {
        try {
            CLAIMED = MethodHandles.lookup().findVarHandle(RecordRoom.class, "claimed", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Path file;
    private final TraceStore store;
    private final TraceKeeper keeper;

    /** Windows by the low bits of their index. */
    private final AtomicReferenceArray<Window> windows;

    private final int slotsPerWindowShift;
    private final long anchorNanos;
    private final long recordsInOne;

    /** How many records are taken. */
    private volatile long claimed;

    /** How many records there is room for. */
    private volatile long ready;

    private final Object room = new Object();
    private final long mostPatienceNanos;
    private long patienceNanos;
    private long patienceAtNanos;
    private volatile boolean outOfPatience;

    private final AtomicLong lost = new AtomicLong();

    /** Lost events that no record tells of yet. */
    private final AtomicLong untold = new AtomicLong();

    private volatile long untoldSinceNanos;
    private volatile boolean saidLost;
    private volatile boolean closing;

    /**
     * @throws TraceException where there would be more of it than can be
     */
    RecordRoom(Path file, TraceStore store, TraceOptions options) throws TraceException {
        this.file = file;
        this.store = store;
        this.keeper = new TraceKeeper(this, store, options.forceMillis());
        this.anchorNanos = store.monotonicNanos();
        this.recordsInOne = store.recordsInOne();
        int slotsPerWindow = store.windowBytes() / TraceFormat.RECORD_BYTES;
        this.slotsPerWindowShift = Integer.numberOfTrailingZeros(slotsPerWindow);
        if (store.mostWindows() > MOST_WINDOWS) {
            throw new TraceException(
                    "A trace of up to "
                            + options.limitBytes()
                            + " bytes would grow in more than 16 million steps; give it longer"
                            + " ones (windowBytes) or a lower limit.");
        }
        int most = Math.max(2, store.mostWindows());
        this.windows = new AtomicReferenceArray<>(Integer.highestOneBit(most - 1) * 2);
        this.mostPatienceNanos = options.patienceMillis() * 1_000_000;
        this.patienceNanos = mostPatienceNanos;
        this.patienceAtNanos = System.nanoTime();
    }

    /**
     * Makes the first of it.
     *
     * @throws IOException where there is not even that
     */
    void start() throws IOException {
        keeper.start();
    }

    /** How many events were not kept. */
    long lost() {
        return lost.get();
    }

    /** The window that a slot is in, or null where it is not kept any more. */
    MemorySegment window(long slot) {
        long index = slot >>> slotsPerWindowShift;
        Window window = windows.getAcquire((int) index & (windows.length() - 1));
        return window != null && window.index() == index ? window.memory() : null;
    }

    /** Takes so many records, and returns the first one's slot; or NOWHERE, and they are lost. */
    long claim(int records) {
        while (true) {
            long slot = claimOfReady(records);
            if (slot >= 0) {
                return slot;
            }
            if (!awaitRoom(~slot)) {
                return NOWHERE;
            }
        }
    }

    /** As {@link #claim}; where there is no room now, the complement of how many it needs. */
    private long claimOfReady(int records) {
        while (true) {
            long before = claimed;
            long first = before;
            if (records > 1 && before / recordsInOne != (before + records - 1) / recordsInOne) {
                first = (before / recordsInOne + 1) * recordsInOne; // in one file, or in none
            }
            long next = first + records;
            if (next > ready) {
                return ~next;
            }
            if (CLAIMED.weakCompareAndSet(this, before, next)) {
                long block = first / TraceFormat.BLOCK_RECORDS;
                if (next >= (block + 1) * TraceFormat.BLOCK_RECORDS) {
                    keeper.nudge();
                }
                return first + block;
            }
        }
    }

    /** Waits, as long as there is patience, for room; counts a loss where there comes none. */
    private boolean awaitRoom(long next) {
        String why = whyNever(next);
        if (why == null && !outOfPatience) {
            keeper.want(next);
            synchronized (room) {
                long now = System.nanoTime();
                patienceNanos =
                        Math.min(mostPatienceNanos, patienceNanos + (now - patienceAtNanos) / 100);
                boolean interrupted = false;
                while (next > ready && patienceNanos > 0 && whyNever(next) == null) {
                    try {
                        room.wait(Math.max(1, patienceNanos / 1_000_000));
                    } catch (InterruptedException e) {
                        interrupted = true;
                    }
                    long later = System.nanoTime();
                    patienceNanos -= later - now;
                    now = later;
                }
                patienceAtNanos = now;
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
                if (next <= ready) {
                    return true;
                }
                outOfPatience = true;
            }
            why = whyNever(next);
        }
        lose(why == null ? "its disk is slower than the events come" : why);
        return false;
    }

    /** Why there will be no room for so many records, or null. */
    private String whyNever(long records) {
        if (closing) {
            return "it has been ended";
        }
        if (records >= store.mostRecords()) {
            return "it has reached its limit";
        }
        return keeper.stuck();
    }

    /** Counts an event that was not kept, and says why once. */
    void lose(String why) {
        if (closing) {
            return; // recording was ended on purpose
        }
        lost.incrementAndGet();
        if (untold.getAndIncrement() == 0) {
            untoldSinceNanos = System.nanoTime() - anchorNanos;
        }
        store.lose(1);
        if (!saidLost) {
            saidLost = true;
            LOG.log(
                    Level.WARNING,
                    "The trace {0} takes no more for now: {1}. What happens meanwhile is only"
                            + " counted.",
                    file,
                    why);
        }
    }

    /** How many records are taken. */
    long claimed() {
        return claimed;
    }

    // For those who read what was committed while it is written: TraceTail.

    /** How many records have a place so far; what is there may not be committed yet. */
    long taken() {
        long taken = claimed;
        return taken >= NO_MORE ? taken - NO_MORE : taken;
    }

    /**
     * The memory of a record and of those behind it in the same block; null where it is not kept
     * any more.
     *
     * @throws IllegalStateException on use, where the trace is closed meanwhile
     */
    MemorySegment recordsFrom(long record) {
        long slot = TraceFormat.slotOfRecord(record);
        MemorySegment window = window(slot);
        if (window == null || !window.scope().isAlive()) {
            return null;
        }
        long behind = TraceFormat.BLOCK_RECORDS - record % TraceFormat.BLOCK_RECORDS;
        long at = placeOf(slot);
        long bytes = Math.min(behind * TraceFormat.RECORD_BYTES, window.byteSize() - at);
        return window.asSlice(at, bytes);
    }

    /** The first record from this one on that is kept still. */
    long firstKept(long record) {
        long taken = taken();
        long first = record;
        while (first < taken && recordsFrom(first) == null) {
            long window = TraceFormat.slotOfRecord(first) >>> slotsPerWindowShift;
            long slot = (window + 1) << slotsPerWindowShift;
            first = slot - slot / TraceFormat.BLOCK_SLOTS;
        }
        return Math.min(first, Math.max(record, taken));
    }

    /** Whether nothing more is kept of what is recorded. */
    boolean isClosing() {
        return closing;
    }

    /** Where a slot is in its window, in bytes. */
    long placeOf(long slot) {
        return (slot & ((1L << slotsPerWindowShift) - 1)) * TraceFormat.RECORD_BYTES;
    }

    /** How many there is room for. */
    long ready() {
        return ready;
    }

    /** The keeper has made a window: now there is room for so many records. */
    void supply(Window window, long records) {
        windows.setRelease((int) window.index() & (windows.length() - 1), window);
        ready = records;
        if (untold.get() > 0) {
            long slot = claimOfReady(1);
            if (slot >= 0) {
                tellLost(slot);
            }
        }
        supplied();
    }

    /** A window is no more; its memory may become another. */
    void drop(long index) {
        int place = (int) index & (windows.length() - 1);
        Window window = windows.get(place);
        if (window != null && window.index() == index) {
            windows.set(place, null);
        }
        VarHandle.fullFence();
    }

    /** Those who wait for room are to look again. */
    void supplied() {
        outOfPatience = false;
        synchronized (room) {
            room.notifyAll();
        }
    }

    private void tellLost(long slot) {
        MemorySegment window = window(slot);
        long at = placeOf(slot);
        long since = untoldSinceNanos;
        long duration = Math.min(System.nanoTime() - anchorNanos - since, LOW_INT);
        window.set(LONG, at + TraceFormat.TIME_AT, since);
        window.set(LONG, at + TraceFormat.DURATION_AT, duration);
        window.set(
                LONG,
                at + TraceFormat.LENGTH_AT,
                (long) TraceFormat.NO_STATUS << TraceWriter.STATUS_SHIFT);
        window.set(LONG, at + TraceFormat.EXTRA_AT, untold.getAndSet(0));
        TraceWriter.commit(window, at, TraceFormat.KIND_LOST, 0, 0);
    }

    /**
     * From now on nobody gets any. Says in the record that was kept back what was lost.
     *
     * @return how many slots were taken
     */
    long close() {
        closing = true;
        keeper.stop();
        long records = (long) CLAIMED.getAndAdd(this, NO_MORE);
        if (untold.get() > 0) {
            tellLost(TraceFormat.slotOfRecord(records++));
        }
        return TraceFormat.slotOfRecord(records);
    }
}
