package farslot.recorder;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Turns any bytes into a trace file: whole records, records whose fields mean nothing, damage,
 * empty slots, continuations that lie. What looks like a trace already stays as it is.
 *
 * <p>Each piece begins with a byte that says what it is (low three bits) and what is done to it.
 */
final class TraceForge {
    private static final int MOST_RECORDS = 4096;
    private static final int MOST_TIMES = 64;

    private final byte[] input;
    private final byte[] header;
    private final MemorySegment records =
            Arena.ofAuto().allocate((long) MOST_RECORDS * TraceFormat.RECORD_BYTES, 8);
    private int at;
    private int slots;
    private int cut;

    private TraceForge(byte[] input, byte[] header) {
        this.input = input;
        this.header = header.clone();
    }

    /** The header of a trace in which nothing happened. */
    static byte[] header(Path folder) throws IOException {
        Path file = folder.resolve("empty.fst");
        TraceWriter.create(file, MemoryFunction.DESCRIPTION, TraceOptions.DEFAULT).close();
        return Arrays.copyOf(Files.readAllBytes(file), TraceFormat.HEADER_BYTES);
    }

    static byte[] trace(byte[] input, byte[] header) {
        boolean isTrace = input.length > 8 && input[0] == 'F' && input[1] == 'A';
        return isTrace ? input : new TraceForge(input, header).forge();
    }

    private int next() {
        return at < input.length ? input[at++] & 0xff : 0;
    }

    private byte[] forge() {
        while (at < input.length && slots < MOST_RECORDS) {
            int piece = next();
            switch (piece & 7) {
                case 0 -> header[next() | ((next() & 0x3f) << 8)] = (byte) next();
                case 1 -> description(next(), (piece & 8) != 0);
                case 2 -> slots += next();
                case 3 -> cut = next();
                case 4 -> raw();
                case 5 -> again(next() % MOST_TIMES);
                default -> record(piece);
            }
        }
        slots = Math.min(slots, MOST_RECORDS);
        int bytes = slots * TraceFormat.RECORD_BYTES;
        byte[] trace = Arrays.copyOf(header, header.length + bytes);
        MemorySegment.copy(
                records, ValueLayout.JAVA_BYTE, 0, trace, TraceFormat.HEADER_BYTES, bytes);
        return Arrays.copyOf(trace, Math.max(0, trace.length - cut));
    }

    /** Changes a byte of the description; its check is made right again, or not. */
    private void description(int where, boolean wrong) {
        MemorySegment segment = MemorySegment.ofArray(header);
        header[TraceFormat.DESCRIPTION_AT + where] = (byte) next();
        int length = segment.get(TraceFormat.INT_UNALIGNED, TraceFormat.DESCRIPTION_LENGTH_AT);
        if (!wrong && length >= 0 && length <= TraceFormat.MAX_DESCRIPTION_BYTES) {
            CRC32C check = new CRC32C();
            check.update(header, TraceFormat.DESCRIPTION_AT, length);
            segment.set(
                    TraceFormat.INT_UNALIGNED,
                    TraceFormat.DESCRIPTION_CHECK_AT,
                    (int) check.getValue());
        }
    }

    private long place() {
        return (long) slots * TraceFormat.RECORD_BYTES;
    }

    private void raw() {
        for (int index = 0; index < TraceFormat.RECORD_BYTES; index++) {
            records.set(ValueLayout.JAVA_BYTE, place() + index, (byte) next());
        }
        slots++;
    }

    /** The last record some times more, each right in its new place. */
    private void again(int times) {
        for (int count = 0; count < times && slots > 0 && slots < MOST_RECORDS; count++) {
            MemorySegment.copy(
                    records,
                    place() - TraceFormat.RECORD_BYTES,
                    records,
                    place(),
                    TraceFormat.RECORD_BYTES);
            long word = records.get(TraceFormat.LONG, place());
            seal((int) word & 0xff, (int) (word >>> 8) & 0xff, (int) (word >>> 16) & 0xffff);
        }
    }

    /** Kind and flags; continuations and each field where the bits of the piece ask for it. */
    private void record(int piece) {
        int kind = next();
        int flags = next();
        int continuations = (piece & 0x08) != 0 ? next() : 0;
        continuations <<= (piece & 0x80) != 0 ? 8 : 0;
        int fields = next();
        for (int field = 0; field < 7; field++) {
            if ((fields & (1 << field)) != 0) {
                long value = 0;
                for (int index = 0; index < 8; index++) {
                    value |= (long) next() << (8 * index);
                }
                records.set(TraceFormat.LONG, place() + 8L * (field + 1), value);
            }
        }
        boolean isContinuation = (fields & 0x80) != 0;
        seal(isContinuation ? TraceFormat.KIND_CONTINUATION : kind, flags, continuations);
        if ((piece & 0x10) != 0) {
            long hit = place() - TraceFormat.RECORD_BYTES + (next() & 0x3f);
            records.set(ValueLayout.JAVA_BYTE, hit, (byte) next());
        }
    }

    private void seal(int kind, int flags, int continuations) {
        long commit = TraceFormat.commit(records, place(), slots, kind, flags, continuations);
        records.set(TraceFormat.LONG, place(), commit);
        slots++;
    }
}
