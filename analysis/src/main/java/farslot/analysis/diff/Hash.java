package farslot.analysis.diff;

/** Numbers of 64 bits that stand for what is compared: equal ones are taken to mean the same. */
final class Hash {
    private static final long BEGIN = 0x9E37_79B9_7F4A_7C15L;

    private Hash() {}

    static long of(long a) {
        return mix(BEGIN ^ a);
    }

    static long of(long a, long b) {
        return mix(of(a) * 31 + b);
    }

    static long of(String text) {
        long hash = BEGIN;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x100_0000_01B3L;
        }
        return mix(hash);
    }

    static long of(byte[] bytes) {
        long hash = BEGIN;
        for (byte value : bytes) {
            hash = (hash ^ (value & 0xFF)) * 0x100_0000_01B3L;
        }
        return mix(hash);
    }

    /** The end of SplitMix64. */
    private static long mix(long value) {
        long z = value;
        z = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
        z = (z ^ z >>> 27) * 0x94D0_49BB_1331_11EBL;
        return z ^ z >>> 31;
    }
}
