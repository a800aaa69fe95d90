package farslot.integration;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** What may come of good frames: one mutation after another, the same ones for the same seed. */
final class Mutations {
    private static final long[] NUMBERS = {
        0,
        1,
        2,
        31,
        33,
        0x7f,
        0xff,
        0x1000,
        0xffff,
        0x100000,
        0x101001,
        0x7fffffff,
        0xffffffffL,
        1L << 32,
        1L << 63,
        -1
    };

    private final Random random;

    Mutations(long seed) {
        random = new Random(seed);
    }

    /** A stream like that of these frames, with one to four things wrong in it. */
    byte[] of(List<byte[]> frames) {
        List<byte[]> changed = new ArrayList<>(frames.stream().map(byte[]::clone).toList());
        for (int count = 1 + random.nextInt(4); count > 0 && !changed.isEmpty(); count--) {
            change(changed);
        }
        // Half of them get past the check of the sequence, to what lies behind it.
        if (random.nextBoolean()) {
            changed = RawFrames.inSequence(changed);
        }
        byte[] stream = RawFrames.stream(changed);
        if (random.nextInt(8) == 0) {
            stream[random.nextInt(RawFrames.PREAMBLE.length)]++;
        }
        return random.nextInt(4) == 0
                ? Arrays.copyOf(stream, random.nextInt(stream.length))
                : stream;
    }

    private void change(List<byte[]> frames) {
        int at = random.nextInt(frames.size());
        byte[] frame = frames.get(at);
        switch (random.nextInt(7)) {
            case 0 -> frame[random.nextInt(frame.length)] = (byte) random.nextInt();
            case 1 -> frame[random.nextInt(frame.length)] ^= (byte) (1 << random.nextInt(8));
            case 2 -> frames.add(random.nextInt(frames.size() + 1), frame.clone());
            case 3 -> frames.remove(at);
            case 4 -> frames.add(random.nextInt(frames.size()), frames.remove(at));
            case 5 -> putNumber(frame);
            default -> frames.set(at, resized(frame));
        }
    }

    /** A number of 1 to 8 bytes that programs stumble over, anywhere in the frame. */
    private void putNumber(byte[] frame) {
        int bytes = 1 << random.nextInt(4);
        int at = random.nextInt(frame.length - bytes + 1) / bytes * bytes;
        long number = NUMBERS[random.nextInt(NUMBERS.length)];
        for (int index = 0; index < bytes; index++) {
            frame[at + index] = (byte) (number >>> (8 * index));
        }
    }

    /** Shorter or longer, and most of the time its header says so. */
    private byte[] resized(byte[] frame) {
        byte[] other = Arrays.copyOf(frame, 8 + random.nextInt(frame.length + 64));
        if (random.nextInt(4) != 0) {
            ByteBuffer.wrap(other).order(ByteOrder.LITTLE_ENDIAN).putInt(0, other.length);
        }
        return other;
    }
}
