package farslot.lender;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;

/**
 * Where one reset group stands: free, lent, being cleaned after a lease, or no longer offered. The
 * whole rule book of leases; what cleaning means is {@link LentFunction}'s.
 *
 * <pre>
 *             ask                 end(epoch)
 *   FREE ----------> LENT ------------------> CLEANING
 *    ^ \              ^                        |  |  |
 *    |  \             `--- cleaned, to the ----'  |  |
 *    |   \                 first who waits        |  |
 *    |    `- close --> CLOSED &lt;-- cleaned, when --'  |
 *    |                            closed meanwhile   |
 *    `------------------- cleaned, nobody waits -----'
 * </pre>
 *
 * <p>Who waits is served in the order of asking, and nobody passes: whoever asks while others wait
 * waits behind them or has nothing. The group goes from a cleaned lease to the next in one step.
 *
 * <p>Any thread may call; only {@link #await} blocks.
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

    /** What one who asked has: a lease, a place among those who wait, or nothing any more. */
    static final class Ticket {
        private final String borrower;

        /** Whether it waits for a borrower too, and not only for a reset. */
        private final boolean patient;

        private GrantedLease lease;

        private Ticket(String borrower, boolean patient) {
            this.borrower = borrower;
            this.patient = patient;
        }
    }

    /**
     * How it stands with a ticket.
     *
     * @param lease that it has got, else null
     * @param place 1 is the next; 0 for one that has its lease, or waits no more
     * @param of how many wait
     */
    record Turn(GrantedLease lease, int place, int of) {
        /** Whether there is nothing more to wait for. */
        boolean isOver() {
            return place == 0;
        }
    }

    private Phase phase = Phase.FREE;
    private GrantedLease lease;
    private final ArrayDeque<Ticket> queue = new ArrayDeque<>();
    private long lastEpoch;
    private boolean closing;

    /**
     * @param lastEpoch the greatest epoch ever given before; a lender that may have lived before
     *     takes the time in milliseconds, so that epochs grow across its restarts
     */
    LeaseState(long lastEpoch) {
        this.lastEpoch = lastEpoch;
    }

    /** What one who asks wants where the group is not free. */
    enum Asking {
        /** Nothing: now or never. */
        NOW,
        /** To wait while the group is being cleaned, but for no borrower. */
        AFTER_CLEANING,
        /** To wait behind those who wait. */
        WAIT,
        /** To be the next: for who ends his own earlier lease. */
        NEXT
    }

    /**
     * Asks for the group.
     *
     * @param borrower how people are told who it is
     * @return a ticket, at once with a lease where the group is free; or null where there is
     *     nothing to wait for
     */
    synchronized Ticket ask(String borrower, Instant now, Asking asking) {
        boolean patient = asking == Asking.WAIT || asking == Asking.NEXT;
        Ticket ticket = new Ticket(Objects.requireNonNull(borrower), patient);
        if (closing) {
            return null;
        }
        if (phase == Phase.FREE) {
            grant(ticket, now);
            return ticket;
        }
        switch (asking) {
            case NOW -> {
                return null;
            }
            case AFTER_CLEANING -> {
                if (phase != Phase.CLEANING || queue.stream().anyMatch(other -> other.patient)) {
                    return null;
                }
                queue.addLast(ticket);
            }
            case WAIT -> queue.addLast(ticket);
            case NEXT -> queue.addFirst(ticket);
        }
        notifyAll();
        return ticket;
    }

    private void grant(Ticket ticket, Instant now) {
        lastEpoch++;
        lease = new GrantedLease(lastEpoch, ticket.borrower, now);
        ticket.lease = lease;
        phase = Phase.LENT;
        queue.removeIf(other -> !other.patient);
    }

    /**
     * Goes on with a lease that was granted before this state was made.
     *
     * @return false, and nothing is done, where the group is not free
     */
    synchronized boolean adopt(GrantedLease granted) {
        if (phase != Phase.FREE) {
            return false;
        }
        lease = granted;
        lastEpoch = Math.max(lastEpoch, granted.epoch());
        phase = Phase.LENT;
        return true;
    }

    /** How it stands with a ticket now. */
    synchronized Turn turn(Ticket ticket) {
        int place = 0;
        int at = 0;
        for (Ticket waiting : queue) {
            at++;
            if (waiting == ticket) {
                place = at;
            }
        }
        return new Turn(ticket.lease, place, queue.size());
    }

    /**
     * Waits until it stands otherwise with a ticket, or the time is over.
     *
     * @param deadlineNanos by {@link System#nanoTime}
     */
    synchronized Turn await(Ticket ticket, Turn last, long deadlineNanos)
            throws InterruptedException {
        Turn now = turn(ticket);
        while (now.equals(last)) {
            long leftMillis = (deadlineNanos - System.nanoTime()) / 1_000_000L;
            if (leftMillis <= 0) {
                break;
            }
            wait(leftMillis);
            now = turn(ticket);
        }
        return now;
    }

    /**
     * Gives up waiting.
     *
     * @return false where it did not wait: it may have its lease by now
     */
    synchronized boolean leave(Ticket ticket) {
        boolean waited = queue.remove(ticket);
        notifyAll();
        return waited;
    }

    /** Who waits, the next first. */
    synchronized List<String> waiting() {
        return queue.stream().map(ticket -> ticket.borrower).toList();
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

    /** The group is clean: the first who waits has it, or the next who asks. */
    synchronized void cleaned(long epoch, Instant now) {
        if (phase != Phase.CLEANING || lease.epoch() != epoch) {
            throw new IllegalStateException("Lease " + epoch + " is not being cleaned up.");
        }
        lease = null;
        Ticket next = queue.poll();
        if (next != null) {
            grant(next, now);
        } else {
            phase = closing ? Phase.CLOSED : Phase.FREE;
        }
        notifyAll();
    }

    /**
     * Nothing is granted from now on, and nobody waits any more.
     *
     * @return the lease that is still to be ended, or null
     */
    synchronized GrantedLease close() {
        closing = true;
        queue.clear();
        if (phase == Phase.FREE) {
            phase = Phase.CLOSED;
        }
        notifyAll();
        return phase == Phase.LENT ? lease : null;
    }

    /**
     * How it stands at one moment.
     *
     * @param lease that is held or being cleaned up after, else null
     * @param soon whether whoever asks now has it when it is clean, and waits for no borrower
     */
    record Snapshot(Phase phase, GrantedLease lease, boolean soon) {}

    synchronized Snapshot snapshot() {
        boolean soon =
                (phase == Phase.FREE || phase == Phase.CLEANING)
                        && !closing
                        && queue.stream().noneMatch(ticket -> ticket.patient);
        return new Snapshot(phase, lease, soon);
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
