package farslot.analysis;

/**
 * Where a function did not do what the trace has.
 *
 * @param number the event of the trace
 * @param nanos when that was, since the trace began
 * @param where "BAR0 CSTS", "memory at 0x1000"
 * @param what a sentence: what was recorded, what came, and which fields differ
 */
public record Divergence(long number, long nanos, String where, String what) {}
