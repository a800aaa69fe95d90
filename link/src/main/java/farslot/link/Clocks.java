package farslot.link;

import farslot.link.Messages.ClockTold;
import java.lang.foreign.MemorySegment;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What CLOCK and CLOCK_TOLD bring: the peer's questions, which the keeper answers, and the answer
 * to this side's. Guarded by the connection's lock.
 */
final class Clocks implements Connection.Wait {
    /** Questions that wait to be answered; more are dropped. */
    private static final int MOST_ASKED = 16;

    /** A question of the peer: its own time, and when it came. */
    record Asked(long askedNanos, long receivedNanos) {}

    private final ArrayDeque<Asked> asked = new ArrayDeque<>();
    private final Condition told;
    private long askedNanos;
    private boolean waiting;
    private ClockRelation answer;

    Clocks(ReentrantLock lock) {
        told = lock.newCondition();
    }

    /** The peer asks. */
    void asked(long peerNanos) {
        if (asked.size() < MOST_ASKED) {
            asked.add(new Asked(peerNanos, System.nanoTime()));
        }
    }

    boolean areAsked() {
        return !asked.isEmpty();
    }

    /** The next question to be answered, or null. */
    Asked take() {
        return asked.poll();
    }

    /** CLOCK_TOLD, to be sent at once. */
    static byte[] answer(Asked question) {
        Instant now = Instant.now();
        return new Composer()
                .u64(question.askedNanos())
                .u64(question.receivedNanos())
                .u64(System.nanoTime())
                .u64(now.getEpochSecond() * 1_000_000_000L + now.getNano())
                .toBytes();
    }

    /** This side will ask, and say this time. */
    void ask(long nanos) {
        askedNanos = nanos;
        waiting = true;
        answer = null;
    }

    /** The peer answers; what nobody waits for is dropped. */
    void told(MemorySegment frame, long at) {
        long now = System.nanoTime();
        if (!waiting || ClockTold.ASKED.get(frame, at) != askedNanos) {
            return;
        }
        waiting = false;
        long received = ClockTold.RECEIVED.get(frame, at);
        long sent = ClockTold.SENT.get(frame, at);
        long there = received - askedNanos;
        long back = now - sent;
        // RFC 5905, section 8: half of the way there and back, and what it can be wrong by.
        long offset = there - (there + back) / 2;
        answer =
                new ClockRelation(
                        offset,
                        Math.max(0, (there + back + 1) / 2),
                        now,
                        ClockTold.TIME_OF_DAY.get(frame, at));
        told.signal();
    }

    /** The answer, once {@link #isOver}. */
    ClockRelation answer() {
        return answer;
    }

    @Override
    public boolean isOver() {
        return answer != null;
    }

    @Override
    public Condition signal() {
        return told;
    }
}
