package farslot.core;

import java.util.Set;

/**
 * One address range of a function: a BAR, the expansion ROM, or configuration space.
 *
 * @param index 0 to 5 for the BARs, {@link #ROM}, {@link #CONFIGURATION}: VFIO's numbers. A 64-bit
 *     BAR takes its index and the next one
 * @param space which kind of request reaches it
 * @param sizeBytes a power of two for BARs and ROM (at least 16 for memory, 4 for I/O ports); 4096
 *     for configuration space
 * @param attributes what else the driver's side may assume
 * @param maxAccessBytes the longest single access the function takes, 1 to 1 MiB
 */
public record Region(
        int index, Space space, long sizeBytes, Set<Attribute> attributes, int maxAccessBytes) {
    public static final int ROM = 6;
    public static final int CONFIGURATION = 7;

    /** The number of indexes. */
    public static final int COUNT = 8;

    public static final int CONFIGURATION_SIZE_BYTES = 4096;
    public static final int MAX_ACCESS_BYTES = 1 << 20;

    /**
     * How a region is reached; memory writes are posted, writes elsewhere complete (PCI Express
     * Base 4.0, 2.1.1.1).
     */
    public enum Space {
        MEMORY,
        IO_PORT,
        CONFIGURATION
    }

    /** Promises about a region. Their ordinals are bit numbers on the wire: add at the end only. */
    public enum Attribute {
        /** A 64-bit BAR. */
        BITS_64,
        PREFETCHABLE,
        /**
         * May be mapped into the driver's process where that is near; such accesses are seen by
         * nobody.
         */
        MAPPABLE,
        WRITE_COMBINING,
        /** Reading changes nothing, so a viewer may read. */
        READS_WITHOUT_SIDE_EFFECTS,
        /** Reads give what was written. */
        RAM_LIKE,
        READ_ONLY
    }

    public Region {
        attributes = Set.copyOf(attributes);
        if (index < 0 || index >= COUNT) {
            throw new IllegalArgumentException("Region index " + index + " is not within 0 to 7.");
        }
        if ((space == Space.CONFIGURATION) != (index == CONFIGURATION)) {
            throw new IllegalArgumentException(
                    "Region " + index + " cannot be in " + space + " space.");
        }
        long smallest =
                space == Space.IO_PORT ? 4 : space == Space.MEMORY ? 16 : CONFIGURATION_SIZE_BYTES;
        if (sizeBytes < smallest || Long.bitCount(sizeBytes) != 1) {
            throw new IllegalArgumentException(
                    "Region "
                            + index
                            + " has 0x"
                            + Long.toHexString(sizeBytes)
                            + " bytes; a power of two of at least "
                            + smallest
                            + " is needed.");
        }
        if (maxAccessBytes < 1 || maxAccessBytes > MAX_ACCESS_BYTES) {
            throw new IllegalArgumentException(
                    "Region "
                            + index
                            + " takes accesses of "
                            + maxAccessBytes
                            + " bytes; 1 to 1 MiB are possible.");
        }
    }

    /**
     * Whether a write to this region is posted: it has no completion and is done in the function's
     * order.
     */
    public boolean postedWrites() {
        return space == Space.MEMORY;
    }

    public boolean has(Attribute attribute) {
        return attributes.contains(attribute);
    }

    /**
     * Whether {@code length} bytes at {@code offset} lie within this region and within its longest
     * access.
     */
    public boolean contains(long offset, long length) {
        return length >= 1
                && length <= maxAccessBytes
                && offset >= 0
                && offset <= sizeBytes - length;
    }

    /** The name that people know: "BAR0", "ROM", "CFG". */
    public String label() {
        return switch (index) {
            case ROM -> "ROM";
            case CONFIGURATION -> "CFG";
            default -> "BAR" + index;
        };
    }
}
