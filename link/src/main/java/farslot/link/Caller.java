package farslot.link;

/**
 * One link that an {@link Offer} serves, from its first frame to its end. Equal only to itself.
 *
 * <p>Any thread may call; nothing blocks.
 */
public interface Caller {
    /** Who it is; what it calls itself is known once it has said it. */
    Peer peer();

    /** Whether it is told of what happens here. */
    boolean observes();

    /** How many bytes of what it has sent wait here to be carried out, at this moment. */
    long bufferedBytes();

    /**
     * Ends the link with GOODBYE and the sentence; a lease on it ends as REVOKED. Again is
     * harmless.
     */
    void turnAway(String sentence);
}
