package farslot.link;

import farslot.core.CompletionStatus;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.Condition;

/**
 * A non-posted request of this side that waits for its completion. Guarded by the connection's
 * lock. Used again and again: the tag's low byte is its place, the rest counts its uses.
 */
final class Request implements Connection.Wait {
    /** What has become of it. */
    enum Phase {
        FREE,
        WAITING,
        DONE,
        /** Nobody waits any more; the place is free when the late completion has come. */
        ABANDONED
    }

    private static final byte[] NOTHING = {};

    final int place;
    private final Condition condition;
    Phase phase = Phase.FREE;
    int tag;
    int type;
    CompletionStatus status;
    int answerType;

    /** How many frames the inbox had been given when the completion came: it pushes those. */
    long barrier;

    /** For notices: what is waited for. */
    int region;

    long offset;
    long heldMillis;
    boolean heldIsNew;

    private MemorySegment into;
    private boolean patient;
    private boolean receiving;
    private MemorySegment staging;
    private int staged;
    private ByteArrayOutputStream answer;

    Request(int place, Condition condition) {
        this.place = place;
        this.condition = condition;
    }

    /**
     * @param waitsForEver whether its waiter goes away only with the link
     */
    void begin(int requestType, MemorySegment destination, boolean waitsForEver) {
        patient = waitsForEver;
        int uses = (tag >>> 8) + 1 & 0xffffff;
        tag = (uses == 0 ? 1 : uses) << 8 | place;
        type = requestType;
        into = destination;
        phase = Phase.WAITING;
        status = null;
        answer = null;
        staged = 0;
        heldIsNew = false;
    }

    /** How many bytes of data the completion must bring. */
    long wanted() {
        return into == null ? 0 : into.byteSize();
    }

    /**
     * Whether so many bytes can be read to the waiter's memory from the wire. Who reads may change
     * meanwhile, so it must be memory of no thread's own.
     *
     * @param stranger a thread that waits for nothing
     */
    boolean canReceive(int bytes, Thread stranger) {
        return patient
                && phase == Phase.WAITING
                && bytes == wanted()
                && into.isNative()
                && !into.isReadOnly()
                && into.isAccessibleBy(stranger);
    }

    /** The waiter's memory, which is read to from now on until {@link #received}. */
    MemorySegment receiving() {
        receiving = true;
        return into;
    }

    boolean isReceiving() {
        return receiving;
    }

    /** All of it has come, or no more will. */
    void received() {
        receiving = false;
        condition.signal();
    }

    /** Takes data in, into the waiter's own memory where this thread may touch that. */
    void take(MemorySegment from, long at, int length) {
        if (into.isAccessibleBy(Thread.currentThread())) {
            MemorySegment.copy(from, at, into, 0, length);
            return;
        }
        if (staging == null || staging.byteSize() < length) {
            staging = Arena.ofAuto().allocate(length);
        }
        MemorySegment.copy(from, at, staging, 0, length);
        staged = length;
    }

    /** By the waiter: what could not be put into its memory directly. */
    void unstage() {
        if (staged > 0) {
            MemorySegment.copy(staging, 0, into, 0, staged);
        }
        into = null;
    }

    int answerLength() {
        return answer == null ? 0 : answer.size();
    }

    void append(byte[] more) {
        if (answer == null) {
            answer = new ByteArrayOutputStream(more.length);
        }
        answer.writeBytes(more);
    }

    /** The whole answer, now the caller's. */
    byte[] takeAnswer() {
        byte[] whole = answer == null ? NOTHING : answer.toByteArray();
        answer = null;
        return whole;
    }

    @Override
    public boolean isOver() {
        return phase == Phase.DONE;
    }

    @Override
    public Condition signal() {
        return condition;
    }
}
