package farslot.analysis.query;

import java.nio.file.Path;
import java.time.Duration;
import java.util.function.BiConsumer;

/**
 * How a {@link TraceDatabase} works.
 *
 * @param folder where it keeps what is too much for memory; made where it is not there
 * @param memoryBytes the most that DuckDB takes; what does not fit goes to the folder
 * @param timeout after which a question is given up; zero: never
 * @param progress told, from any thread, which trace is being read and how much of it, 0 to 1
 */
public record QueryOptions(
        Path folder, long memoryBytes, Duration timeout, BiConsumer<String, Double> progress) {
    public QueryOptions {
        if (memoryBytes < 64 << 20) {
            throw new IllegalArgumentException(
                    "DuckDB cannot work with " + memoryBytes + " bytes; 64 MiB is the least.");
        }
    }

    /** At most 2 GiB of memory, no limit of time, nobody told. */
    public static QueryOptions of(Path folder) {
        return new QueryOptions(folder, 2L << 30, Duration.ZERO, (trace, done) -> {});
    }

    public QueryOptions withMemoryBytes(long bytes) {
        return new QueryOptions(folder, bytes, timeout, progress);
    }

    public QueryOptions withTimeout(Duration after) {
        return new QueryOptions(folder, memoryBytes, after, progress);
    }

    public QueryOptions withProgress(BiConsumer<String, Double> told) {
        return new QueryOptions(folder, memoryBytes, timeout, told);
    }
}
