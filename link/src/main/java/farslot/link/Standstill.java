package farslot.link;

import java.util.List;

/**
 * A server whose borrowed functions stand still, so that they can be saved and their sessions go on
 * in another process. From {@code LinkServer.standStill} on:
 *
 * <ul>
 *   <li>No access of any slot is under way in a function and none is begun: what comes is kept, up
 *       to the credit that was given. Neither are there new borrows, returns or resumes.
 *   <li>The functions' own side goes on: DMA, its completions, interrupts, signs of life. A
 *       function can be quiesced. Control links go on as always.
 * </ul>
 *
 * <pre>{@code
 * try (Standstill standstill = server.standStill(patience)) {
 *     // quiesce and save the functions
 *     write(standstill.sessions());
 *     standstill.handOver("The lender of n0 hands over.");
 * } // without handOver everything goes on
 * }</pre>
 *
 * <p>For one thread, which may be that of a control link.
 */
public interface Standstill extends AutoCloseable {
    /**
     * The sessions that hold a lease, with a connection or without one. To be called when the
     * functions are quiesced and have nothing to say any more. The slots are told that the lender
     * hands over (GOODBYE) and their connections are closed: nothing is sent and nothing of theirs
     * is acknowledged from here on. Until {@link #handOver} or {@link #close} who comes back is
     * asked to try again.
     *
     * @throws IllegalStateException where a function's DMA is still under way
     */
    List<SavedSession> sessions();

    /**
     * Ends this process's part in the sessions that {@link #sessions} gave, and detaches their
     * functions. No {@link Grant#ended} follows. Leases whose slots cannot resume end as REVOKED,
     * with this sentence. New connections are turned away from now on, and {@link LinkServer#close}
     * is all that may follow.
     */
    void handOver(String sentence);

    /**
     * Without {@link #handOver} before, everything goes on as if nothing had been: the slots come
     * back to this process.
     */
    @Override
    void close();
}
