package farslot.sdk.decode;

/**
 * Knows which of a function's DMA writes are completions: what a function may give in any order,
 * and put into its queues where there is room. Two of one meaning are the same to a driver.
 *
 * <p>It is shown everything in order, as a {@link Decoder} is, and asked of writes that come later
 * or, in another run of the same, at the same time. For one thread at a time.
 */
public interface Completions {
    /** Takes the next observation: what the driver did, and what the function read. */
    void observe(Observation observation);

    /**
     * What a write means, wherever in its queue it stands: "CQ 1: SQ 1, CID 0x7, status 0". Null
     * for what is no completion.
     *
     * @param data all that is written; not to be changed
     */
    String meaning(long address, byte[] data);
}
