package farslot.recorder;

import static farslot.recorder.TraceFormat.INT;
import static farslot.recorder.TraceFormat.LONG;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32C;

/**
 * Writes one trace. Any thread may record; none waits for another, except when records come faster
 * than the file can grow. Recording allocates nothing, and never throws: what cannot be kept is
 * counted in the file as lost, and the log says so once.
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
    private static final int WINDOWS_AHEAD = 2;

    private static final long LOW_INT = 0xFFFF_FFFFL;

    /** Where the status is in the word that begins with the length. */
    private static final int STATUS_SHIFT = 8 * (TraceFormat.STATUS_AT - TraceFormat.LENGTH_AT);

    private static final Set<StandardOpenOption> NEW_FILE =
            Set.of(
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);

    /** What a record that found no place is called. */
    private static final long NOWHERE = -1;

    static {
        try {
            CLAIMED =
                    MethodHandles.lookup().findVarHandle(TraceWriter.class, "claimed", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Path file;
    private final TraceOptions options;
    private final FileChannel channel;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment header;
    private final AtomicReferenceArray<MemorySegment> windows;
    private final int slotsPerWindowShift;
    private final long maxSlots;
    private final long anchorNanos;
    private final Thread grower;
    private final Object windowReady = new Object();
    private final AtomicLong lostAfterClose = new AtomicLong();

    @SuppressWarnings("unused") // through CLAIMED
    private volatile long claimed;

    private volatile boolean saidLost;
    private volatile boolean closing;

    /** Set before {@link #closing}. */
    private volatile long takenAtClose;

    /** Why the file grows no more, or null. */
    private volatile String stuck;

    private TraceWriter(Path file, TraceOptions options, FileChannel channel, byte[] description)
            throws IOException {
        this.file = file;
        this.options = options;
        this.channel = channel;
        this.maxSlots =
                (options.limitBytes() - TraceFormat.HEADER_BYTES) / TraceFormat.RECORD_BYTES;
        int slotsPerWindow = options.windowBytes() / TraceFormat.RECORD_BYTES;
        this.slotsPerWindowShift = Integer.numberOfTrailingZeros(slotsPerWindow);
        long count = (maxSlots + slotsPerWindow - 1) >>> slotsPerWindowShift;
        if (count > 1 << 24) {
            throw new TraceException(
                    "A trace of up to "
                            + options.limitBytes()
                            + " bytes would grow in more than 16 million steps; give it longer"
                            + " ones (windowBytes) or a lower limit.");
        }
        this.windows = new AtomicReferenceArray<>((int) count);
        writeZeros(0, TraceFormat.HEADER_BYTES);
        this.header =
                channel.map(FileChannel.MapMode.READ_WRITE, 0, TraceFormat.HEADER_BYTES, arena);
        this.anchorNanos = System.nanoTime();
        writeHeader(description);
        addWindow(0);
        this.grower = Thread.ofPlatform().daemon().name("trace-grower").unstarted(this::grow);
        grower.start();
    }

    /**
     * Creates the file and writes the description.
     *
     * @throws TraceException where the file exists, cannot be made, or the disk is full
     */
    public static TraceWriter create(
            Path file, FunctionDescription description, TraceOptions options)
            throws TraceException {
        byte[] encoded = TraceDescription.encode(description);
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, NEW_FILE, ownersOnly(file));
            return new TraceWriter(file, options, channel, encoded);
        } catch (IOException e) {
            abandon(file, channel);
            throw new TraceException("The trace " + file + " cannot be made: " + reason(e), e);
        }
    }

    /** A trace may hold what a disk holds: nobody else reads it unless its owner lets them. */
    static FileAttribute<?>[] ownersOnly(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    /** Leaves nothing of a trace that could not be made. */
    static void abandon(Path file, FileChannel channel) {
        if (channel == null) {
            return;
        }
        try (channel) {
            Files.delete(file);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "removing an unfinished trace", e);
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

    private void writeHeader(byte[] description) {
        header.set(INT, TraceFormat.MAJOR_AT, TraceFormat.VERSION_MAJOR);
        header.set(INT, TraceFormat.RECORD_BYTES_AT, TraceFormat.RECORD_BYTES);
        header.set(LONG, TraceFormat.ANCHOR_MONOTONIC_AT, anchorNanos);
        Instant now = Instant.now();
        header.set(
                LONG,
                TraceFormat.ANCHOR_WALL_AT,
                now.getEpochSecond() * 1_000_000_000L + now.getNano());
        header.set(LONG, TraceFormat.LIMIT_AT, options.limitBytes());
        CRC32C headerCheck = new CRC32C();
        headerCheck.update(
                header.asSlice(
                                TraceFormat.MAJOR_AT,
                                TraceFormat.HEADER_CHECK_AT - TraceFormat.MAJOR_AT)
                        .toArray(ValueLayout.JAVA_BYTE));
        header.set(INT, TraceFormat.HEADER_CHECK_AT, (int) headerCheck.getValue());
        CRC32C check = new CRC32C();
        check.update(description);
        header.set(INT, TraceFormat.DESCRIPTION_LENGTH_AT, description.length);
        header.set(INT, TraceFormat.DESCRIPTION_CHECK_AT, (int) check.getValue());
        MemorySegment.copy(
                description,
                0,
                header,
                ValueLayout.JAVA_BYTE,
                TraceFormat.DESCRIPTION_AT,
                description.length);
        TraceFormat.LONG_HANDLE.setRelease(header, (long) TraceFormat.MAGIC_AT, TraceFormat.MAGIC);
    }

    public Path file() {
        return file;
    }

    /** How many events were not kept, because of the limit or a full disk. */
    public long lost() {
        return closing
                ? lostAfterClose.get()
                : (long) TraceFormat.LONG_HANDLE.getVolatile(header, (long) TraceFormat.LOST_AT);
    }

    /** A mark by the user, to find the place again. */
    public void mark(String text) {
        byte[] bytes = textBytes(text);
        record(
                TraceFormat.KIND_MARK,
                0,
                0,
                0,
                TraceFormat.NO_STATUS,
                0,
                0,
                0,
                MemorySegment.ofArray(bytes));
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
        return java.util.Arrays.copyOf(bytes, end);
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
        // Windows come in order: where there is one for the last slot, there is one for all.
        MemorySegment window = slot == NOWHERE ? null : window(slot + continuations);
        if (window == null) {
            return NOWHERE;
        }
        window = continuations == 0 ? window : window(slot);
        long at = placeOf(slot);
        try {
            long time = System.nanoTime() - anchorNanos;
            long duration = (long) generation << 32;
            long length =
                    (lengthBytes & LOW_INT)
                            | (where & 0xFFL) << 32
                            | (width & 0xFFL) << 40
                            | (long) TraceFormat.NO_STATUS << STATUS_SHIFT
                            | (detail & 0xFFL) << 56;
            window.set(LONG, at + TraceFormat.TIME_AT, time);
            window.set(LONG, at + TraceFormat.DURATION_AT, duration);
            window.set(LONG, at + TraceFormat.ADDRESS_AT, address);
            window.set(LONG, at + TraceFormat.LENGTH_AT, length);
            window.set(LONG, at + TraceFormat.EXTRA_AT, extra);
            if (known != null) {
                copyFirst(known, keptBytes, window, at);
            }
            long low = TraceFormat.low(kind, TraceFormat.FLAG_UNDER_WAY, continuations);
            release(
                    window,
                    at,
                    TraceFormat.commit(
                            window, at, slot, low, time, duration, address, length, extra));
            return slot;
        } catch (IllegalStateException e) {
            return NOWHERE; // closed meanwhile
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
        try {
            MemorySegment window = windows.getAcquire((int) (slot >>> slotsPerWindowShift));
            long at = placeOf(slot);
            long begun = window.get(LONG, at + TraceFormat.TIME_AT);
            long duration = Math.min(nowNanos - anchorNanos - begun, LOW_INT);
            long commit = window.get(LONG, at + TraceFormat.COMMIT_AT);
            int kept = data == null ? 0 : Math.min(keptBytes, TraceFormat.MAX_DATA_BYTES);
            int continuations = (int) (commit >>> 16) & 0xFFFF;
            if (continuations > 0) {
                continueWith(slot, continuations, data, kept);
            }
            // Whole words: a check that reads what was just stored in parts waits for the parts.
            duration |= window.get(LONG, at + TraceFormat.DURATION_AT) & ~LOW_INT;
            long length = window.get(LONG, at + TraceFormat.LENGTH_AT) & ~(0xFFL << STATUS_SHIFT);
            length |= (status & 0xFFL) << STATUS_SHIFT;
            long address = window.get(LONG, at + TraceFormat.ADDRESS_AT);
            window.set(LONG, at + TraceFormat.DURATION_AT, duration);
            window.set(LONG, at + TraceFormat.LENGTH_AT, length);
            window.set(LONG, at + TraceFormat.EXTRA_AT, extra);
            copyFirst(data, kept, window, at);
            long low = TraceFormat.low((int) commit & 0xFF, flags, continuations);
            release(
                    window,
                    at,
                    TraceFormat.commit(
                            window, at, slot, low, begun, duration, address, length, extra));
        } catch (IllegalStateException e) {
            // The trace was closed between beginning and end: it shows the event as under way.
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
            MemorySegment window = window(slot + i);
            if (window == null) {
                return;
            }
            long at = placeOf(slot + i);
            long count = Math.min(kept - from, TraceFormat.CONTINUATION_BYTES);
            if (count > 0) {
                MemorySegment.copy(
                        data, from, window, at + TraceFormat.CONTINUATION_DATA_AT, count);
            }
            commit(window, at, slot + i, TraceFormat.KIND_CONTINUATION, 0, i);
            from += TraceFormat.CONTINUATION_BYTES;
        }
    }

    private static void commit(
            MemorySegment window, long at, long slot, int kind, int flags, int continuations) {
        release(window, at, TraceFormat.commit(window, at, slot, kind, flags, continuations));
    }

    private static void release(MemorySegment window, long at, long commit) {
        TraceFormat.LONG_HANDLE.setRelease(window, at + TraceFormat.COMMIT_AT, commit);
    }

    // For those who read what was committed while it is written: TraceTail.

    /** How many records have a place so far; what is there may not be committed yet. */
    long taken() {
        return closing ? takenAtClose : Math.min(claimed, maxSlots);
    }

    /**
     * The memory that a record and those behind it are in, up to the end of what is mapped in one
     * piece; null where that is not mapped yet.
     *
     * @throws IllegalStateException where the trace is closed, here or on first use
     */
    MemorySegment recordsFrom(long slot) {
        int index = (int) (slot >>> slotsPerWindowShift);
        MemorySegment window = index < windows.length() ? windows.getAcquire(index) : null;
        return window == null ? null : window.asSlice(placeOf(slot));
    }

    /** What is in front of the first record, as it is at this moment. */
    byte[] header() {
        return header.toArray(ValueLayout.JAVA_BYTE);
    }

    private long placeOf(long slot) {
        return (slot & ((1L << slotsPerWindowShift) - 1)) * TraceFormat.RECORD_BYTES;
    }

    private long claim(int slots) {
        long first = (long) CLAIMED.getAndAdd(this, (long) slots);
        long next = first + slots;
        if (next > maxSlots) {
            lose("it has reached its limit of " + options.limitBytes() + " bytes");
            return NOWHERE;
        }
        if (first >>> slotsPerWindowShift != next >>> slotsPerWindowShift) {
            LockSupport.unpark(grower);
        }
        return first;
    }

    /** The window that a slot is in; waits for it, or is null where there will be none. */
    private MemorySegment window(long slot) {
        int index = (int) (slot >>> slotsPerWindowShift);
        MemorySegment window = windows.getAcquire(index);
        if (window == null && stuck != null) {
            lose(stuck);
            return null;
        }
        return window != null ? window : awaitWindow(index);
    }

    private MemorySegment awaitWindow(int index) {
        LockSupport.unpark(grower);
        boolean interrupted = false;
        synchronized (windowReady) {
            while (windows.getAcquire(index) == null && stuck == null && !closing) {
                try {
                    windowReady.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        MemorySegment window = windows.getAcquire(index);
        if (window == null && !closing) {
            lose(stuck);
        }
        return window;
    }

    private void lose(String why) {
        if (closing) {
            return; // recording was ended on purpose
        }
        try {
            TraceFormat.LONG_HANDLE.getAndAdd(header, (long) TraceFormat.LOST_AT, 1L);
        } catch (IllegalStateException e) {
            return; // closed meanwhile
        }
        if (!saidLost) {
            saidLost = true;
            LOG.log(
                    Level.WARNING,
                    "The trace {0} takes no more: {1}. What happens from here on is only counted.",
                    file,
                    why);
        }
    }

    /** Keeps the file ahead of what is written, so that a writer finds pages that are there. */
    private void grow() {
        int prepared = 1;
        try {
            while (!closing && prepared < windows.length()) {
                long wanted = (claimed >>> slotsPerWindowShift) + WINDOWS_AHEAD;
                if (prepared > wanted) {
                    LockSupport.park(this);
                    continue;
                }
                addWindow(prepared++);
            }
        } catch (IOException e) {
            stuck = "its disk gives no more room (" + e.getMessage() + ")";
        } catch (RuntimeException | Error e) {
            stuck = "it cannot grow (" + e + ")";
        } finally {
            synchronized (windowReady) {
                windowReady.notifyAll();
            }
        }
    }

    /**
     * Writes zeros before mapping them: a full disk is an error of the write here, and not a fault
     * of the thread that records there later.
     */
    private void addWindow(int index) throws IOException {
        long bytes = 1L << slotsPerWindowShift << 6;
        long at = TraceFormat.HEADER_BYTES + index * bytes;
        long size =
                Math.min(
                        bytes, TraceFormat.HEADER_BYTES + maxSlots * TraceFormat.RECORD_BYTES - at);
        writeZeros(at, size);
        MemorySegment window = channel.map(FileChannel.MapMode.READ_WRITE, at, size, arena);
        for (long page = 0; page < size; page += 4096) {
            window.set(LONG, page, 0); // the page is there, writable, before anybody needs it
        }
        windows.setRelease(index, window);
        synchronized (windowReady) {
            windowReady.notifyAll();
        }
    }

    private void writeZeros(long at, long size) throws IOException {
        ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(size, 1 << 18));
        for (long done = 0; done < size; ) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), size - done));
            done += channel.write(zeros, at + done);
        }
    }

    /**
     * Ends the trace and cuts the file to what was written. What threads record from then on is
     * neither kept nor counted.
     *
     * @throws TraceException where the file cannot be finished
     */
    @Override
    public void close() throws TraceException {
        synchronized (this) {
            if (closing) {
                return;
            }
            lostAfterClose.set(lost());
            takenAtClose = taken();
            closing = true;
        }
        LockSupport.unpark(grower);
        boolean interrupted = Thread.interrupted(); // which would close the channel
        try {
            finishFile();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void finishFile() throws TraceException {
        joinGrower();
        long used = Math.min((long) CLAIMED.getAndAdd(this, maxSlots), maxSlots);
        lostAfterClose.set(
                (long) TraceFormat.LONG_HANDLE.getVolatile(header, (long) TraceFormat.LOST_AT));
        header.set(INT, TraceFormat.STATE_AT, TraceFormat.STATE_CLOSED);
        arena.close();
        try (channel) {
            long end = TraceFormat.HEADER_BYTES + used * TraceFormat.RECORD_BYTES;
            if (end < channel.size()) {
                channel.truncate(end);
            }
        } catch (IOException e) {
            throw new TraceException(
                    "The trace " + file + " cannot be finished: " + e.getMessage() + ".", e);
        }
        if (lostAfterClose.get() > 0) {
            LOG.log(
                    Level.WARNING,
                    "The trace {0} lacks the last {1} events, which found no room.",
                    file,
                    lostAfterClose.get());
        }
    }

    private void joinGrower() {
        while (grower.isAlive()) {
            try {
                grower.join();
            } catch (InterruptedException e) {
                LOG.log(Level.DEBUG, "still ending a trace");
            }
        }
    }
}
