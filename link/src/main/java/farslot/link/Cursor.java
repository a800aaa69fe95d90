package farslot.link;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads the variable part of a frame, every step checked against the frame's end. */
final class Cursor {
    private static final Field U8 = new Field("u8", 0, 1);
    private static final Field U16 = new Field("u16", 0, 2);
    private static final Field U32 = new Field("u32", 0, 4);
    private static final Field U64 = new Field("u64", 0, 8);

    private final MemorySegment memory;
    private final int type;
    private final long end;
    private long at;

    /** From {@code at} to {@code end}, both offsets in {@code memory}, of a frame of this type. */
    Cursor(MemorySegment memory, int type, long at, long end) {
        this.memory = memory;
        this.type = type;
        this.at = at;
        this.end = end;
    }

    private long next(Field field) throws BrokenFrameException {
        need(field.bytes());
        long value = field.get(memory, at);
        at += field.bytes();
        return value;
    }

    private void need(long bytes) throws BrokenFrameException {
        if (bytes > end - at) {
            throw broken(
                    "it ends after " + (end - at) + " bytes where " + bytes + " more are needed");
        }
    }

    private BrokenFrameException broken(String why) {
        return new BrokenFrameException(
                BrokenFrameException.Code.BAD_FRAME,
                type,
                "The frame " + Messages.name(type) + " is malformed: " + why + ".");
    }

    int u8() throws BrokenFrameException {
        return (int) next(U8);
    }

    int u16() throws BrokenFrameException {
        return (int) next(U16);
    }

    long u32() throws BrokenFrameException {
        return next(U32);
    }

    long u64() throws BrokenFrameException {
        return next(U64);
    }

    void skip(int bytes) throws BrokenFrameException {
        need(bytes);
        at += bytes;
    }

    byte[] bytes(long count) throws BrokenFrameException {
        need(count);
        byte[] bytes = memory.asSlice(at, count).toArray(ValueLayout.JAVA_BYTE);
        at += count;
        return bytes;
    }

    /** A text of at most {@code most} bytes, with its length in two bytes. */
    String text(int most) throws BrokenFrameException {
        return utf8(u16(), most);
    }

    /** A value, with its length in four bytes. */
    String longText() throws BrokenFrameException {
        return utf8(u32(), Messages.MAX_VALUE_BYTES);
    }

    private String utf8(long length, int most) throws BrokenFrameException {
        byte[] bytes = bytes(length);
        if (length > most) {
            throw Messages.bad(
                    type, "a text has " + length + " bytes where " + most + " are possible");
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw broken("a text in it is not UTF-8");
        }
    }

    /** Names and values: u16 count, then text and long text. */
    Map<String, String> pairs() throws BrokenFrameException {
        int count = u16();
        Map<String, String> pairs = new LinkedHashMap<>();
        for (int index = 0; index < count; index++) {
            String name = text(Messages.MAX_NAME_BYTES);
            if (pairs.put(name, longText()) != null) {
                throw broken("the name \"" + name + "\" stands in it twice");
            }
        }
        return pairs;
    }

    /** A whole frame, checked as one that comes. */
    MemorySegment frame() throws BrokenFrameException {
        need(Messages.Header.BYTES);
        int length = Messages.length(memory, at, Messages.MAX_FRAME_BYTES);
        need(length);
        Messages.check(memory, at, length);
        MemorySegment frame = memory.asSlice(at, length);
        at += length;
        return frame;
    }

    /** Says that everything was read. */
    void finish() throws BrokenFrameException {
        if (at != end) {
            throw broken(end - at + " bytes too many");
        }
    }
}
