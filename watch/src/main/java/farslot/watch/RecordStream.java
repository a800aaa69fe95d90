package farslot.watch;

import farslot.link.RecordFeed;
import farslot.recorder.Recording;
import farslot.recorder.RemoteFlush;
import farslot.recorder.TraceTail;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * The records of a recording for one follower: read along behind those who record, which never wait
 * for it.
 */
public final class RecordStream implements RecordFeed, RemoteFlush {
    /** For how long an access waits until the follower has its record. */
    private static final long ANSWER_NANOS = 1_000_000_000;

    /** How long it rests where there is nothing; longer and longer, to this. */
    private static final long MOST_REST_NANOS = 5_000_000;

    private static final long LEAST_REST_NANOS = 100_000;

    /** For how long it lets records gather where few were there. */
    private static final long GATHERING_NANOS = 2_000_000;

    /** Is told once that nobody follows any more. */
    @FunctionalInterface
    interface Ending {
        /**
         * It has ended.
         *
         * @param taken whether the follower has all there was
         */
        void ended(boolean taken);
    }

    private final String name;
    private final String by;
    private final Recording recording;
    private final TraceTail tail;

    /** Null where the recording is another's. */
    private final Ending ending;

    private final Consumer<RecordStream> left;
    private final byte[] header;
    private final CountDownLatch taken = new CountDownLatch(1);

    /** Whether nothing is sent before it has ended: of a ring only what is left then counts. */
    private boolean sendsAtEnd;

    /** How many records a ring had lost when it ended: those that are left count from 0. */
    private long dropped;

    private long restNanos = LEAST_REST_NANOS;
    private boolean few;
    private volatile long end;
    private volatile long kept;

    /** Behind the last record for which an access waits. */
    private volatile long wanted;

    /** Behind the last record that was gone before it could be sent. */
    private volatile long gone;

    /** Whether the follower has not answered in time, and not since. Guarded by this. */
    private boolean silent;

    private volatile Thread sender;
    private volatile String revoked;
    private volatile boolean over;
    private Runnable whenClosed = () -> {};
    private boolean closed;

    RecordStream(
            String name,
            String by,
            Recording recording,
            Ending ending,
            Consumer<RecordStream> left) {
        this.name = name;
        this.by = by;
        this.left = left;
        this.recording = recording;
        this.ending = ending;
        sendsAtEnd = ending != null && recording.isRing();
        tail = recording.tail();
        header = tail.header();
    }

    @Override
    public byte[] header() {
        return header.clone();
    }

    @Override
    public long first() {
        return 0;
    }

    @Override
    public Batch next(MemorySegment into) {
        sender = Thread.currentThread();
        if (sendsAtEnd && !recording.isEnded()) {
            rest();
            return new Batch(0, 0, false);
        }
        if (sendsAtEnd) {
            sendsAtEnd = false;
            dropped = tail.beginWithOldest();
        }
        if (few && !isUrgent()) {
            // More come meanwhile: each piece that is sent costs both sides much the same.
            few = false;
            LockSupport.parkNanos(this, GATHERING_NANOS);
        }
        TraceTail.Batch batch = tail.next(into);
        long first = batch.first() - dropped;
        if (batch.missed() > 0) {
            gone = first;
        }
        if (batch.count() > 0) {
            few = batch.count() < into.byteSize() / TraceTail.RECORD_BYTES / 2;
            restNanos = LEAST_REST_NANOS;
            end = Math.max(end, first + batch.count());
            return new Batch(first, batch.count(), kept < wanted);
        }
        if (batch.missed() > 0) {
            end = first;
        }
        if (tail.isOver()) {
            over = true;
            lookWhetherTaken();
        } else {
            rest();
        }
        return new Batch(end, 0, false);
    }

    /** Whether an access waits for a record that was not sent. */
    private boolean isUrgent() {
        return wanted > end;
    }

    private void rest() {
        // A permit may have been used up by a lock on the way.
        LockSupport.parkNanos(this, isUrgent() ? LEAST_REST_NANOS / 10 : restNanos);
        restNanos = Math.min(2 * restNanos, MOST_REST_NANOS);
    }

    @Override
    public long lost() {
        return tail.lost();
    }

    @Override
    public String over() {
        String why = revoked;
        if (why != null) {
            return why;
        }
        return over ? "The recording of " + name + " has ended" + since() + "." : null;
    }

    private String since() {
        return recording.isTriggered() ? ", since " + recording.rules().until() : "";
    }

    @Override
    public long end() {
        return end;
    }

    @Override
    public void kept(long next) {
        synchronized (this) {
            kept = next;
            silent = silent && next < wanted;
            notifyAll();
        }
        lookWhetherTaken();
    }

    /**
     * Waits until the follower keeps a record, for a second at most. Where that was in vain, nobody
     * waits again before the follower has caught up.
     */
    @Override
    public boolean await(long record) {
        long deadline = System.nanoTime() + ANSWER_NANOS;
        synchronized (this) {
            wanted = Math.max(wanted, record + 1);
            if (silent || closed) {
                return false;
            }
        }
        tail.hurry(record + 1);
        LockSupport.unpark(sender);
        boolean acknowledged = awaitKept(record, deadline);
        return acknowledged && record >= gone;
    }

    private synchronized boolean awaitKept(long record, long deadlineNanos) {
        boolean interrupted = false;
        while (kept <= record && !closed && !silent) {
            long rest = deadlineNanos - System.nanoTime();
            if (rest <= 0) {
                silent = true;
                break;
            }
            try {
                TimeUnit.NANOSECONDS.timedWait(this, rest);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return kept > record;
    }

    private void lookWhetherTaken() {
        if (over && kept >= end) {
            taken.countDown();
        }
    }

    /** Waits until the follower has all there was, or has gone, or the deadline. */
    void awaitTaken(long deadlineNanos) {
        try {
            taken.await(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Who follows, in words. */
    String by() {
        return by;
    }

    /** Whether the recording is the follower's, and ends with it. */
    boolean owns() {
        return ending != null;
    }

    /** How many records the follower is behind. */
    public long behind() {
        return tail.behind();
    }

    @Override
    public void finish() {
        if (ending != null) {
            recording.end();
        } else {
            tail.finish();
        }
    }

    /** Gives the follower no more, for this reason, which it is told. */
    public void revoke(String sentence) {
        revoked = sentence;
        finish();
    }

    /** Runs it once nobody follows any more: at once where that is so already. */
    public void whenClosed(Runnable then) {
        synchronized (this) {
            if (!closed) {
                whenClosed = then;
                return;
            }
        }
        then.run();
    }

    @Override
    public void close() {
        Runnable then;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            notifyAll();
            then = whenClosed;
        }
        then.run();
        boolean all = (over && kept >= end) || (end == 0 && tail.behind() == 0);
        tail.close();
        left.accept(this);
        taken.countDown();
        if (ending != null) {
            ending.ended(all);
        }
    }
}
