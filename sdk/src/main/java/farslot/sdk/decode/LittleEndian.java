package farslot.sdk.decode;

/** Numbers in bytes. */
final class LittleEndian {
    private LittleEndian() {}

    static long number(byte[] bytes, int offset, int sizeBytes) {
        long number = 0;
        for (int i = sizeBytes - 1; i >= 0; i--) {
            number = number << 8 | (bytes[offset + i] & 0xFF);
        }
        return number;
    }
}
