package farslot.sdk;

/**
 * Answers accesses to a part of a BAR that a register map would not describe well. Called in the
 * function's order.
 */
public interface AreaHandler {
    /**
     * Reads.
     *
     * @param offset from the area's beginning, in bytes
     * @param sizeBytes 1 to 8
     * @return the value, little-endian, of which the low bytes count
     */
    long read(long offset, int sizeBytes);

    /**
     * Writes.
     *
     * @param offset from the area's beginning, in bytes
     * @param sizeBytes 1 to 8
     * @param value the bytes, little-endian; those above {@code sizeBytes} are 0
     */
    void write(long offset, int sizeBytes, long value);
}
