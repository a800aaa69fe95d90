package farslot.recorder;

/**
 * What a recorder keeps, and how much.
 *
 * @param limitBytes the longest file; what comes after it is counted as lost. At least 64 KiB
 * @param dmaData what is kept of the data that DMA moves
 * @param windowBytes by how much the file grows at a time: a power of two from 4 KiB to 1 GiB
 */
public record TraceOptions(long limitBytes, DmaData dmaData, int windowBytes) {
    /** 1 GiB, digests of DMA data, 4 MiB at a time. */
    public static final TraceOptions DEFAULT = new TraceOptions(1L << 30, DmaData.DIGEST, 4 << 20);

    /** What is kept of the data that DMA moves. */
    public enum DmaData {
        /** The first 16 bytes. */
        FIRST_BYTES,
        /** The first 16 bytes and a digest (XXH64) of all. */
        DIGEST,
        /** All, up to 1 MiB of each transfer. */
        FULL
    }

    public TraceOptions {
        if (limitBytes < 1 << 16) {
            throw new IllegalArgumentException(
                    "A trace of at most "
                            + limitBytes
                            + " bytes is too short; 64 KiB is the least.");
        }
        if (windowBytes < 1 << 12 || Integer.bitCount(windowBytes) != 1) {
            throw new IllegalArgumentException(
                    "A trace cannot grow by "
                            + windowBytes
                            + " bytes at a time; powers of two from 4 KiB on are possible.");
        }
    }

    public TraceOptions withLimitBytes(long bytes) {
        return new TraceOptions(bytes, dmaData, windowBytes);
    }

    public TraceOptions withDmaData(DmaData data) {
        return new TraceOptions(limitBytes, data, windowBytes);
    }

    public TraceOptions withWindowBytes(int bytes) {
        return new TraceOptions(limitBytes, dmaData, bytes);
    }
}
