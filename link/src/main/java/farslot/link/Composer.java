package farslot.link;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/** Builds the payload of a message that is not on a hot path. */
final class Composer {
    private byte[] bytes = new byte[256];
    private int length;

    private ByteBuffer room(int count) {
        if (bytes.length - length < count) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + count));
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes, length, count).order(ByteOrder.LITTLE_ENDIAN);
        length += count;
        return buffer;
    }

    Composer u8(int value) {
        room(1).put((byte) value);
        return this;
    }

    Composer u16(int value) {
        room(2).putShort((short) value);
        return this;
    }

    Composer u32(long value) {
        room(4).putInt((int) value);
        return this;
    }

    Composer u64(long value) {
        room(8).putLong(value);
        return this;
    }

    Composer bytes(byte[] value) {
        room(value.length).put(value);
        return this;
    }

    /** A text of at most {@code most} bytes, cut between characters where it is longer. */
    Composer text(String text, int most) {
        byte[] utf8 = cut(text, most);
        return u16(utf8.length).bytes(utf8);
    }

    Composer longText(String text) {
        byte[] utf8 = cut(text, Messages.MAX_VALUE_BYTES);
        return u32(utf8.length).bytes(utf8);
    }

    Composer pairs(Map<String, String> pairs) {
        u16(pairs.size());
        pairs.forEach((name, value) -> text(name, Messages.MAX_NAME_BYTES).longText(value));
        return this;
    }

    private static byte[] cut(String text, int most) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (utf8.length <= most) {
            return utf8;
        }
        int end = most;
        while (end > 0 && (utf8[end] & 0xc0) == 0x80) {
            end--;
        }
        return Arrays.copyOf(utf8, end);
    }

    int length() {
        return length;
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes, length);
    }
}
