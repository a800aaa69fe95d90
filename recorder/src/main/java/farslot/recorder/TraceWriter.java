package farslot.recorder;

import static farslot.recorder.TraceFormat.LONG;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;

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

    private static final long LOW_INT = 0xFFFF_FFFFL;

    /** Where the status is in the word that begins with the length. */
    static final int STATUS_SHIFT = 8 * (TraceFormat.STATUS_AT - TraceFormat.LENGTH_AT);

    /** What a record that found no place is called. */
    static final long NOWHERE = RecordRoom.NOWHERE;

    private final Path file;
    private final TraceStore store;
    private final RecordRoom room;
    private final long anchorNanos;
    private volatile TraceOrigin origin;
    private boolean closed;

    private TraceWriter(Path file, TraceStore store, TraceOptions options) throws IOException {
        this.file = file;
        this.store = store;
        this.anchorNanos = store.monotonicNanos();
        this.origin = options.origin();
        this.room = new RecordRoom(file, store, options);
        room.start();
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
        TraceStore store = null;
        try {
            store =
                    options.ringBytes() > 0
                            ? new RingStore(file, header, options)
                            : new FileStore(file, header, options);
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
        return room.lost();
    }

    /** A mark by the user, to find the place again. */
    public void mark(String text) {
        text(TraceFormat.KIND_MARK, 0, 0, text);
    }

    /** A mark from inside the guest. */
    void guestMark(String text) {
        text(TraceFormat.KIND_MARK, TraceFormat.MARK_BY_GUEST, 0, text);
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
        boolean begun = what == TraceFormat.LEASE_BEGUN;
        origin = begun ? origin.withLease(slot, identity, epoch) : origin.withLease("", "", 0);
        store.origin(origin);
        text(TraceFormat.KIND_LEASE, what, epoch, slot + "\0" + identity + "\0" + why);
    }

    /** From here on something else is recorded; {@code setting} as a person would say it. */
    void setting(String setting) {
        text(TraceFormat.KIND_SETTING, 0, 0, setting);
    }

    /** How often a range was accessed that is only counted. */
    void counted(int region, long first, long last, long reads, long writes) {
        MemorySegment counts = MemorySegment.ofArray(new byte[2 * Long.BYTES]);
        counts.set(TraceFormat.LONG_UNALIGNED, 0, reads);
        counts.set(TraceFormat.LONG_UNALIGNED, Long.BYTES, writes);
        record(
                TraceFormat.KIND_COUNTED,
                0,
                region,
                0,
                TraceFormat.NO_STATUS,
                0,
                first,
                last,
                counts);
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
        return begin(
                System.nanoTime(),
                kind,
                generation,
                where,
                width,
                detail,
                address,
                extra,
                lengthBytes,
                keptBytes,
                known);
    }

    /** As the other, of what began at a moment that has passed. */
    long begin(
            long nowNanos,
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
        long slot = room.claim(1 + continuations);
        if (slot == NOWHERE) {
            return NOWHERE;
        }
        MemorySegment window = room.window(slot);
        if (window == null) {
            return NOWHERE;
        }
        long at = room.placeOf(slot);
        try {
            window.set(LONG, at + TraceFormat.TIME_AT, nowNanos - anchorNanos);
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
            room.lose("somebody has cut its file short");
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
        MemorySegment window = room.window(slot);
        if (window == null) {
            return; // so long ago that it is not kept any more
        }
        try {
            long at = room.placeOf(slot);
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
            room.lose("somebody has cut its file short");
        }
    }

    /**
     * Returns when an event that was begun is on the disk.
     *
     * @return false where that cannot be
     */
    boolean force(long slot) {
        try {
            MemorySegment window = room.window(slot);
            if (window == null) {
                return false;
            }
            return store.force(window.asSlice(room.placeOf(slot), TraceFormat.RECORD_BYTES));
        } catch (IllegalStateException closed) {
            return false;
        } catch (UncheckedIOException e) {
            LOG.log(Level.WARNING, "The trace {0} does not reach its disk: {1}.", file, e);
            return false;
        }
    }

    /** When it was, since the trace began. */
    long since(long nanoTime) {
        return nanoTime - anchorNanos;
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
            MemorySegment window = room.window(next);
            if (window == null) {
                return;
            }
            long at = room.placeOf(next);
            long count = Math.min(kept - from, TraceFormat.CONTINUATION_BYTES);
            if (count > 0) {
                MemorySegment.copy(
                        data, from, window, at + TraceFormat.CONTINUATION_DATA_AT, count);
            }
            commit(window, at, TraceFormat.KIND_CONTINUATION, 0, i);
            from += TraceFormat.CONTINUATION_BYTES;
        }
    }

    static void commit(MemorySegment window, long at, int kind, int flags, int continuations) {
        TraceFormat.LONG_HANDLE.setRelease(
                window, at + TraceFormat.COMMIT_AT, TraceFormat.commit(kind, flags, continuations));
    }

    /** What is in front of the first record, as it is at this moment. */
    byte[] header() {
        return store.header();
    }

    /** Where the records are, for who reads along. */
    RecordRoom room() {
        return room;
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
            if (closed) {
                return;
            }
            closed = true;
        }
        boolean interrupted = Thread.interrupted(); // which would close the channel
        try {
            store.finish(room.close());
        } catch (IOException e) {
            throw new TraceException(
                    "The trace " + file + " cannot be finished: " + e.getMessage() + ".", e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
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
