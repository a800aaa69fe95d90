package farslot.recorder;

import static farslot.recorder.TraceFormat.INT;
import static farslot.recorder.TraceFormat.LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Makes a trace of records that were read from another while that was written ({@link TraceTail}),
 * perhaps on another computer. What is missing between them is counted, and a mark stands where it
 * was. The records may be anybody's: they are written as they come, and judged by who reads them.
 *
 * <p>For one thread at a time.
 */
public final class TraceCopy implements AutoCloseable {
    private static final Set<StandardOpenOption> NEW_FILE =
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

    /** How many gaps are remembered, for records that come again. */
    private static final int MOST_STRETCHES = 1024;

    private static final int RECORD_BYTES = TraceFormat.RECORD_BYTES;

    /** Records that followed each other in the other trace. */
    private static final class Stretch {
        final long from;
        final long here;
        long count;

        Stretch(long from, long here) {
            this.from = from;
            this.here = here;
        }

        boolean holds(long slot) {
            return slot >= from && slot - from < count;
        }
    }

    private final Path file;
    private final FileChannel channel;
    private final List<Stretch> stretches = new ArrayList<>();
    private MemorySegment moved = MemorySegment.NULL;
    private long written;
    private long missed;
    private boolean closed;

    private TraceCopy(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Creates the file.
     *
     * @param header what is in front of the other trace's records
     * @throws TraceException where the file exists or cannot be made, or the header is none
     */
    public static TraceCopy create(Path file, byte[] header) throws TraceException {
        MemorySegment bytes = MemorySegment.ofArray(header.clone());
        if (header.length != TraceFormat.HEADER_BYTES
                || bytes.get(TraceFormat.LONG_UNALIGNED, TraceFormat.MAGIC_AT)
                        != TraceFormat.MAGIC) {
            throw new TraceException(
                    "What came does not begin as a trace does: the other side's Farslot may be of"
                            + " another version.");
        }
        bytes.set(TraceFormat.INT_UNALIGNED, TraceFormat.STATE_AT, TraceFormat.STATE_OPEN);
        bytes.set(TraceFormat.LONG_UNALIGNED, TraceFormat.LOST_AT, 0);
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, NEW_FILE, TraceWriter.ownersOnly(file));
            TraceCopy copy = new TraceCopy(file, channel);
            copy.write(bytes, 0);
            return copy;
        } catch (IOException e) {
            TraceWriter.abandon(file, channel);
            throw new TraceException(
                    "The trace " + file + " cannot be made: " + TraceWriter.reason(e), e);
        }
    }

    public Path file() {
        return file;
    }

    /** How long the file is. */
    public long bytes() {
        return TraceFormat.HEADER_BYTES + written * RECORD_BYTES;
    }

    /** How many records are here, marks of what is missing among them. */
    public long records() {
        return written;
    }

    /** How many records are missing. */
    public long missed() {
        return missed;
    }

    /**
     * Takes some records. Those that were here before are replaced; what lies between the last that
     * came and these is missing.
     *
     * @param first the number of the first in the other trace
     * @param records whole ones
     * @throws TraceException where the file cannot be written
     */
    public void put(long first, MemorySegment records) throws TraceException {
        long count = records.byteSize() / RECORD_BYTES;
        Stretch last = stretches.isEmpty() ? null : stretches.getLast();
        if (count == 0 || first < 0 || first + count < 0) {
            return;
        }
        try {
            long expected = last == null ? 0 : last.from + last.count;
            if (first < expected) {
                replace(first, count, records);
                return;
            }
            if (last == null || first > expected) {
                last = begin(first, first - expected, records);
            }
            write(records, first, last.here + last.count, count);
            last.count += count;
            written += count;
        } catch (IOException e) {
            throw new TraceException(
                    "The trace " + file + " cannot be written: " + e.getMessage() + ".", e);
        }
    }

    private Stretch begin(long first, long gap, MemorySegment records) throws IOException {
        if (gap > 0) {
            missed += gap;
            writeGap(gap, records.get(TraceFormat.LONG_UNALIGNED, TraceFormat.TIME_AT));
        }
        if (stretches.size() == MOST_STRETCHES) {
            stretches.removeFirst();
        }
        Stretch stretch = new Stretch(first, written);
        stretches.add(stretch);
        return stretch;
    }

    /** Records that were not complete when they came, or what is known of them still. */
    private void replace(long first, long count, MemorySegment records) throws IOException {
        for (Stretch stretch : stretches) {
            long from = Math.max(first, stretch.from);
            long end = Math.min(first + count, stretch.from + stretch.count);
            if (stretch.holds(from) && from < end) {
                MemorySegment part =
                        records.asSlice((from - first) * RECORD_BYTES, (end - from) * RECORD_BYTES);
                write(part, from, stretch.here + (from - stretch.from), end - from);
            }
        }
    }

    /** Writes records whose places here may be others than in the trace they are from. */
    private void write(MemorySegment records, long from, long here, long count) throws IOException {
        MemorySegment bytes = records.asSlice(0, count * RECORD_BYTES);
        write(from == here ? bytes : moved(bytes, from, here), placeOf(here));
    }

    private MemorySegment moved(MemorySegment records, long from, long here) {
        long size = records.byteSize();
        if (moved.byteSize() < size) {
            moved = Arena.ofAuto().allocate(size, 8);
        }
        MemorySegment.copy(records, 0, moved, 0, size);
        for (long at = 0; at < size; at += RECORD_BYTES) {
            long slot = at / RECORD_BYTES;
            long commit = moved.get(LONG, at);
            long low = commit & 0xFFFF_FFFFL;
            if (commit != 0 && commit >>> 32 == TraceFormat.check(moved, at, from + slot, low)) {
                long check = TraceFormat.check(moved, at, here + slot, low);
                moved.set(LONG, at, low | check << 32);
            }
        }
        return moved.asSlice(0, size);
    }

    /** A mark that says how much is missing here. */
    private void writeGap(long gap, long nanos) throws IOException {
        byte[] text =
                TraceWriter.textBytes(
                        gap
                                + " records are missing here: they were gone before this copy could"
                                + " have them.");
        int continuations = TraceFormat.continuations(text.length);
        MemorySegment mark = Arena.ofAuto().allocate((1L + continuations) * RECORD_BYTES, 8);
        MemorySegment data = MemorySegment.ofArray(text);
        mark.set(LONG, TraceFormat.TIME_AT, nanos);
        mark.set(INT, TraceFormat.LENGTH_AT, text.length);
        mark.set(
                java.lang.foreign.ValueLayout.JAVA_BYTE,
                TraceFormat.STATUS_AT,
                (byte) TraceFormat.NO_STATUS);
        int from = Math.min(text.length, TraceFormat.DATA_BYTES);
        MemorySegment.copy(data, 0, mark, TraceFormat.DATA_AT, from);
        for (int i = 1; i <= continuations; i++) {
            long at = (long) i * RECORD_BYTES;
            int bytes = Math.min(text.length - from, TraceFormat.CONTINUATION_BYTES);
            MemorySegment.copy(data, from, mark, at + TraceFormat.CONTINUATION_DATA_AT, bytes);
            commit(mark, at, written + i, TraceFormat.KIND_CONTINUATION, i);
            from += bytes;
        }
        commit(mark, 0, written, TraceFormat.KIND_MARK, continuations);
        write(mark, placeOf(written));
        written += 1 + continuations;
    }

    private static void commit(
            MemorySegment records, long at, long slot, int kind, int continuations) {
        records.set(LONG, at, TraceFormat.commit(records, at, slot, kind, 0, continuations));
    }

    private static long placeOf(long slot) {
        return TraceReader.placeOf(slot);
    }

    private void write(MemorySegment from, long at) throws IOException {
        ByteBuffer bytes = from.asByteBuffer();
        long place = at;
        while (bytes.hasRemaining()) {
            place += channel.write(bytes, place);
        }
    }

    /** What is to be known of the whole trace when it ends. */
    public void lost(long events) throws TraceException {
        MemorySegment count = MemorySegment.ofArray(new byte[Long.BYTES]);
        count.set(TraceFormat.LONG_UNALIGNED, 0, events);
        try {
            write(count, TraceFormat.LOST_AT);
        } catch (IOException e) {
            throw unfinished(e);
        }
    }

    /**
     * Ends the trace.
     *
     * @throws TraceException where the file cannot be finished
     */
    @Override
    public void close() throws TraceException {
        if (closed) {
            return;
        }
        closed = true;
        MemorySegment state = MemorySegment.ofArray(new byte[Integer.BYTES]);
        state.set(TraceFormat.INT_UNALIGNED, 0, TraceFormat.STATE_CLOSED);
        try (channel) {
            write(state, TraceFormat.STATE_AT);
        } catch (IOException e) {
            throw unfinished(e);
        }
    }

    private TraceException unfinished(IOException e) {
        return new TraceException(
                "The trace " + file + " cannot be finished: " + e.getMessage() + ".", e);
    }
}
