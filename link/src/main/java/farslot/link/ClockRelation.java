package farslot.link;

/**
 * How the monotonic clocks of two processes relate ({@link System#nanoTime}): the peer's is this
 * one's plus the offset, at the time it was measured.
 *
 * @param offsetNanos the peer's clock less this one's
 * @param uncertaintyNanos by how much that can be wrong at most: half of the shortest round trip
 * @param measuredNanos when, by this clock
 * @param peerTimeOfDayNanos the peer's time of day then, in nanoseconds since 1970-01-01T00:00:00Z
 */
public record ClockRelation(
        long offsetNanos, long uncertaintyNanos, long measuredNanos, long peerTimeOfDayNanos) {}
