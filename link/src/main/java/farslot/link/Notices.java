package farslot.link;

import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What a link has to tell its own side beside what frames ask: who holds what, whose turn a borrow
 * is, whether there is a connection. Noted under the connection's lock, told without it, by the
 * keeper.
 */
final class Notices {
    /** What WAITING said. */
    private record Turn(int place, int of, String sentence) {}

    private final Connection connection;
    private final ReentrantLock lock;
    private final Requests requests;
    private boolean anyHeld;
    private long postedHeldMillis;

    /** Where this side's borrow stands, while that was not told yet; else null. */
    private Turn turn;

    private LinkException detachedBy;
    private int timesDetached;
    private int timesAttached;

    /** The keeper's: which of these it has told. */
    private int toldDetached;

    private int toldAttached;

    Notices(Connection connection, ReentrantLock lock, Requests requests) {
        this.connection = connection;
        this.lock = lock;
        this.requests = requests;
    }

    // Noted, under the lock.

    /** The peer has been carrying out something posted, or a request that may be answered: null. */
    void held(boolean posted, Request request, long millis) {
        if (request != null) {
            request.heldMillis = millis;
            request.heldIsNew = true;
        } else if (posted) {
            postedHeldMillis = millis;
        }
        anyHeld = true;
    }

    void turn(int place, int of, String sentence) {
        turn = new Turn(place, of, sentence);
        anyHeld = true;
    }

    void detached(LinkException why) {
        detachedBy = why;
        timesDetached++;
    }

    void attached() {
        timesAttached++;
    }

    /** It was detached in another process, which has told of it. */
    void detachedBefore() {
        timesDetached++;
        toldDetached++;
    }

    boolean areWaiting() {
        return anyHeld || isDetachingUntold();
    }

    private boolean isDetachingUntold() {
        return toldDetached != timesDetached || toldAttached != timesAttached;
    }

    // Told, by the keeper.

    void tell() {
        tellHeld();
        tellDetached();
    }

    private void tellHeld() {
        List<Request> news;
        Turn where;
        long posted;
        lock.lock();
        try {
            if (!anyHeld) {
                return;
            }
            anyHeld = false;
            where = turn;
            turn = null;
            posted = postedHeldMillis;
            postedHeldMillis = 0;
            news = requests.newlyHeld();
        } finally {
            lock.unlock();
        }
        try {
            if (where != null) {
                connection.waiting(where.place(), where.of(), where.sentence());
            }
            if (posted > 0) {
                connection.held(null, posted);
            }
            for (Request request : news) {
                connection.held(request, request.heldMillis);
            }
        } catch (RuntimeException e) {
            Connection.LOG.log(
                    Level.ERROR, connection.label() + ": telling of a held access failed", e);
        }
    }

    /** In turn: one after the other, however fast they came. */
    private void tellDetached() {
        while (true) {
            LinkException why;
            lock.lock();
            try {
                if (connection.isEnded() || !isDetachingUntold()) {
                    return;
                }
                why = detachedBy;
            } finally {
                lock.unlock();
            }
            try {
                if (toldDetached == toldAttached) {
                    toldDetached++;
                    connection.detached(why);
                } else {
                    toldAttached++;
                    connection.attached();
                }
            } catch (RuntimeException e) {
                Connection.LOG.log(
                        Level.ERROR,
                        connection.label() + ": telling of a broken connection failed",
                        e);
            }
        }
    }
}
