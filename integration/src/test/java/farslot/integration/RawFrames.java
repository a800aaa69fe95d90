package farslot.integration;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** Frames of docs/protocol.md, section 2, made by hand: right ones, and any other. */
final class RawFrames {
    static final byte[] PREAMBLE = HexFormat.of().parseHex("464152534c4f540a0100000000000000");
    static final int HEADER = 32;

    static final int POSTED = 1;
    static final int NON_POSTED = 2;
    static final int COMPLETION = 3;

    static final int ERROR = 0x05;

    private RawFrames() {}

    /** A frame, its sequence number still to be set. */
    static byte[] frame(int type, int flags, int tag, byte[] body) {
        return ByteBuffer.allocate(HEADER + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(HEADER + body.length)
                .putShort((short) type)
                .put((byte) flags)
                .put((byte) 0)
                .putInt(0)
                .putInt(tag)
                .putLong(0)
                .putLong(0)
                .put(body)
                .array();
    }

    /** The same with its body in hexadecimal. */
    static byte[] frame(int type, int flags, int tag, String body) {
        return frame(type, flags, tag, HexFormat.of().parseHex(body.replace(" ", "")));
    }

    /** A good HELLO, patient and with more credit than a test uses. */
    static byte[] hello(int role) {
        ByteBuffer body = ByteBuffer.allocate(80).order(ByteOrder.LITTLE_ENDIAN);
        body.putLong(0).putInt(0x101000).putInt(250).putInt(60_000).putInt(role);
        for (int account = 0; account < 3; account++) {
            body.putLong(1 << 20).putLong(1L << 30);
        }
        body.putShort((short) 2).put("v1".getBytes(StandardCharsets.UTF_8));
        body.putShort((short) 2).put("t1".getBytes(StandardCharsets.UTF_8));
        return frame(0x01, 0, 0, body.array());
    }

    static byte[] borrow(String name) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        ByteBuffer body = ByteBuffer.allocate(10 + text.length).order(ByteOrder.LITTLE_ENDIAN);
        body.putLong(0).putShort((short) text.length).put(text);
        return frame(0x10, NON_POSTED, 1, body.array());
    }

    static int type(byte[] frame) {
        return frame.length < 6 ? 0 : (frame[4] & 0xff) | (frame[5] & 0xff) << 8;
    }

    /** The u16 at 32: of an ERROR its code. */
    static int code(byte[] frame) {
        return (frame[HEADER] & 0xff) | (frame[HEADER + 1] & 0xff) << 8;
    }

    /** Gives the frames their sequence numbers, from 1 on; shorter pieces are left as they are. */
    static List<byte[]> inSequence(List<byte[]> frames) {
        List<byte[]> numbered = new ArrayList<>();
        long sequence = 1;
        for (byte[] frame : frames) {
            byte[] copy = frame.clone();
            if (copy.length >= HEADER) {
                ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).putLong(16, sequence++);
            }
            numbered.add(copy);
        }
        return numbered;
    }

    /** What is sent in all: the preamble and these. */
    static byte[] stream(List<byte[]> frames) {
        int length = PREAMBLE.length + frames.stream().mapToInt(frame -> frame.length).sum();
        ByteBuffer all = ByteBuffer.allocate(length).put(PREAMBLE);
        frames.forEach(all::put);
        return all.array();
    }

    /** The next frame; null where the stream ends first. */
    static byte[] next(InputStream in) throws IOException {
        byte[] header = in.readNBytes(HEADER);
        if (header.length < HEADER) {
            return null;
        }
        int length = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getInt();
        byte[] frame = Arrays.copyOf(header, length);
        int came = in.readNBytes(frame, HEADER, length - HEADER);
        return came == length - HEADER ? frame : null;
    }
}
