package farslot.link;

/** The lender's hold on a lease that it granted, or on the wish for one while that waits. */
public interface Lease {
    /** Who has it, or asks for it. */
    Peer borrower();

    /**
     * Ends the lease on the lender's own accord: the slot is told (GOODBYE with the sentence), and
     * {@link Grant#ended} follows with REVOKED. Returns at once; any thread; again is harmless.
     */
    void revoke(String sentence);

    /**
     * Tells a peer that waits for its lease where it stands. Only within {@link Offer#borrow}, on
     * its thread.
     *
     * @param place 1 is the next
     * @param of how many wait
     * @param sentence for people; at most 1024 bytes of UTF-8 travel
     */
    default void waiting(int place, int of, String sentence) {}

    /**
     * Runs something once where the link ends before {@link Offer#borrow} has returned: at once
     * where it has ended. By the link's threads; it must return at once. One at a time: another
     * replaces it.
     */
    default void whenEnded(Runnable then) {}

    /**
     * The session's secret, by which it is resumed and abandoned ({@link LinkServer#abandon}), or
     * null where it ends with its connection. Who knows it can take the session: it belongs into no
     * log.
     */
    default byte[] session() {
        return null;
    }

    /**
     * Measures how the slot's clock is related to this one's. Waits for a second at most.
     *
     * @return null where that cannot be measured
     */
    default ClockRelation clock() {
        return null;
    }
}
