package farslot.recorder;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * A trace while it is recorded at a {@link TracePoint}, and those who read along.
 *
 * <p>Any thread may call.
 */
public final class Recording implements AutoCloseable {
    /** For how long the end of a recording waits for those who read along. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final TracePoint point;
    private final RecorderTap tap;
    private final Instant since = Instant.now();
    private final List<TraceTail> tails = new CopyOnWriteArrayList<>();
    private boolean ended;
    private boolean closed;

    Recording(TracePoint point, RecorderTap tap) {
        this.point = point;
        this.tap = tap;
        tap.whenOver(this::end);
    }

    RecorderTap tap() {
        return tap;
    }

    /** The trace on this machine. */
    public Path file() {
        return tap.trace().file();
    }

    /** When it began. */
    public Instant since() {
        return since;
    }

    /** How many events found no room in the trace. */
    public long lost() {
        return tap.trace().lost();
    }

    /** What is recorded. */
    public RecordingRules rules() {
        return tap.rules();
    }

    /** Records by other rules from now on; the trace says so. */
    public void change(RecordingRules rules) {
        tap.change(rules);
    }

    /** Who acknowledges what is in the mode "flush-remote"; null for nobody. */
    public void remoteFlush(RemoteFlush remote) {
        tap.remoteFlush(remote);
    }

    /** Has something done once {@link RecordingRules#until} has held and the trace is closed. */
    public void whenOver(Runnable listener) {
        tap.whenOver(listener);
    }

    /** A mark by the user, to find the place again. */
    public void mark(String text) {
        tap.trace().mark(text);
    }

    /** {@link TraceWriter#leaseBegun}. */
    public void leaseBegun(String slot, String identity, long epoch) {
        tap.trace().leaseBegun(slot, identity, epoch);
    }

    /** {@link TraceWriter#leaseEnded}. */
    public void leaseEnded(String slot, String identity, long epoch, String why) {
        tap.trace().leaseEnded(slot, identity, epoch, why);
    }

    /** {@link TraceWriter#clockRelation}. */
    public void clockRelation(long offsetNanos, long uncertaintyNanos) {
        tap.trace().clockRelation(offsetNanos, uncertaintyNanos);
    }

    /**
     * Reads along from the first record that is still there.
     *
     * @throws IllegalStateException where the recording has ended
     */
    public synchronized TraceTail tail() {
        if (ended) {
            throw new IllegalStateException("The recording " + file() + " has ended.");
        }
        TraceTail tail = new TraceTail(tap.trace(), tails::remove);
        tails.add(tail);
        return tail;
    }

    /** Nothing more is recorded. Those who read along get the rest, and then hear of the end. */
    public void end() {
        point.remove(this);
        synchronized (this) {
            ended = true;
        }
        tails.forEach(TraceTail::finish);
    }

    /**
     * Ends the recording and its trace. Waits up to two seconds until those who read along have the
     * rest; what they lack then they have missed.
     *
     * @throws TraceException where the file cannot be finished
     */
    @Override
    public void close() throws TraceException {
        end();
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        for (TraceTail tail : tails) {
            tail.awaitDrained(deadline);
        }
        tap.close();
    }
}
