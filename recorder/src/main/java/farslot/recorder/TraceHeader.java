package farslot.recorder;

import static farslot.recorder.TraceFormat.INT;
import static farslot.recorder.TraceFormat.LONG;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * What a trace begins with (docs/trace-format.md, "The header"), but for what changes while it is
 * written.
 *
 * @param monotonicNanos the writer's clock when the trace began
 * @param wallNanos the time of day at that moment, since 1970
 * @param limitBytes the longest that the file may become
 */
@SuppressWarnings("EnumOrdinal") // TraceOrigin.At says so
record TraceHeader(
        long monotonicNanos,
        long wallNanos,
        long limitBytes,
        TraceSubject subject,
        TraceOrigin origin) {
    private static final int MAX_MAP_BYTES = 16 << 20;
    private static final int MAX_TEXT_BYTES = 1024;

    TraceHeader withOrigin(TraceOrigin other) {
        return new TraceHeader(monotonicNanos, wallNanos, limitBytes, subject, other);
    }

    /**
     * The header of a file, without its magic number.
     *
     * @param firstNumber of its first slot
     * @throws TraceException where the function says more of itself than a trace has room for
     */
    byte[] encode(long firstNumber) throws TraceException {
        ByteArrayOutputStream sections = new ByteArrayOutputStream();
        section(
                sections,
                TraceFormat.SECTION_DESCRIPTION,
                TraceDescription.encode(subject.description()));
        if (subject.configuration() != null) {
            section(sections, TraceFormat.SECTION_CONFIGURATION, subject.configuration());
        }
        if (subject.registerMap() != null) {
            section(sections, TraceFormat.SECTION_REGISTER_MAP, packed(subject.registerMap()));
        }
        section(sections, TraceFormat.SECTION_ORIGIN, encode(origin));
        int end = TraceFormat.SECTIONS_AT + sections.size();
        int steps = (end + TraceFormat.HEADER_STEP_BYTES - 1) / TraceFormat.HEADER_STEP_BYTES;
        byte[] header = new byte[steps * TraceFormat.HEADER_STEP_BYTES];
        ByteBuffer out = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        out.putShort(TraceFormat.MAJOR_AT, (short) TraceFormat.VERSION_MAJOR);
        out.putShort(TraceFormat.MINOR_AT, (short) TraceFormat.VERSION_MINOR);
        out.putInt(TraceFormat.RECORD_BYTES_AT, TraceFormat.RECORD_BYTES);
        out.putInt(TraceFormat.HEADER_BYTES_AT, header.length);
        out.putInt(TraceFormat.BLOCK_BYTES_AT, TraceFormat.BLOCK_BYTES);
        out.putLong(TraceFormat.ANCHOR_MONOTONIC_AT, monotonicNanos);
        out.putLong(TraceFormat.ANCHOR_WALL_AT, wallNanos);
        out.putLong(TraceFormat.LIMIT_AT, limitBytes);
        out.putLong(TraceFormat.FIRST_NUMBER_AT, firstNumber);
        out.putInt(TraceFormat.SECTIONS_BYTES_AT, sections.size());
        out.putInt(TraceFormat.HEADER_CHECK_AT, check(header));
        out.put(TraceFormat.SECTIONS_AT, sections.toByteArray());
        return header;
    }

    private static int check(byte[] header) {
        CRC32C check = new CRC32C();
        check.update(
                header, TraceFormat.MAJOR_AT, TraceFormat.HEADER_CHECK_AT - TraceFormat.MAJOR_AT);
        return (int) check.getValue();
    }

    /**
     * The header of another file of the same trace, which begins with the record of this number.
     */
    static MemorySegment beginningWith(long number, MemorySegment header) {
        byte[] bytes = header.toArray(ValueLayout.JAVA_BYTE);
        MemorySegment other = MemorySegment.ofArray(bytes);
        other.set(TraceFormat.LONG_UNALIGNED, TraceFormat.FIRST_NUMBER_AT, number);
        other.set(TraceFormat.INT_UNALIGNED, TraceFormat.HEADER_CHECK_AT, check(bytes));
        return other;
    }

    private static void section(ByteArrayOutputStream to, int tag, byte[] content) {
        int padded = (content.length + 7) & ~7;
        ByteBuffer out =
                ByteBuffer.allocate(TraceFormat.SECTION_CONTENT_AT + padded)
                        .order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(tag).putInt(content.length);
        CRC32C check = new CRC32C();
        check.update(out.array(), 0, TraceFormat.SECTION_CHECK_AT);
        check.update(content);
        out.putInt((int) check.getValue()).putInt(0).put(content);
        to.writeBytes(out.array());
    }

    private static byte[] packed(String map) throws TraceException {
        byte[] text = map.getBytes(StandardCharsets.UTF_8);
        if (text.length > MAX_MAP_BYTES) {
            throw new TraceException(
                    "The function's register map takes "
                            + text.length
                            + " bytes; a trace has room for 16 MiB.");
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int shift = 0; shift < 32; shift += 8) {
            out.write(text.length >>> shift);
        }
        try (Deflater deflater = new Deflater()) {
            deflater.setInput(text);
            deflater.finish();
            byte[] piece = new byte[1 << 13];
            while (!deflater.finished()) {
                out.write(piece, 0, deflater.deflate(piece));
            }
        }
        return out.toByteArray();
    }

    private static byte[] encode(TraceOrigin origin) {
        ByteBuffer out =
                ByteBuffer.allocate(12 + 4 * (2 + MAX_TEXT_BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(origin.epoch()).putInt(origin.at().ordinal());
        for (String text :
                new String[] {
                    origin.function(), origin.slot(), origin.identity(), origin.machine()
                }) {
            byte[] bytes = TraceWriter.textBytes(text);
            out.putShort((short) bytes.length).put(bytes);
        }
        return Arrays.copyOf(out.array(), out.position());
    }

    /** As the first file of a trace has it, which is one already. */
    byte[] encodePublished() throws TraceException {
        byte[] bytes = encode(0);
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(TraceFormat.MAGIC_AT, TraceFormat.MAGIC);
        return bytes;
    }

    /** Says in a header how clocks are related. */
    static void setClock(MemorySegment header, ClockRelation relation) {
        header.set(TraceFormat.INT_UNALIGNED, TraceFormat.CLOCK_CHECK_AT, 0);
        header.set(TraceFormat.LONG_UNALIGNED, TraceFormat.CLOCK_OFFSET_AT, relation.offsetNanos());
        header.set(
                TraceFormat.LONG_UNALIGNED,
                TraceFormat.CLOCK_UNCERTAINTY_AT,
                relation.uncertaintyNanos());
        header.set(
                TraceFormat.LONG_UNALIGNED,
                TraceFormat.CLOCK_MEASURED_AT,
                relation.measuredNanos());
        int bytes = TraceFormat.CLOCK_CHECK_AT - TraceFormat.CLOCK_OFFSET_AT;
        int check = TraceFormat.check(header, TraceFormat.CLOCK_OFFSET_AT, bytes);
        header.set(TraceFormat.INT_UNALIGNED, TraceFormat.CLOCK_CHECK_AT, check);
    }

    /** Where the first slot is, or 0 where the file cannot have a header as it says. */
    static int bytes(MemorySegment file) {
        int bytes = file.get(INT, TraceFormat.HEADER_BYTES_AT);
        boolean possible =
                bytes >= TraceFormat.HEADER_STEP_BYTES
                        && bytes % TraceFormat.HEADER_STEP_BYTES == 0
                        && bytes <= TraceFormat.MAX_HEADER_BYTES
                        && bytes <= file.byteSize();
        return possible ? bytes : 0;
    }

    /** Whether the fields before the sections are what was written. */
    static boolean isIntact(MemorySegment file) {
        int check =
                TraceFormat.check(
                        file,
                        TraceFormat.MAJOR_AT,
                        TraceFormat.HEADER_CHECK_AT - TraceFormat.MAJOR_AT);
        return file.get(INT, TraceFormat.HEADER_CHECK_AT) == check;
    }

    /**
     * Reads the header of a file whose first fields are intact.
     *
     * @param remarks is told in sentences what is damaged, and what that means
     */
    static TraceHeader decode(MemorySegment file, Consumer<String> remarks) {
        FunctionDescription description = null;
        byte[] configuration = null;
        String map = null;
        TraceOrigin origin = TraceOrigin.UNKNOWN;
        long at = TraceFormat.SECTIONS_AT;
        long end = at + (file.get(INT, TraceFormat.SECTIONS_BYTES_AT) & 0xFFFF_FFFFL);
        end = Math.min(end, bytes(file));
        while (at <= end - TraceFormat.SECTION_CONTENT_AT) {
            byte[] content = content(file, at, end);
            if (content == null) {
                remarks.accept(damaged(at));
                break; // its length may be what is wrong
            }
            boolean good = true;
            switch (file.get(INT, at)) {
                case TraceFormat.SECTION_DESCRIPTION -> {
                    description = TraceDescription.decode(content);
                    good = description != null;
                }
                case TraceFormat.SECTION_CONFIGURATION -> {
                    good = content.length == Region.CONFIGURATION_SIZE_BYTES;
                    configuration = good ? content : null;
                }
                case TraceFormat.SECTION_REGISTER_MAP -> {
                    map = unpacked(content);
                    good = map != null;
                }
                case TraceFormat.SECTION_ORIGIN -> {
                    TraceOrigin read = origin(content);
                    good = read != null;
                    origin = good ? read : origin;
                }
                default -> {} // of a later minor version
            }
            if (!good) {
                remarks.accept(damaged(at));
            }
            at += TraceFormat.SECTION_CONTENT_AT + ((content.length + 7L) & ~7L);
        }
        if (description == null) {
            remarks.accept("The function's description is damaged: registers cannot be named.");
            description = TraceDescription.UNKNOWN;
        }
        return new TraceHeader(
                file.get(LONG, TraceFormat.ANCHOR_MONOTONIC_AT),
                file.get(LONG, TraceFormat.ANCHOR_WALL_AT),
                file.get(LONG, TraceFormat.LIMIT_AT),
                new TraceSubject(description, configuration, map),
                origin);
    }

    private static String damaged(long at) {
        return String.format(
                "The header is damaged at 0x%x of the file: what the function was may be missing.",
                at);
    }

    /** The content of a section, or null where it is not what was written. */
    private static byte[] content(MemorySegment file, long at, long end) {
        long length = file.get(INT, at + TraceFormat.SECTION_LENGTH_AT) & 0xFFFF_FFFFL;
        if (length > end - at - TraceFormat.SECTION_CONTENT_AT) {
            return null;
        }
        byte[] content =
                file.asSlice(at + TraceFormat.SECTION_CONTENT_AT, length)
                        .toArray(ValueLayout.JAVA_BYTE);
        CRC32C check = new CRC32C();
        check.update(file.asSlice(at, TraceFormat.SECTION_CHECK_AT).toArray(ValueLayout.JAVA_BYTE));
        check.update(content);
        boolean intact = (int) check.getValue() == file.get(INT, at + TraceFormat.SECTION_CHECK_AT);
        return intact ? content : null;
    }

    private static String unpacked(byte[] content) {
        if (content.length < Integer.BYTES) {
            return null;
        }
        int length = MemorySegment.ofArray(content).get(TraceFormat.INT_UNALIGNED, 0);
        if (length < 0 || length > MAX_MAP_BYTES) {
            return null;
        }
        try (Inflater inflater = new Inflater()) {
            inflater.setInput(content, Integer.BYTES, content.length - Integer.BYTES);
            byte[] text = new byte[length];
            int have = 0;
            while (have < length && !inflater.finished()) {
                int more = inflater.inflate(text, have, length - have);
                if (more == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    return null;
                }
                have += more;
            }
            return have == length ? new String(text, StandardCharsets.UTF_8) : null;
        } catch (DataFormatException e) {
            return null;
        }
    }

    private static TraceOrigin origin(byte[] content) {
        try {
            ByteBuffer in = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
            long epoch = in.getLong();
            int at = in.getInt();
            TraceOrigin.At[] ends = TraceOrigin.At.values();
            return at < 0 || at >= ends.length
                    ? null
                    : new TraceOrigin(ends[at], text(in), text(in), text(in), text(in), epoch);
        } catch (BufferUnderflowException e) {
            return null;
        }
    }

    private static String text(ByteBuffer in) {
        byte[] bytes = new byte[Math.min(in.getShort() & 0xFFFF, MAX_TEXT_BYTES)];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
