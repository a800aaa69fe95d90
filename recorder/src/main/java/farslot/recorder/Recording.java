package farslot.recorder;

import java.lang.System.Logger.Level;
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
    private static final System.Logger LOG = System.getLogger("farslot.recorder");

    /** For how long the end of a recording waits for those who read along. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final TracePoint point;
    private final RecorderTap tap;
    private final boolean ring;
    private final boolean stays;
    private final Instant since = Instant.now();
    private final List<TraceTail> tails = new CopyOnWriteArrayList<>();
    private volatile boolean triggered;
    private volatile boolean ended;
    private boolean closed;

    /**
     * @param ring whether only the end of it is kept, in memory
     * @param stays whether it is not closed where {@code until} has held
     */
    Recording(TracePoint point, RecorderTap tap, boolean ring, boolean stays) {
        this.point = point;
        this.tap = tap;
        this.ring = ring;
        this.stays = stays;
        tap.endBy(this::triggered);
    }

    private void triggered() {
        triggered = true;
        if (stays) {
            end();
            return;
        }
        try {
            close();
        } catch (TraceException e) {
            LOG.log(Level.ERROR, e.getMessage(), e);
        }
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

    /** Whether only the end of it is kept, in memory. */
    public boolean isRing() {
        return ring;
    }

    /** Whether nothing more is recorded. */
    public boolean isEnded() {
        return ended;
    }

    /** Whether it has ended since {@link RecordingRules#until} has held. */
    public boolean isTriggered() {
        return triggered;
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
     * @throws IllegalStateException where the recording is closed
     */
    public synchronized TraceTail tail() {
        if (closed) {
            throw new IllegalStateException("The recording " + file() + " is closed.");
        }
        TraceTail tail = new TraceTail(tap.trace(), tails::remove);
        tails.add(tail);
        if (ended) {
            tail.finish();
        }
        return tail;
    }

    /** Nothing more is recorded. Those who read along get the rest, and then hear of the end. */
    public void end() {
        point.remove(this);
        tap.end();
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
