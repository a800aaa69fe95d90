package farslot.recorder;

/**
 * How the clocks of the two machines at a link's ends are related, as it was measured over the
 * link.
 *
 * @param offsetNanos what is to be added to the monotonic clock of the machine that wrote the trace
 *     for that of the other at the same moment
 * @param uncertaintyNanos by how much that may be wrong, either way
 * @param measuredNanos when it was measured, since the trace began
 */
public record ClockRelation(long offsetNanos, long uncertaintyNanos, long measuredNanos) {}
