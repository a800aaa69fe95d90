package farslot.link;

import farslot.core.PciFunction;

/**
 * A lender's yes: the function that the slot will use. The link attaches itself to the function as
 * its {@link farslot.core.PciHost}, and detaches before {@link #ended}.
 */
public interface Grant {
    /** What the slot reaches through the link; taps included. */
    PciFunction function();

    /** The fencing epoch of the lease: grows with each lease of this function. */
    long epoch();

    /**
     * An access of the slot is held here, by the function or a tap: told again about four times a
     * second while it is. Must return at once.
     */
    default void held(HeldAccess access) {}

    /** The access that {@link #held} told of has ended. Must return at once. */
    default void heldNoMore() {}

    /** The connection broke; the lease goes on until another comes, or the grace time is over. */
    default void detached(String why) {}

    /** The slot is back, over a new connection. */
    default void resumed() {}

    /**
     * The lease is over: called once, when nothing more of this link will reach the function. The
     * function was detached; what to do with it (a reset, as after a crash, when it was abandoned)
     * is the lender's decision.
     */
    void ended(Ending how, String sentence);

    /** How a lease ends. */
    enum Ending {
        /** The slot gave it back. */
        RETURNED,
        /** The slot is gone without a word: crashed, silent, or the connection broke. */
        ABANDONED,
        /** The peer broke the protocol. */
        BROKEN,
        /** The lender ended it. */
        REVOKED
    }
}
