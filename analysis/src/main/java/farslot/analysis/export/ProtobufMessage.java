package farslot.analysis.export;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One message of Protocol Buffers while it is built (protobuf.dev, "Encoding"): fields by number,
 * in the order in which they are added. It can be emptied and filled again.
 */
final class ProtobufMessage {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH_DELIMITED = 2;

    private byte[] bytes = new byte[256];
    private int length;

    ProtobufMessage clear() {
        length = 0;
        return this;
    }

    byte[] bytes() {
        return bytes;
    }

    /** How many of {@link #bytes} count. */
    int length() {
        return length;
    }

    /** An int32, int64, uint32, uint64, bool or enum. */
    ProtobufMessage number(int field, long value) {
        tag(field, VARINT);
        varint(value);
        return this;
    }

    ProtobufMessage fixed64(int field, long value) {
        tag(field, FIXED64);
        reserve(Long.BYTES);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length, value);
        length += Long.BYTES;
        return this;
    }

    ProtobufMessage text(int field, String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        return delimited(field, utf8, utf8.length);
    }

    ProtobufMessage message(int field, ProtobufMessage value) {
        return delimited(field, value.bytes, value.length);
    }

    private ProtobufMessage delimited(int field, byte[] value, int count) {
        tag(field, LENGTH_DELIMITED);
        varint(count);
        reserve(count);
        System.arraycopy(value, 0, bytes, length, count);
        length += count;
        return this;
    }

    private void tag(int field, int wireType) {
        varint((long) field << 3 | wireType);
    }

    private void varint(long value) {
        reserve(10);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes[length++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        bytes[length++] = (byte) rest;
    }

    private void reserve(int count) {
        if (bytes.length - length < count) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + count));
        }
    }
}
