package farslot.analysis.export;

import farslot.core.Region;
import java.util.Set;

/** A region where a driver found it in physical memory, or among the I/O ports. */
record MmiotracePlace(Region region, long address) {
    private static final int MAX_ACCESS_BYTES = 4096;

    boolean holds(long physical, long length) {
        return region.space() == Region.Space.MEMORY
                && physical >= address
                && region.contains(physical - address, length);
    }

    /** A region of memory that is as large as needed, rounded up to what a region can have. */
    static Region memory(int index, long size, Set<Region.Attribute> attributes) {
        long whole = Math.max(16, powerOfTwo(size));
        int longest = (int) Math.min(whole, MAX_ACCESS_BYTES);
        return new Region(index, Region.Space.MEMORY, whole, attributes, longest);
    }

    /** The least power of two that is not less; sizes are at most 2^62. */
    static long powerOfTwo(long size) {
        return size <= 1 ? 1 : Long.highestOneBit(size - 1) << 1;
    }
}
