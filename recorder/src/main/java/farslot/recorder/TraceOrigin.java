package farslot.recorder;

/**
 * Where a trace was recorded, and who had the function when it began. What is not known is empty,
 * or 0.
 *
 * @param at at which end of the link
 * @param function its name, as it is lent ("n0")
 * @param slot the slot's name
 * @param identity who borrowed
 * @param machine that wrote the trace
 * @param epoch of the lease
 */
public record TraceOrigin(
        At at, String function, String slot, String identity, String machine, long epoch) {
    /** An end of the link. Their ordinals are numbers in a trace. */
    public enum At {
        UNKNOWN,
        LENDER,
        SLOT
    }

    public static final TraceOrigin UNKNOWN = new TraceOrigin(At.UNKNOWN, "", "", "", "", 0);

    /** The same place under another lease; 0, and nobody, for none. */
    public TraceOrigin withLease(String borrowingSlot, String borrower, long leaseEpoch) {
        return new TraceOrigin(at, function, borrowingSlot, borrower, machine, leaseEpoch);
    }
}
