package farslot.lender;

import java.time.Instant;
import java.util.Objects;

/**
 * Where one reset group stands: free, lent, being cleaned after a lease, or no longer offered. The
 * whole rule book of leases; what cleaning means is {@link LentFunction}'s.
 *
 * <pre>
 *            take                end(epoch)
 *   FREE ----------> LENT -----------------> CLEANING
 *    ^ \                                      |   |
 *    |  `-- close --> CLOSED &lt;--- cleaned ---'   |   (when closed meanwhile)
 *    `----------------------- cleaned -----------'
 * </pre>
 *
 * <p>Any thread may call; nothing blocks.
 */
final class LeaseState {
    /** The phases of a reset group. */
    enum Phase {
        /** Nobody has it; whoever asks gets it. */
        FREE,
        /** One slot has it. */
        LENT,
        /** The last lease has ended; until the function is reset nobody gets it. */
        CLEANING,
        /** The lender is leaving. */
        CLOSED
    }

    private Phase phase = Phase.FREE;
    private GrantedLease lease;
    private long lastEpoch;
    private boolean closing;

    /**
     * @param lastEpoch the greatest epoch ever given before; a lender that may have lived before
     *     takes the time in milliseconds, so that epochs grow across its restarts
     */
    LeaseState(long lastEpoch) {
        this.lastEpoch = lastEpoch;
    }

    /**
     * Grants a lease.
     *
     * @return the lease, or null where the group is not free
     */
    synchronized GrantedLease take(String borrower, Instant now) {
        Objects.requireNonNull(borrower);
        if (phase != Phase.FREE) {
            return null;
        }
        lastEpoch++;
        lease = new GrantedLease(lastEpoch, borrower, now);
        phase = Phase.LENT;
        return lease;
    }

    /**
     * Ends the lease with this epoch. True for one caller per lease, who then cleans and tells
     * {@link #cleaned}; everybody else may go.
     */
    synchronized boolean end(long epoch) {
        if (phase != Phase.LENT || lease.epoch() != epoch) {
            return false;
        }
        phase = Phase.CLEANING;
        return true;
    }

    /** The group is clean: the next may have it. */
    synchronized void cleaned(long epoch) {
        if (phase != Phase.CLEANING || lease.epoch() != epoch) {
            throw new IllegalStateException("GrantedLease " + epoch + " is not being cleaned up.");
        }
        lease = null;
        phase = closing ? Phase.CLOSED : Phase.FREE;
        notifyAll();
    }

    /**
     * Nothing is granted from now on.
     *
     * @return the lease that is still to be ended, or null
     */
    synchronized GrantedLease close() {
        closing = true;
        if (phase == Phase.FREE) {
            phase = Phase.CLOSED;
        }
        notifyAll();
        return phase == Phase.LENT ? lease : null;
    }

    /**
     * Waits while the group is being cleaned, up to {@code timeoutMillis}.
     *
     * @return the phase then
     */
    synchronized Phase awaitCleaned(long timeoutMillis) throws InterruptedException {
        long deadline = System.nanoTime() + timeoutMillis * 1_000_000L;
        while (phase == Phase.CLEANING) {
            long leftMillis = (deadline - System.nanoTime()) / 1_000_000L;
            if (leftMillis <= 0) {
                break;
            }
            wait(leftMillis);
        }
        return phase;
    }

    /**
     * How it stands at one moment.
     *
     * @param lease that is held or being cleaned up after, else null
     */
    record Snapshot(Phase phase, GrantedLease lease) {}

    synchronized Snapshot snapshot() {
        return new Snapshot(phase, lease);
    }

    synchronized Phase phase() {
        return phase;
    }

    /** The lease that is held or being cleaned up after, else null. */
    synchronized GrantedLease lease() {
        return lease;
    }

    /** Whether this is the epoch of the lease that holds now. */
    synchronized boolean holds(long epoch) {
        return phase == Phase.LENT && lease.epoch() == epoch;
    }
}
