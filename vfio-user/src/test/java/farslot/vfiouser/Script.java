package farslot.vfiouser;

import java.util.Arrays;

/** A fuzzer's bytes as what a test does, one choice after another; zeros behind the end. */
final class Script {
    private final byte[] bytes;
    private int at;

    Script(byte[] bytes) {
        this.bytes = bytes;
    }

    boolean isOver() {
        return at >= bytes.length;
    }

    int u8() {
        return at < bytes.length ? bytes[at++] & 0xff : 0;
    }

    int u16() {
        return u8() | u8() << 8;
    }

    long u32() {
        return u16() | (long) u16() << 16;
    }

    long u64() {
        return u32() | u32() << 32;
    }

    boolean yes() {
        return (u8() & 1) != 0;
    }

    int below(int bound) {
        return u8() % bound;
    }

    byte[] bytes(int count) {
        byte[] piece = at < bytes.length ? Arrays.copyOfRange(bytes, at, at + count) : new byte[0];
        at += count;
        return piece.length == count ? piece : Arrays.copyOf(piece, count);
    }
}
