package farslot.link;

/** The lender's hold on a lease that it granted. */
public interface Lease {
    /** Who has it. */
    Peer borrower();

    /**
     * Ends the lease on the lender's own accord: the slot is told (GOODBYE with the sentence), and
     * {@link Grant#ended} follows with REVOKED. Returns at once; any thread; again is harmless.
     */
    void revoke(String sentence);
}
