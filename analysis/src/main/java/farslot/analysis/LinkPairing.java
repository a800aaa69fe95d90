package farslot.analysis;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/**
 * Finds what passed a link in one direction again at its other end: of two recordings, of who sent
 * and of who received, which events are one. Nothing is guessed:
 *
 * <ul>
 *   <li>what waits for its answer lasts longer where it was sent, and before and after that where
 *       it was received; what is alike and lies so is one event
 *   <li>what is posted is in one order at both ends. Behind an event that waited, of which both
 *       ends are known, the next posted ones are one by one the same; where one is not alike, or
 *       where either recording has lost events, none is any more until the next that waited.
 * </ul>
 *
 * <p>Senders are added as far as they began before what is received next ({@link #send}), and
 * receivers looked up ({@link #receive}). For one thread.
 */
final class LinkPairing {
    /** What is under way at once, at the most; more is forgotten, and paired with nothing. */
    private static final int MOST_PENDING = 1 << 16;

    /** What the events of one access or transfer have in common at both ends. */
    record Likeness(
            String kind, int region, long address, long length, long value, String status) {}

    /**
     * An event at one end.
     *
     * @param index of it among those of its end
     * @param likeness null where events were lost here
     * @param beginNanos by the lender's clock, since its recording began
     * @param posted whether nobody waits for it
     */
    record Passage(
            long index, Likeness likeness, long beginNanos, long durationNanos, boolean posted) {
        long endNanos() {
            return beginNanos + durationNanos;
        }

        boolean isLoss() {
            return likeness == null;
        }
    }

    /**
     * What was sent and received.
     *
     * @param linkNanos how long the link alone took: exactly where it waited, as well as the clocks
     *     are known where it was posted
     */
    record Pair(Passage sent, Passage received, long linkNanos) {}

    private final Deque<Passage> pending = new ArrayDeque<>();
    private boolean inOrder;
    private long onlySent;
    private long onlyReceived;

    /** Adds an event of the sender, behind those before it. */
    void send(Passage sent) {
        if (pending.size() == MOST_PENDING) {
            forget(pending.removeFirst());
            inOrder = false;
        }
        pending.addLast(sent);
    }

    /**
     * Looks for what was received, in the receiver's order.
     *
     * @param toleranceNanos by how much the clocks may differ from what is known of them
     * @return null where it is not known what was sent
     */
    Pair receive(Passage received, long toleranceNanos) {
        if (received.isLoss()) {
            inOrder = false;
            return null;
        }
        Pair pair =
                received.posted()
                        ? posted(received, toleranceNanos)
                        : waited(received, toleranceNanos);
        onlyReceived += pair == null ? 1 : 0;
        return pair;
    }

    private Pair waited(Passage received, long tolerance) {
        Iterator<Passage> all = pending.iterator();
        Passage sent = null;
        while (all.hasNext() && sent == null) {
            Passage one = all.next();
            if (!one.isLoss() && !one.posted()) {
                if (one.endNanos() < received.beginNanos() - tolerance) {
                    all.remove(); // it has ended without ever coming here
                    forget(one);
                } else if (isAround(one, received, tolerance)) {
                    sent = one;
                    all.remove();
                }
            }
        }
        if (sent == null) {
            return null;
        }
        forgetBefore(sent);
        inOrder = true;
        return new Pair(sent, received, sent.durationNanos() - received.durationNanos());
    }

    private static boolean isAround(Passage sent, Passage received, long tolerance) {
        return sent.likeness().equals(received.likeness())
                && sent.durationNanos() >= received.durationNanos()
                && sent.beginNanos() <= received.beginNanos() + tolerance
                && sent.endNanos() >= received.endNanos() - tolerance;
    }

    /** What was posted before it has come before it, or never will; others may wait still. */
    private void forgetBefore(Passage sent) {
        Iterator<Passage> all = pending.iterator();
        while (all.hasNext()) {
            Passage one = all.next();
            if (one.index() > sent.index()) {
                return;
            }
            if (one.isLoss() || one.posted()) {
                all.remove();
                forget(one);
            }
        }
    }

    private Pair posted(Passage received, long tolerance) {
        if (!inOrder) {
            return null;
        }
        for (Iterator<Passage> all = pending.iterator(); all.hasNext(); ) {
            Passage one = all.next();
            if (one.isLoss()) {
                break;
            }
            if (one.posted()) {
                if (!one.likeness().equals(received.likeness())
                        || one.beginNanos() > received.beginNanos() + tolerance) {
                    break;
                }
                all.remove();
                return new Pair(one, received, received.beginNanos() - one.beginNanos());
            }
        }
        inOrder = false;
        return null;
    }

    private void forget(Passage sent) {
        onlySent += sent.isLoss() ? 0 : 1;
    }

    /** How many were sent that are not known to have been received; all, at the end. */
    long onlySent() {
        return onlySent + pending.stream().filter(one -> !one.isLoss()).count();
    }

    /** How many were received of which is not known when they were sent. */
    long onlyReceived() {
        return onlyReceived;
    }
}
