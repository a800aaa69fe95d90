package farslot.analysis;

import java.util.List;
import java.util.Map;

/**
 * One trace, or several of one function, in numbers; {@code trace stats --json} prints it as it is.
 * Times are nanoseconds since the first trace began.
 *
 * @param kind of the function
 * @param began the time of day, UTC, ISO 8601
 * @param durationNanos from the beginning to the end of the last event
 * @param events how many were counted
 * @param registers the busiest first
 * @param others events of other kinds, by their name in text
 * @param link how long the link alone took, in a trace that was recorded at both ends of it
 * @param heat how often each part of each region was accessed
 * @param lost how many events the recorder could not keep
 * @param damaged how many blocks and records are damaged
 * @param unfinished how many records were never completed
 * @param remarks what a reader should know, in sentences
 */
public record TraceSummary(
        String kind,
        String began,
        long durationNanos,
        long events,
        List<RegisterCount> registers,
        List<InterruptCount> interrupts,
        DmaCount dmaReads,
        DmaCount dmaWrites,
        Map<String, Long> others,
        List<LinkTime> link,
        List<HeatMap> heat,
        long lost,
        long damaged,
        long unfinished,
        List<String> remarks) {

    /**
     * How often one register was accessed.
     *
     * @param widths lengths in bytes
     * @param distinctValues how many different values passed
     * @param moreValues whether there were more than that
     */
    public record RegisterCount(
            String region,
            String register,
            long reads,
            long writes,
            long failed,
            List<Long> widths,
            int distinctValues,
            boolean moreValues,
            long firstNanos,
            long lastNanos,
            Latency readLatency,
            Latency writeLatency) {}

    /**
     * How long something took; percentiles are at most 3 % too high.
     *
     * @param count of what has ended
     */
    public record Latency(long count, long p50Nanos, long p99Nanos, long maxNanos) {
        static Latency of(LatencyHistogram histogram) {
            return new Latency(
                    histogram.count(),
                    histogram.percentile(0.50),
                    histogram.percentile(0.99),
                    histogram.max());
        }
    }

    /**
     * How long the link took with events of one kind ("read").
     *
     * @param belowZero of how many it is less than nothing, since clocks are not known better; they
     *     count as 0
     */
    public record LinkTime(String kind, long belowZero, Latency latency) {}

    /**
     * How often one vector was signalled.
     *
     * @param perSecond over the trace's whole duration
     * @param mostPerSecond in one second, counted from the trace's beginning
     */
    public record InterruptCount(
            String interrupt,
            long vector,
            long count,
            double perSecond,
            long mostPerSecond,
            long firstNanos,
            long lastNanos) {}

    /**
     * What DMA moved in one direction.
     *
     * @param transfers that succeeded
     * @param bytes that they moved
     * @param failed transfers, which are in no other number
     */
    public record DmaCount(long transfers, long bytes, long failed, Latency latency) {}
}
