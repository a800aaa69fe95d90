package farslot.link;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What a {@link LinkServer} offers to who connects: a lender implements all of it; a slot or a
 * virtual machine, which lends nothing, keeps {@link #list} and {@link #borrow} as they are.
 *
 * <p><b>Threads.</b> Every link has its own thread, and each of these may be called by several at
 * once. They may block; only the link that asked waits.
 */
public interface Offer {
    /**
     * A link has come. Called before anything is served on it; must return at once.
     *
     * @throws RefusedException where it is not to be: the peer is told the sentence, the link ends,
     *     and {@link #left} is not called for it
     */
    default void arrived(Caller caller) throws RefusedException {}

    /** A link that had {@link #arrived} has ended, and its lease too. */
    default void left(Caller caller) {}

    /**
     * Somebody connected who could not prove who it is, as the link demands there. Must return at
     * once.
     *
     * @param peer the address that it came from; nothing else of it is known
     * @param why the sentence of the log
     */
    default void turnedAway(Peer peer, String why) {}

    /** What is here for this peer, in the order in which people want to read it. */
    default List<Entry> list(Peer peer) throws RefusedException {
        return List.of();
    }

    /**
     * Gives a function to a slot, exclusively, until {@link Grant#ended}.
     *
     * <p>Where the wish is to wait for a function that is taken, this returns when the peer's turn
     * has come; {@link Lease#waiting} tells it meanwhile where it stands, and {@link
     * Lease#whenEnded} tells the lender that nobody waits any more.
     *
     * @param lease by which the lender ends it on its own accord
     * @throws RefusedException not found (with the nearest name), taken (by whom, since when), ...
     */
    default Grant borrow(Peer peer, Wish wish, Lease lease) throws RefusedException {
        throw new RefusedException(
                RefusedException.Reason.UNSUPPORTED, "Nothing is lent here: this is no lender.");
    }

    /**
     * Goes on with a lease that a lender before this one granted and handed over: called for each
     * {@link SavedSession} that a server is opened with, before it listens. The function is
     * attached when this returns; {@link Grant#resumed} says that the slot is back with all its
     * maps, and only then may the function work on its own again. Where the slot does not come
     * within what is left of the grace time, {@link Grant#ended} says ABANDONED.
     *
     * @param peer who borrowed it
     * @param lease as for {@link #borrow}
     * @throws RefusedException where the session cannot go on: it is over, and its slot is told so
     *     when it comes
     */
    default Grant adopt(Peer peer, SavedSession session, Lease lease) throws RefusedException {
        throw new RefusedException(
                RefusedException.Reason.UNSUPPORTED, "Nothing is lent here: this is no lender.");
    }

    /**
     * Does an action, by the order of an operator.
     *
     * @param action its name ("stop", "reset", "peek", ...)
     * @param arguments by name, in the operator's order
     * @return result rows, each a table's row by column name, in order; may be empty
     */
    List<Map<String, String>> operate(Peer peer, String action, Map<String, String> arguments)
            throws RefusedException;

    /**
     * Gives every event to {@code observer} until the result is closed. The observer never blocks:
     * what its link cannot take is dropped and counted ({@link ObservedEvent#lostBefore}).
     */
    AutoCloseable observe(Peer peer, Consumer<ObservedEvent> observer) throws RefusedException;

    /**
     * Gives the records of a recording to a follower, until the feed is closed: with the link, or
     * when {@link RecordFeed#over} says why no more come.
     *
     * @throws RefusedException where there is no such recording, or the right is missing
     */
    default RecordFeed follow(Peer peer, FollowRequest request) throws RefusedException {
        throw new RefusedException(
                RefusedException.Reason.UNSUPPORTED, "Nothing can be recorded here.");
    }
}
