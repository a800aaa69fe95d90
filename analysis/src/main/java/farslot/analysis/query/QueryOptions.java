package farslot.analysis.query;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BiConsumer;

/**
 * How a {@link TraceDatabase} works.
 *
 * @param folder where it keeps what it made of long traces, and what is too much for memory; made
 *     where it is not there
 * @param memoryBytes the most that DuckDB takes; what does not fit goes to the folder
 * @param partSlots how many records of a long trace become one file
 * @param keptBytes how much of long traces is kept for the next question
 * @param timeout after which a question is given up; zero: never
 * @param progress told, from any thread, which trace is being read and how much of it, 0 to 1
 */
public record QueryOptions(
        Path folder,
        long memoryBytes,
        long partSlots,
        long keptBytes,
        Duration timeout,
        BiConsumer<String, Double> progress) {
    /** A quarter of a gigabyte of a trace becomes a file of some 40 MB. */
    private static final long PART_SLOTS = 1 << 22;

    public QueryOptions {
        if (memoryBytes < 64 << 20) {
            throw new IllegalArgumentException(
                    "DuckDB cannot work with " + memoryBytes + " bytes; 64 MiB is the least.");
        }
    }

    /** At most 2 GiB of memory and 4 GiB kept, no limit of time, nobody told. */
    public static QueryOptions of(Path folder) {
        return new QueryOptions(
                folder, 2L << 30, PART_SLOTS, 4L << 30, Duration.ZERO, (trace, done) -> {});
    }

    QueryOptions withPartSlots(long slots) {
        return new QueryOptions(folder, memoryBytes, slots, keptBytes, timeout, progress);
    }

    public QueryOptions withMemoryBytes(long bytes) {
        return new QueryOptions(folder, bytes, partSlots, keptBytes, timeout, progress);
    }

    public QueryOptions withKeptBytes(long bytes) {
        return new QueryOptions(folder, memoryBytes, partSlots, bytes, timeout, progress);
    }

    public QueryOptions withTimeout(Duration after) {
        return new QueryOptions(folder, memoryBytes, partSlots, keptBytes, after, progress);
    }

    public QueryOptions withProgress(BiConsumer<String, Double> told) {
        return new QueryOptions(folder, memoryBytes, partSlots, keptBytes, timeout, told);
    }
}
