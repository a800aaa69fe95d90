package farslot.analysis;

import farslot.recorder.TraceEvent;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;

/** The accesses of one place, or of several that have one name. For one thread at a time. */
final class AccessCount {
    /** How many different values are told apart. */
    static final int MAX_VALUES = 128;

    final String region;
    final String register;
    long reads;
    long writes;
    long failed;
    long firstNanos = Long.MAX_VALUE;
    long lastNanos = Long.MIN_VALUE;
    final LatencyHistogram readLatency = new LatencyHistogram();
    final LatencyHistogram writeLatency = new LatencyHistogram();

    private final Set<Long> widths = new TreeSet<>();
    private final Set<Long> values = new HashSet<>();
    private long lastWidth = -1;
    private long lastValue;
    private boolean hasValue;

    AccessCount(String region, String register) {
        this.region = region;
        this.register = register;
    }

    void add(TraceEvent.Access e, long nanos) {
        LatencyHistogram latency = e.write() ? writeLatency : readLatency;
        reads += e.write() ? 0 : 1;
        writes += e.write() ? 1 : 0;
        failed += e.status() != null && !e.status().isSuccess() ? 1 : 0;
        if (!e.stamp().underWay()) {
            latency.add(e.stamp().durationNanos());
        }
        seen(nanos);
        width(e.data().length());
        if (e.data().complete() && e.data().length() <= Long.BYTES) {
            value(e.data().value());
        }
    }

    /** Accesses of a range that is only counted. */
    void add(TraceEvent.Counted e, long nanos) {
        reads += e.reads();
        writes += e.writes();
        seen(nanos);
    }

    private void seen(long nanos) {
        firstNanos = Math.min(firstNanos, nanos);
        lastNanos = Math.max(lastNanos, nanos);
    }

    private void width(long bytes) {
        if (bytes != lastWidth && widths.size() < MAX_VALUES) {
            widths.add(bytes);
            lastWidth = bytes;
        }
    }

    /** Most often it is the one before; that is cheap. */
    private void value(long value) {
        if ((!hasValue || value != lastValue) && values.size() <= MAX_VALUES) {
            values.add(value);
        }
        hasValue = true;
        lastValue = value;
    }

    void add(AccessCount other) {
        reads += other.reads;
        writes += other.writes;
        failed += other.failed;
        firstNanos = Math.min(firstNanos, other.firstNanos);
        lastNanos = Math.max(lastNanos, other.lastNanos);
        readLatency.add(other.readLatency);
        writeLatency.add(other.writeLatency);
        other.widths.forEach(this::width);
        other.values.forEach(this::value);
    }

    TraceSummary.RegisterCount summary() {
        return new TraceSummary.RegisterCount(
                region,
                register,
                reads,
                writes,
                failed,
                widths.stream().toList(),
                Math.min(values.size(), MAX_VALUES),
                values.size() > MAX_VALUES,
                firstNanos,
                lastNanos,
                TraceSummary.Latency.of(readLatency),
                TraceSummary.Latency.of(writeLatency));
    }
}
