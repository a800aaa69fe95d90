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
 * empty slots, continuations that lie, seals that are right or wrong or missing. What looks like a
 * trace already stays as it is.
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
    private boolean sealed;
    private boolean ended;
    private int damagedAt = -1;

    private TraceForge(byte[] input, byte[] header) {
        this.input = input;
        this.header = header.clone();
    }

    /** The header of a trace in which nothing happened. */
    static byte[] header(Path folder) throws IOException {
        Path file = folder.resolve("empty.fst");
        TraceWriter.create(file, MemoryFunction.DESCRIPTION, TraceOptions.DEFAULT).close();
        byte[] header = Files.readAllBytes(file);
        Files.delete(file);
        Arrays.fill(header, TraceFormat.STATE_AT, TraceFormat.CLOCK_OFFSET_AT, (byte) 0);
        return header;
    }

    /** A trace that was ended as it should be, of these records and no others. */
    static byte[] ended(byte[] header, byte[] records) {
        TraceForge forge = new TraceForge(new byte[0], header);
        forge.slots = records.length / TraceFormat.RECORD_BYTES;
        MemorySegment.copy(records, 0, forge.records, ValueLayout.JAVA_BYTE, 0, records.length);
        forge.sealed = true;
        forge.ended = true;
        return forge.forge();
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
                case 0 -> header[(next() | next() << 8) % header.length] = (byte) next();
                case 1 -> section(next(), (piece & 8) != 0);
                case 2 -> slots += next();
                case 3 -> end(piece);
                case 4 -> raw();
                case 5 -> again(next() % MOST_TIMES);
                default -> record(piece);
            }
        }
        slots = Math.min(slots, MOST_RECORDS - 1);
        seal();
        int bytes = slots * TraceFormat.RECORD_BYTES;
        byte[] trace = Arrays.copyOf(header, header.length + bytes);
        MemorySegment.copy(records, ValueLayout.JAVA_BYTE, 0, trace, header.length, bytes);
        if (damagedAt >= 0 && bytes > 0) {
            trace[header.length + damagedAt % bytes] ^= 1;
        }
        return Arrays.copyOf(trace, Math.max(0, trace.length - cut));
    }

    private void end(int piece) {
        cut = (piece & 8) != 0 ? next() | next() << 8 : 0;
        sealed = (piece & 0x10) != 0;
        ended = (piece & 0x20) != 0;
        damagedAt = (piece & 0x40) != 0 ? next() | next() << 8 | next() << 16 : -1;
    }

    /** As a writer does that ends a trace, but that what is in the seals' places goes. */
    private void seal() {
        int blocks = slots / TraceFormat.BLOCK_SLOTS;
        int rest = slots % TraceFormat.BLOCK_SLOTS;
        for (int block = 0; sealed && block < blocks; block++) {
            BlockSeal.set(
                    records,
                    (long) block * TraceFormat.BLOCK_BYTES,
                    (long) block * TraceFormat.BLOCK_SLOTS,
                    TraceFormat.BLOCK_RECORDS);
        }
        if (sealed && ended && rest > 0) {
            long at = (long) blocks * TraceFormat.BLOCK_BYTES;
            BlockSeal.set(records, at, (long) blocks * TraceFormat.BLOCK_SLOTS, rest);
            slots++;
        }
        if (ended) {
            MemorySegment segment = MemorySegment.ofArray(header);
            segment.set(TraceFormat.INT_UNALIGNED, TraceFormat.STATE_AT, TraceFormat.STATE_CLOSED);
            segment.set(TraceFormat.LONG_UNALIGNED, TraceFormat.SLOTS_AT, slots);
            int length = TraceFormat.STATE_CHECK_AT - TraceFormat.STATE_AT;
            segment.set(
                    TraceFormat.INT_UNALIGNED,
                    TraceFormat.STATE_CHECK_AT,
                    TraceFormat.check(segment, TraceFormat.STATE_AT, length));
        }
    }

    /** Changes a byte of the first section, the description; its check is made right, or not. */
    private void section(int where, boolean wrong) {
        MemorySegment segment = MemorySegment.ofArray(header);
        int from = TraceFormat.SECTIONS_AT;
        header[from + TraceFormat.SECTION_CONTENT_AT + where] = (byte) next();
        int length = segment.get(TraceFormat.INT_UNALIGNED, from + TraceFormat.SECTION_LENGTH_AT);
        int content = from + TraceFormat.SECTION_CONTENT_AT;
        if (!wrong && length >= 0 && length <= header.length - content) {
            CRC32C check = new CRC32C();
            check.update(header, from, TraceFormat.SECTION_CHECK_AT);
            check.update(header, content, length);
            segment.set(
                    TraceFormat.INT_UNALIGNED,
                    from + TraceFormat.SECTION_CHECK_AT,
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

    /** The last record some times more. */
    private void again(int times) {
        for (int count = 0; count < times && slots > 0 && slots < MOST_RECORDS; count++) {
            MemorySegment.copy(
                    records,
                    place() - TraceFormat.RECORD_BYTES,
                    records,
                    place(),
                    TraceFormat.RECORD_BYTES);
            slots++;
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
        commit(isContinuation ? TraceFormat.KIND_CONTINUATION : kind, flags, continuations);
        if ((piece & 0x10) != 0) {
            long hit = place() - TraceFormat.RECORD_BYTES + (next() & 0x3f);
            records.set(ValueLayout.JAVA_BYTE, hit, (byte) next());
        }
    }

    private void commit(int kind, int flags, int continuations) {
        records.set(TraceFormat.LONG, place(), TraceFormat.commit(kind, flags, continuations));
        slots++;
    }
}
