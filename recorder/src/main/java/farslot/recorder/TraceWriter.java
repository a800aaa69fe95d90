package farslot.recorder;

import static farslot.recorder.TraceFormat.LONG;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Writes one trace. Any thread may record; none waits for another, except that it may wait a little
 * ({@link TraceOptions#patienceMillis}) where records come faster than the file can grow. Recording
 * allocates nothing, and never throws: what cannot be kept is counted in the file as lost, and the
 * log says so once.
 *
 * <p>What has a beginning and an end is two calls: {@code begin...} takes the record's place and
 * says what is known, so an access that hangs is seen in the trace as under way; {@link #end}
 * completes it.
 *
 * <p>A process that is killed leaves a readable trace: a record counts once its commit word is
 * there, and that is written last. A computer that loses power may lose what the kernel had not yet
 * written.
 */
public final class TraceWriter implements AutoCloseable {
    /** The longest text of a mark or an event, in bytes of UTF-8; the rest is cut off. */
    public static final int MAX_TEXT_BYTES = 1024;

    private static final System.Logger LOG = System.getLogger("farslot.recorder");
    private static final VarHandle CLAIMED;
    private static final int MOST_WINDOWS = 1 << 24;

    private static final long LOW_INT = 0xFFFF_FFFFL;

    /** Where the status is in the word that begins with the length. */
    private static final int STATUS_SHIFT = 8 * (TraceFormat.STATUS_AT - TraceFormat.LENGTH_AT);

    /** What a record that found no place is called. */
    static final long NOWHERE = -1;

    /** More than there can be records. */
    private static final long NO_MORE = Long.MAX_VALUE / 2;

    static {
        try {
            CLAIMED =
                    MethodHandles.lookup().findVarHandle(TraceWriter.class, "claimed", long.class);
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

    private TraceWriter(Path file, TraceStore store, TraceOptions options) throws IOException {
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
        keeper.start();
    }

    /**
     * Creates the file and writes the description.
     *
     * @throws TraceException where the file exists, cannot be made, or the disk is full
     */
    public static TraceWriter create(
            Path file, FunctionDescription description, TraceOptions options)
            throws TraceException {
        return create(file, TraceSubject.of(description), options);
    }

    /**
     * Creates the file and writes what is known of the function.
     *
     * @throws TraceException where the file exists, cannot be made, or the disk is full
     */
    public static TraceWriter create(Path file, TraceSubject subject, TraceOptions options)
            throws TraceException {
        Instant now = Instant.now();
        TraceHeader header =
                new TraceHeader(
                        System.nanoTime(),
                        now.getEpochSecond() * 1_000_000_000L + now.getNano(),
                        options.limitBytes(),
                        subject,
                        options.origin());
        FileStore store = null;
        try {
            store = new FileStore(file, header, options);
            return new TraceWriter(file, store, options);
        } catch (IOException e) {
            if (store != null) {
                store.abandon();
            }
            throw new TraceException("The trace " + file + " cannot be made: " + reason(e), e);
        }
    }

    static String reason(IOException e) {
        return switch (e) {
            case TraceException sentence -> sentence.getMessage();
            case java.nio.file.FileAlreadyExistsException exists ->
                    "the file exists; move it away or give another name.";
            case java.nio.file.NoSuchFileException folder -> "its folder does not exist.";
            case java.nio.file.AccessDeniedException denied -> "this user may not write there.";
            default -> e.getMessage() + ".";
        };
    }

    public Path file() {
        return file;
    }

    /** How many events were not kept: because of the limit, or a disk that is full or slow. */
    public long lost() {
        return lost.get();
    }

    /** A mark by the user, to find the place again. */
    public void mark(String text) {
        text(TraceFormat.KIND_MARK, 0, 0, text);
    }

    /**
     * A lease has begun.
     *
     * @param slot its name
     * @param identity who borrowed
     */
    public void leaseBegun(String slot, String identity, long epoch) {
        lease(TraceFormat.LEASE_BEGUN, slot, identity, "", epoch);
    }

    /** A lease has ended; {@code why} in a sentence. */
    public void leaseEnded(String slot, String identity, long epoch, String why) {
        lease(TraceFormat.LEASE_ENDED, slot, identity, why, epoch);
    }

    private void lease(int what, String slot, String identity, String why, long epoch) {
        text(TraceFormat.KIND_LEASE, what, epoch, slot + "\0" + identity + "\0" + why);
    }

    /** From here on something else is recorded; {@code setting} as a person would say it. */
    void setting(String setting) {
        text(TraceFormat.KIND_SETTING, 0, 0, setting);
    }

    private void text(int kind, int detail, long extra, String text) {
        MemorySegment bytes = MemorySegment.ofArray(textBytes(text));
        record(kind, 0, 0, 0, TraceFormat.NO_STATUS, detail, 0, extra, bytes);
    }

    static byte[] textBytes(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= MAX_TEXT_BYTES) {
            return bytes;
        }
        int end = MAX_TEXT_BYTES;
        while ((bytes[end] & 0xC0) == 0x80) { // not within a character
            end--;
        }
        return Arrays.copyOf(bytes, end);
    }

    /**
     * How the clock of the machine at the link's other end is related to this one's. May be said
     * again when it was measured better; the last counts.
     *
     * @param offsetNanos what is to be added to this machine's {@link System#nanoTime} for the
     *     other's at the same moment
     * @param uncertaintyNanos by how much that may be wrong, either way
     */
    public void clockRelation(long offsetNanos, long uncertaintyNanos) {
        try {
            store.clock(
                    new ClockRelation(
                            offsetNanos, uncertaintyNanos, System.nanoTime() - anchorNanos));
        } catch (IllegalStateException e) {
            LOG.log(Level.DEBUG, "a trace that has ended needs no clocks", e);
        }
    }

    /**
     * Records what is over at once. The parameters are the fields of docs/trace-format.md.
     *
     * @param data kept whole, up to 1 MiB; may be null
     */
    void record(
            int kind,
            int generation,
            int where,
            int width,
            int status,
            int detail,
            long address,
            long extra,
            MemorySegment data) {
        int length = data == null ? 0 : (int) Math.min(data.byteSize(), Integer.MAX_VALUE);
        long slot =
                begin(kind, generation, where, width, detail, address, extra, length, length, null);
        if (slot != NOWHERE) {
            finish(slot, System.nanoTime(), status, extra, 0, data, length);
        }
    }

    /**
     * Takes a place for an event that has begun, and marks it as under way.
     *
     * @param lengthBytes of the data that the event is about
     * @param keptBytes of it, how much will be kept
     * @param known the data where it is known already, else null
     * @return what {@link #end} is to be given
     */
    long begin(
            int kind,
            int generation,
            int where,
            int width,
            int detail,
            long address,
            long extra,
            int lengthBytes,
            int keptBytes,
            MemorySegment known) {
        int continuations =
                TraceFormat.continuations(Math.min(keptBytes, TraceFormat.MAX_DATA_BYTES));
        long slot = claim(1 + continuations);
        if (slot == NOWHERE) {
            return NOWHERE;
        }
        MemorySegment window = window(slot);
        if (window == null) {
            return NOWHERE;
        }
        long at = placeOf(slot);
        try {
            window.set(LONG, at + TraceFormat.TIME_AT, System.nanoTime() - anchorNanos);
            window.set(LONG, at + TraceFormat.DURATION_AT, (long) generation << 32);
            window.set(LONG, at + TraceFormat.ADDRESS_AT, address);
            window.set(
                    LONG,
                    at + TraceFormat.LENGTH_AT,
                    (lengthBytes & LOW_INT)
                            | (where & 0xFFL) << 32
                            | (width & 0xFFL) << 40
                            | (long) TraceFormat.NO_STATUS << STATUS_SHIFT
                            | (detail & 0xFFL) << 56);
            window.set(LONG, at + TraceFormat.EXTRA_AT, extra);
            if (known != null) {
                copyFirst(known, keptBytes, window, at);
            }
            commit(window, at, kind, TraceFormat.FLAG_UNDER_WAY, continuations);
            return slot;
        } catch (IllegalStateException closed) {
            return NOWHERE;
        } catch (InternalError e) {
            lose("somebody has cut its file short");
            return NOWHERE;
        }
    }

    /**
     * Completes what {@link #begin} began.
     *
     * @param data what was moved; null where nothing was
     * @param keptBytes as given to {@link #begin}, or fewer
     */
    void end(
            long slot,
            CompletionStatus status,
            long extra,
            int flags,
            MemorySegment data,
            int keptBytes) {
        if (slot != NOWHERE) {
            finish(slot, System.nanoTime(), status.code(), extra, flags, data, keptBytes);
        }
    }

    private void finish(
            long slot,
            long nowNanos,
            int status,
            long extra,
            int flags,
            MemorySegment data,
            int keptBytes) {
        MemorySegment window = window(slot);
        if (window == null) {
            return; // so long ago that it is not kept any more
        }
        try {
            long at = placeOf(slot);
            long commit = window.get(LONG, at + TraceFormat.COMMIT_AT);
            int kept = data == null ? 0 : Math.min(keptBytes, TraceFormat.MAX_DATA_BYTES);
            int continuations = (int) (commit >>> 16) & 0xFFFF;
            if (continuations > 0) {
                continueWith(slot, continuations, data, kept);
            }
            long begun = window.get(LONG, at + TraceFormat.TIME_AT);
            long duration = Math.min(nowNanos - anchorNanos - begun, LOW_INT);
            window.set(TraceFormat.INT, at + TraceFormat.DURATION_AT, (int) duration);
            window.set(ValueLayout.JAVA_BYTE, at + TraceFormat.STATUS_AT, (byte) status);
            window.set(LONG, at + TraceFormat.EXTRA_AT, extra);
            copyFirst(data, kept, window, at);
            commit(window, at, (int) commit & 0xFF, flags, continuations);
        } catch (IllegalStateException closed) {
            // Between beginning and end: the trace shows the event as under way.
        } catch (InternalError e) {
            lose("somebody has cut its file short");
        }
    }

    private static void copyFirst(MemorySegment data, int kept, MemorySegment window, long at) {
        if (kept == 4) {
            window.set(
                    LONG,
                    at + TraceFormat.DATA_AT,
                    data.get(TraceFormat.INT_UNALIGNED, 0) & 0xFFFF_FFFFL);
        } else if (kept == 8) {
            window.set(LONG, at + TraceFormat.DATA_AT, data.get(TraceFormat.LONG_UNALIGNED, 0));
        } else if (kept > 0) {
            int first = Math.min(kept, TraceFormat.DATA_BYTES);
            MemorySegment.copy(data, 0, window, at + TraceFormat.DATA_AT, first);
        }
    }

    private void continueWith(long slot, int continuations, MemorySegment data, int kept) {
        long from = TraceFormat.DATA_BYTES;
        for (int i = 1; i <= continuations; i++) {
            long next = TraceFormat.continuationSlot(slot, i);
            MemorySegment window = window(next);
            if (window == null) {
                return;
            }
            long at = placeOf(next);
            long count = Math.min(kept - from, TraceFormat.CONTINUATION_BYTES);
            if (count > 0) {
                MemorySegment.copy(
                        data, from, window, at + TraceFormat.CONTINUATION_DATA_AT, count);
            }
            commit(window, at, TraceFormat.KIND_CONTINUATION, 0, i);
            from += TraceFormat.CONTINUATION_BYTES;
        }
    }

    private static void commit(
            MemorySegment window, long at, int kind, int flags, int continuations) {
        TraceFormat.LONG_HANDLE.setRelease(
                window, at + TraceFormat.COMMIT_AT, TraceFormat.commit(kind, flags, continuations));
    }

    private long placeOf(long slot) {
        return (slot & ((1L << slotsPerWindowShift) - 1)) * TraceFormat.RECORD_BYTES;
    }

    /** The window that a slot is in, or null where it is not kept any more. */
    private MemorySegment window(long slot) {
        long index = slot >>> slotsPerWindowShift;
        Window window = windows.getAcquire((int) index & (windows.length() - 1));
        return window != null && window.index() == index ? window.memory() : null;
    }

    /** Takes so many records, and returns the first one's slot; or NOWHERE, and they are lost. */
    private long claim(int records) {
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

    private void lose(String why) {
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

    /** What is in front of the first record, as it is at this moment. */
    byte[] header() {
        return store.header();
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
        window.set(LONG, at + TraceFormat.LENGTH_AT, (long) TraceFormat.NO_STATUS << STATUS_SHIFT);
        window.set(LONG, at + TraceFormat.EXTRA_AT, untold.getAndSet(0));
        commit(window, at, TraceFormat.KIND_LOST, 0, 0);
    }

    /**
     * Ends the trace: seals it, and cuts the file to what was written. What threads record from
     * then on is neither kept nor counted.
     *
     * @throws TraceException where the file cannot be finished
     */
    @Override
    public void close() throws TraceException {
        synchronized (this) {
            if (closing) {
                return;
            }
            closing = true;
        }
        boolean interrupted = Thread.interrupted(); // which would close the channel
        try {
            keeper.stop();
            finish();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void finish() throws TraceException {
        long records = (long) CLAIMED.getAndAdd(this, NO_MORE);
        if (untold.get() > 0) {
            tellLost(TraceFormat.slotOfRecord(records++)); // the one that was kept back
        }
        try {
            store.finish(TraceFormat.slotOfRecord(records));
        } catch (IOException e) {
            throw new TraceException(
                    "The trace " + file + " cannot be finished: " + e.getMessage() + ".", e);
        }
        if (lost() > 0) {
            LOG.log(
                    Level.WARNING,
                    "The trace {0} lacks {1} events, which found no room.",
                    file,
                    lost());
        }
    }
}
