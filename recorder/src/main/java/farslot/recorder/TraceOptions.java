package farslot.recorder;

/**
 * What a recorder keeps, and how much.
 *
 * @param limitBytes the longest file; what comes after it is counted as lost, or goes into the next
 *     file. At least 128 KiB
 * @param files how many files there may be, the newest and those before it: with 1 the trace ends
 *     when it has reached its limit, with more it goes on, and the oldest goes
 * @param dmaData what is kept of the data that DMA moves
 * @param windowBytes by how much the file grows at a time: a power of two from 64 KiB to 1 GiB
 * @param patienceMillis for how long accesses may wait, in all, for the file to grow: a hundredth
 *     of the time that passes, and so much at once. Then events are lost
 * @param ringBytes where it is not 0, only the last so many bytes are kept, in memory, and become
 *     the file when the recording ends; at least 128 KiB
 * @param forceMillis how often everything is forced to the disk, so that a loss of power costs no
 *     more; 0 leaves it to the kernel
 * @param origin where it is recorded, for its reader
 * @param rules what of everything that passes is recorded, from the beginning
 */
public record TraceOptions(
        long limitBytes,
        int files,
        DmaData dmaData,
        int windowBytes,
        long patienceMillis,
        long ringBytes,
        long forceMillis,
        TraceOrigin origin,
        RecordingRules rules) {
    /** One file of 1 GiB, digests of DMA data, 4 MiB at a time. */
    public static final TraceOptions DEFAULT =
            new TraceOptions(
                    1L << 30,
                    1,
                    DmaData.DIGEST,
                    4 << 20,
                    50,
                    0,
                    0,
                    TraceOrigin.UNKNOWN,
                    RecordingRules.ALL);

    private static final int LEAST_LIMIT_BYTES = 1 << 17;
    private static final int MOST_FILES = 1000;

    /**
     * What is kept of the data that DMA moves.
     *
     * @param firstBytes of each transfer at least so many are kept: as many as the records that
     *     hold them have room for
     * @param digest whether the digest (XXH64) of all is kept too
     */
    public record DmaData(int firstBytes, boolean digest) {
        /** The first 16 bytes. */
        public static final DmaData FIRST_BYTES = new DmaData(TraceFormat.DATA_BYTES, false);

        /** The first 16 bytes and a digest (XXH64) of all. */
        public static final DmaData DIGEST = new DmaData(TraceFormat.DATA_BYTES, true);

        /** All, up to 1 MiB of each transfer. */
        public static final DmaData FULL = new DmaData(TraceFormat.MAX_DATA_BYTES, false);

        public DmaData {
            if (firstBytes < 1 || firstBytes > TraceFormat.MAX_DATA_BYTES) {
                throw new IllegalArgumentException(
                        "The first "
                                + firstBytes
                                + " bytes of DMA cannot be kept; 1 to 1048576 (1 MiB) are"
                                + " possible.");
            }
        }

        /** How many bytes are kept of a transfer of so many. */
        int keptOf(long bytes) {
            int room =
                    TraceFormat.DATA_BYTES
                            + TraceFormat.continuations(firstBytes)
                                    * TraceFormat.CONTINUATION_BYTES;
            return (int) Math.min(bytes, Math.min(room, TraceFormat.MAX_DATA_BYTES));
        }

        /**
         * Reads "whole", "head:N" or "digest".
         *
         * @throws IllegalArgumentException with a sentence where it is none of these
         */
        public static DmaData parse(String text) {
            if (text.equals("whole")) {
                return FULL;
            }
            if (text.equals("digest")) {
                return DIGEST;
            }
            if (text.matches("head:[0-9]{1,9}")) {
                return new DmaData(Integer.parseInt(text.substring("head:".length())), false);
            }
            throw new IllegalArgumentException(
                    "\""
                            + text
                            + "\" does not say what is kept of DMA: \"whole\", \"digest\", or"
                            + " \"head:64\" for the first 64 bytes of each transfer.");
        }

        @Override
        public String toString() {
            return digest ? "digest" : equals(FULL) ? "whole" : "head:" + firstBytes;
        }
    }

    public TraceOptions {
        if (limitBytes < LEAST_LIMIT_BYTES) {
            throw new IllegalArgumentException(
                    "A trace of at most "
                            + limitBytes
                            + " bytes is too short; 128 KiB is the least.");
        }
        if (files < 1 || files > MOST_FILES) {
            throw new IllegalArgumentException(
                    "A trace cannot be in " + files + " files; 1 to 1000 are possible.");
        }
        if (windowBytes < TraceFormat.BLOCK_BYTES
                || windowBytes > 1 << 30
                || Integer.bitCount(windowBytes) != 1) {
            throw new IllegalArgumentException(
                    "A trace cannot grow by "
                            + windowBytes
                            + " bytes at a time; powers of two from 64 KiB to 1 GiB are possible.");
        }
        if (ringBytes != 0 && ringBytes < LEAST_LIMIT_BYTES) {
            throw new IllegalArgumentException(
                    "A ring of " + ringBytes + " bytes is too short; 128 KiB is the least.");
        }
        if (ringBytes != 0 && rules.flushes()) {
            throw new IllegalArgumentException(
                    "A ring is kept in memory, so no access can be on the disk before it is done:"
                            + " take the modes flush and flush-remote away, or the ring.");
        }
        if (patienceMillis < 0 || forceMillis < 0) {
            throw new IllegalArgumentException("A trace cannot wait for less than no time.");
        }
    }

    public TraceOptions withLimitBytes(long bytes) {
        return new TraceOptions(
                bytes,
                files,
                dmaData,
                windowBytes,
                patienceMillis,
                ringBytes,
                forceMillis,
                origin,
                rules);
    }

    public TraceOptions withFiles(int count) {
        return new TraceOptions(
                limitBytes,
                count,
                dmaData,
                windowBytes,
                patienceMillis,
                ringBytes,
                forceMillis,
                origin,
                rules);
    }

    public TraceOptions withDmaData(DmaData data) {
        return new TraceOptions(
                limitBytes,
                files,
                data,
                windowBytes,
                patienceMillis,
                ringBytes,
                forceMillis,
                origin,
                rules);
    }

    public TraceOptions withWindowBytes(int bytes) {
        return new TraceOptions(
                limitBytes,
                files,
                dmaData,
                bytes,
                patienceMillis,
                ringBytes,
                forceMillis,
                origin,
                rules);
    }

    public TraceOptions withPatienceMillis(long millis) {
        return new TraceOptions(
                limitBytes,
                files,
                dmaData,
                windowBytes,
                millis,
                ringBytes,
                forceMillis,
                origin,
                rules);
    }

    public TraceOptions withRingBytes(long bytes) {
        return new TraceOptions(
                limitBytes,
                files,
                dmaData,
                windowBytes,
                patienceMillis,
                bytes,
                forceMillis,
                origin,
                rules);
    }

    public TraceOptions withForceMillis(long millis) {
        return new TraceOptions(
                limitBytes,
                files,
                dmaData,
                windowBytes,
                patienceMillis,
                ringBytes,
                millis,
                origin,
                rules);
    }

    public TraceOptions withOrigin(TraceOrigin place) {
        return new TraceOptions(
                limitBytes,
                files,
                dmaData,
                windowBytes,
                patienceMillis,
                ringBytes,
                forceMillis,
                place,
                rules);
    }

    public TraceOptions withRules(RecordingRules which) {
        return new TraceOptions(
                limitBytes,
                files,
                dmaData,
                windowBytes,
                patienceMillis,
                ringBytes,
                forceMillis,
                origin,
                which);
    }
}
