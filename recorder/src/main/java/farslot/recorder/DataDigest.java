package farslot.recorder;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** XXH64 with seed 0 (xxHash specification, revision 0.1.1): the digest of data in a trace. */
final class DataDigest {
    private static final long P1 = 0x9E37_79B1_85EB_CA87L;
    private static final long P2 = 0xC2B2_AE3D_27D4_EB4FL;
    private static final long P3 = 0x1656_67B1_9E37_79F9L;
    private static final long P4 = 0x85EB_CA77_C2B2_AE63L;
    private static final long P5 = 0x27D4_EB2F_1656_67C5L;

    /**
     * So many words are looked at in one copy. Memory of three kinds (heap, native, mapped) comes
     * here, and the compiler makes each word's access a call then.
     */
    private static final int WORDS = 128;

    private DataDigest() {}

    static long of(MemorySegment data) {
        long length = data.byteSize();
        long at = 0;
        long hash;
        if (length >= 32) {
            long a = P1;
            a += P2;
            long b = P2;
            long c = 0;
            long d = -P1;
            long[] words = new long[(int) Math.min(WORDS, length / 32 * 4)];
            while (at <= length - 32) {
                int count = (int) Math.min(words.length, (length - at) / 32 * 4);
                MemorySegment.copy(data, TraceFormat.LONG_UNALIGNED, at, words, 0, count);
                for (int i = 0; i < count; i += 4) {
                    a = round(a, words[i]);
                    b = round(b, words[i + 1]);
                    c = round(c, words[i + 2]);
                    d = round(d, words[i + 3]);
                }
                at += (long) count * Long.BYTES;
            }
            hash =
                    Long.rotateLeft(a, 1)
                            + Long.rotateLeft(b, 7)
                            + Long.rotateLeft(c, 12)
                            + Long.rotateLeft(d, 18);
            hash = merge(merge(merge(merge(hash, a), b), c), d);
        } else {
            hash = P5;
        }
        return tail(data, at, hash + length);
    }

    private static long tail(MemorySegment data, long from, long begun) {
        long hash = begun;
        long at = from;
        long length = data.byteSize();
        for (; at <= length - 8; at += 8) {
            hash ^= round(0, data.get(TraceFormat.LONG_UNALIGNED, at));
            hash = Long.rotateLeft(hash, 27) * P1 + P4;
        }
        if (at <= length - 4) {
            hash ^= (data.get(TraceFormat.INT_UNALIGNED, at) & 0xFFFF_FFFFL) * P1;
            hash = Long.rotateLeft(hash, 23) * P2 + P3;
            at += 4;
        }
        for (; at < length; at++) {
            hash ^= (data.get(ValueLayout.JAVA_BYTE, at) & 0xFFL) * P5;
            hash = Long.rotateLeft(hash, 11) * P1;
        }
        hash = (hash ^ hash >>> 33) * P2;
        hash = (hash ^ hash >>> 29) * P3;
        return hash ^ hash >>> 32;
    }

    private static long round(long sum, long word) {
        return Long.rotateLeft(sum + word * P2, 31) * P1;
    }

    private static long merge(long hash, long sum) {
        return (hash ^ round(0, sum)) * P1 + P4;
    }
}
