package farslot.link;

/**
 * A session as it stood when its lender handed over ({@link Standstill}): all that another process
 * needs to go on with it.
 *
 * @param function the name under which it was borrowed
 * @param epoch of its lease
 * @param state the session's secret, its peer, sequence numbers, the frames that the slot has not
 *     acknowledged, those of the slot that were received and not done, and maps. Only this package
 *     reads it, and checks it as it would a stranger's message; at most {@link #MOST_BYTES}
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, and compared nowhere
public record SavedSession(String function, long epoch, byte[] state) {
    /** The bounds of what a session keeps, with room for its maps. */
    public static final int MOST_BYTES = 64 << 20;
}
