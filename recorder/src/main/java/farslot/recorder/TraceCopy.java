package farslot.recorder;

import static farslot.recorder.TraceFormat.INT;
import static farslot.recorder.TraceFormat.LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * Makes a trace of records that were read from another while that was written ({@link TraceTail}),
 * perhaps on another computer. What is missing between them is counted, and a mark stands where it
 * was. The records may be anybody's: they are written as they come, and judged by who reads them.
 * It seals what it has, also where that is not complete, and again when the rest has come.
 *
 * <p>For one thread at a time.
 */
public final class TraceCopy implements AutoCloseable {
    private static final Set<StandardOpenOption> NEW_FILE =
            Set.of(
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);

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

    /** Behind how many there are, the mark of a gap. */
    private static final String MISSING =
            " records are missing here: they were gone before this copy could have them.";

    private static final Pattern GAP = Pattern.compile("([0-9]{1,18})" + Pattern.quote(MISSING));

    private final Path file;
    private final FileChannel channel;
    private final MemorySegment header;
    private final int headerBytes;
    private final long firstNumber;
    private final MemorySegment block = Arena.ofAuto().allocate(TraceFormat.BLOCK_BYTES, 8);
    private final List<Stretch> stretches = new ArrayList<>();

    /** Of the records of the block that is being filled, unless some were replaced. */
    private final CRC32C check = new CRC32C();

    private boolean checkHolds = true;
    private long written;
    private long sealedBlocks;
    private long missed;
    private long lastNanos;
    private boolean closed;

    private TraceCopy(Path file, FileChannel channel, MemorySegment header) {
        this.file = file;
        this.channel = channel;
        this.header = header;
        this.headerBytes = (int) header.byteSize();
        this.firstNumber = header.get(TraceFormat.LONG_UNALIGNED, TraceFormat.FIRST_NUMBER_AT);
    }

    /**
     * Creates the file.
     *
     * @param header what is in front of the other trace's records
     * @throws TraceException where the file exists or cannot be made, or the header is none
     */
    public static TraceCopy create(Path file, byte[] header) throws TraceException {
        MemorySegment bytes = MemorySegment.ofArray(header.clone());
        if (!isHeader(bytes)) {
            throw new TraceException(
                    "What came does not begin as a trace does: the other side's Farslot may be of"
                            + " another version.");
        }
        int state = TraceFormat.CLOCK_OFFSET_AT - TraceFormat.STATE_AT;
        bytes.asSlice(TraceFormat.STATE_AT, state).fill((byte) 0);
        return create(file, bytes);
    }

    private static TraceCopy create(Path file, MemorySegment header) throws TraceException {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, NEW_FILE, TraceFile.ownersOnly(file));
            TraceCopy copy = new TraceCopy(file, channel, header);
            copy.write(header, 0);
            return copy;
        } catch (IOException e) {
            TraceFile.abandon(file, channel);
            throw new TraceException(
                    "The trace " + file + " cannot be made: " + TraceWriter.reason(e), e);
        }
    }

    private static boolean isHeader(MemorySegment bytes) {
        return bytes.byteSize() >= TraceFormat.HEADER_STEP_BYTES
                && bytes.get(TraceFormat.LONG_UNALIGNED, TraceFormat.MAGIC_AT) == TraceFormat.MAGIC
                && (bytes.get(TraceFormat.SHORT_UNALIGNED, TraceFormat.MAJOR_AT) & 0xFFFF)
                        == TraceFormat.VERSION_MAJOR
                && bytes.get(TraceFormat.INT_UNALIGNED, TraceFormat.HEADER_BYTES_AT)
                        == bytes.byteSize();
    }

    public Path file() {
        return file;
    }

    /**
     * Begins the next file of the same trace: what comes behind the last record that came goes
     * there, what replaces records still comes here.
     *
     * @throws TraceException where the file exists or cannot be made
     */
    public TraceCopy next(Path next) throws TraceException {
        long slots = TraceFormat.slotOfRecord(written + TraceFormat.BLOCK_RECORDS - 1);
        slots = slots / TraceFormat.BLOCK_SLOTS * TraceFormat.BLOCK_SLOTS;
        TraceCopy copy = create(next, TraceHeader.beginningWith(firstNumber + slots, header));
        copy.stretches.add(new Stretch(end(), 0));
        return copy;
    }

    /** How many records are in front of those that are expected next in the other trace. */
    public long end() {
        return stretches.isEmpty() ? 0 : stretches.getLast().from + stretches.getLast().count;
    }

    /** Whether some records, as they came, begin with an event. */
    public static boolean isAtEvent(MemorySegment records) {
        return (records.get(TraceFormat.LONG_UNALIGNED, 0) & 0xFF) != TraceFormat.KIND_CONTINUATION;
    }

    /**
     * Returns when all that came is on the disk. Any thread may call.
     *
     * @throws TraceException where it does not come there
     */
    public void force() throws TraceException {
        try {
            channel.force(false);
        } catch (IOException e) {
            throw new TraceException(
                    "The trace " + file + " does not reach its disk: " + e.getMessage() + ".", e);
        }
    }

    /** How many records are missing where a copy has this mark; 0 where it is no mark of a gap. */
    public static long missing(TraceEvent.Mark mark) {
        Matcher gap = GAP.matcher(mark.text());
        return gap.matches() ? Long.parseLong(gap.group(1)) : 0;
    }

    /** How long the file is. */
    public long bytes() {
        return placeOf(TraceFormat.slotOfRecord(written));
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
     * @param first how many records are in front of the first in the other trace
     * @param records whole ones
     * @throws TraceException where the file cannot be written
     */
    public void put(long first, MemorySegment records) throws TraceException {
        long count = records.byteSize() / RECORD_BYTES;
        Stretch last = stretches.isEmpty() ? null : stretches.getLast();
        long expected = end();
        if (count == 0 || first < 0 || first + count < 0) {
            return;
        }
        try {
            if (first < expected) {
                replace(first, count, records);
                return;
            }
            if (last == null || first > expected) {
                last = begin(first, first - expected, records);
            }
            append(records);
            last.count += count;
            lastNanos = lastNanos(records);
        } catch (IOException e) {
            throw new TraceException(
                    "The trace " + file + " cannot be written: " + e.getMessage() + ".", e);
        }
    }

    /** When the last event among some records began; as before where there is none. */
    private long lastNanos(MemorySegment records) {
        for (long at = records.byteSize() - RECORD_BYTES; at >= 0; at -= RECORD_BYTES) {
            int kind = records.get(ValueLayout.JAVA_BYTE, at);
            if (kind != 0 && kind != TraceFormat.KIND_CONTINUATION) {
                return records.get(TraceFormat.LONG_UNALIGNED, at + TraceFormat.TIME_AT);
            }
        }
        return lastNanos;
    }

    /**
     * Says by a mark that the other trace went on where this one ends.
     *
     * @param why no more came, as a sentence
     * @throws TraceException where the file cannot be written
     */
    public void brokenOff(String why) throws TraceException {
        try {
            writeMark("This copy ends before the recording did: " + why, lastNanos);
        } catch (IOException e) {
            throw unfinished(e);
        }
    }

    private Stretch begin(long first, long gap, MemorySegment records) throws IOException {
        if (gap > 0) {
            missed += gap;
            writeMark(gap + MISSING, records.get(TraceFormat.LONG_UNALIGNED, TraceFormat.TIME_AT));
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
                long here = stretch.here + (from - stretch.from);
                write(part, here, end - from);
                sealAgain(here, end - from);
                checkHolds &= here + end - from <= sealedBlocks * TraceFormat.BLOCK_RECORDS;
            }
        }
    }

    /** Replaces records, in one piece for each block that they are in. */
    private void write(MemorySegment records, long here, long count) throws IOException {
        for (long done = 0; done < count; ) {
            long some = Math.min(roomAt(here + done), count - done);
            write(
                    records.asSlice(done * RECORD_BYTES, some * RECORD_BYTES),
                    placeOf(TraceFormat.slotOfRecord(here + done)));
            done += some;
        }
    }

    /** Adds records, likewise; what fills a block is followed by its seal. */
    private void append(MemorySegment records) throws IOException {
        for (long done = 0; done < records.byteSize(); ) {
            long some = Math.min(roomAt(written) * RECORD_BYTES, records.byteSize() - done);
            MemorySegment piece = records.asSlice(done, some);
            write(piece, placeOf(TraceFormat.slotOfRecord(written)));
            check.update(piece.asByteBuffer());
            written += some / RECORD_BYTES;
            done += some;
            if (written % TraceFormat.BLOCK_RECORDS == 0) {
                sealWhole();
            }
        }
    }

    /** How many records are left in the block from this one on. */
    private static long roomAt(long record) {
        return TraceFormat.BLOCK_RECORDS - record % TraceFormat.BLOCK_RECORDS;
    }

    private void sealWhole() throws IOException {
        long index = sealedBlocks++;
        if (checkHolds) {
            long first = index * TraceFormat.BLOCK_SLOTS;
            MemorySegment seal = block.asSlice(0, RECORD_BYTES);
            BlockSeal.set(seal, firstNumber + first, TraceFormat.BLOCK_RECORDS, check);
            write(seal, placeOf(first + TraceFormat.BLOCK_RECORDS));
        } else {
            seal(index, TraceFormat.BLOCK_RECORDS);
        }
        check.reset();
        checkHolds = true;
    }

    /** Seals those blocks anew that were sealed before some of their records were replaced. */
    private void sealAgain(long here, long count) throws IOException {
        long last = Math.min(sealedBlocks - 1, (here + count - 1) / TraceFormat.BLOCK_RECORDS);
        for (long one = here / TraceFormat.BLOCK_RECORDS; one <= last; one++) {
            seal(one, TraceFormat.BLOCK_RECORDS);
        }
    }

    private void seal(long index, int records) throws IOException {
        long first = index * TraceFormat.BLOCK_SLOTS;
        long bytes = (long) records * RECORD_BYTES;
        ByteBuffer all = block.asSlice(0, bytes).asByteBuffer();
        TraceFile.read(all, placeOf(first), channel);
        BlockSeal.set(block, 0, firstNumber + first, records);
        write(block.asSlice(bytes, RECORD_BYTES), placeOf(first) + bytes);
    }

    private void writeMark(String words, long nanos) throws IOException {
        byte[] text = TraceWriter.textBytes(words);
        int continuations = TraceFormat.continuations(text.length);
        MemorySegment mark = Arena.ofAuto().allocate((1L + continuations) * RECORD_BYTES, 8);
        MemorySegment data = MemorySegment.ofArray(text);
        mark.set(LONG, TraceFormat.TIME_AT, nanos);
        mark.set(INT, TraceFormat.LENGTH_AT, text.length);
        mark.set(ValueLayout.JAVA_BYTE, TraceFormat.STATUS_AT, (byte) TraceFormat.NO_STATUS);
        int from = Math.min(text.length, TraceFormat.DATA_BYTES);
        MemorySegment.copy(data, 0, mark, TraceFormat.DATA_AT, from);
        for (int i = 1; i <= continuations; i++) {
            long at = (long) i * RECORD_BYTES;
            int bytes = Math.min(text.length - from, TraceFormat.CONTINUATION_BYTES);
            MemorySegment.copy(data, from, mark, at + TraceFormat.CONTINUATION_DATA_AT, bytes);
            mark.set(LONG, at, TraceFormat.commit(TraceFormat.KIND_CONTINUATION, 0, i));
            from += bytes;
        }
        mark.set(LONG, 0, TraceFormat.commit(TraceFormat.KIND_MARK, 0, continuations));
        append(mark);
    }

    private long placeOf(long slot) {
        return headerBytes + slot * RECORD_BYTES;
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
        try (channel) {
            long slots = TraceFormat.slotOfRecord(written);
            int rest = (int) (written % TraceFormat.BLOCK_RECORDS);
            if (rest > 0) {
                seal(sealedBlocks, rest);
                slots++;
            }
            TraceFile.end(slots, channel);
        } catch (IOException e) {
            throw unfinished(e);
        }
    }

    private TraceException unfinished(IOException e) {
        return new TraceException(
                "The trace " + file + " cannot be finished: " + e.getMessage() + ".", e);
    }
}
