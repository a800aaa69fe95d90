package farslot.watch;

import farslot.link.ControlLink;
import farslot.link.FollowRequest;
import farslot.link.LinkException;
import farslot.link.Peer;
import farslot.link.RecordSink;
import farslot.link.RefusedException;
import farslot.recorder.TraceCopy;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceTail;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A recording that is made elsewhere and kept here: followed over a control link into a trace file
 * of this process, which can be read while it grows.
 *
 * <p>Any thread may call.
 */
public final class RemoteTrace implements AutoCloseable {
    /**
     * How it stands.
     *
     * @param records that came, marks of what is missing among them
     * @param bytes of all files
     * @param missed records that were gone before they could come
     * @param lost events that the recorder itself had no room for
     */
    public record Figures(long records, long bytes, long missed, long lost) {}

    private final ControlLink link;
    private final TraceSeries copy;
    private final boolean isHere;
    private final CountDownLatch over = new CountDownLatch(1);

    /** Guarded by this, as the copy is. */
    private long lost;

    private long mostUnreadBytes = Long.MAX_VALUE;
    private long readBytes;

    /** Records that were not kept since one was. */
    private long skipped;

    private boolean unfollowed;
    private boolean full;
    private String why;
    private boolean orderly;
    private boolean brokenOff;
    private boolean closed;

    private RemoteTrace(ControlLink link, TraceSeries copy) {
        this.link = link;
        this.copy = copy;
        this.isHere = isHere(link.peer());
    }

    /**
     * Begins to follow.
     *
     * @param link closed with this, also where it fails
     * @param file to be made; must not exist
     * @param keep how long the file may become: then it goes on in another where there may be
     *     several, else it ends, in order; and how often it is forced to the disk
     * @throws RefusedException by the other side
     * @throws TraceException where the file cannot be made
     */
    public static RemoteTrace follow(
            ControlLink link, FollowRequest request, Path file, TraceOptions keep)
            throws RefusedException, LinkException, TraceException {
        boolean begun = false;
        try {
            TraceSeries series = TraceSeries.of(file, keep);
            ControlLink.Followed followed = link.follow(request);
            series.begin(followed.header());
            RemoteTrace trace = new RemoteTrace(link, series);
            if (keep.forceMillis() > 0) {
                Thread.ofVirtual().start(() -> trace.forceEach(keep.forceMillis()));
            }
            link.take(trace.new Sink(), lost -> trace.breakOff(lost.getMessage()));
            begun = true;
            return trace;
        } finally {
            if (!begun) {
                link.close();
            }
        }
    }

    /** What comes over the link. */
    private final class Sink implements RecordSink {
        @Override
        public boolean records(
                long first, long lostSoFar, boolean waitedFor, MemorySegment records) {
            return take(first, lostSoFar, waitedFor, records);
        }

        @Override
        public void ended(long end, long lostInAll, String sentence) {
            synchronized (RemoteTrace.this) {
                lost = lostInAll;
            }
            end(sentence, true);
        }
    }

    private synchronized boolean take(
            long first, long lostSoFar, boolean waitedFor, MemorySegment records) {
        lost = lostSoFar;
        if (closed || why != null) {
            return false;
        }
        try {
            if (isTooFarBehind(first, records)) {
                skipped += records.byteSize() / TraceTail.RECORD_BYTES;
                return !waitedFor;
            }
            skipped = 0;
            if (!full && !copy.put(first, records)) {
                full = true;
                // This is the link's own thread, which must take the answer.
                Thread.ofVirtual().start(this::stop);
            }
            if (waitedFor && !full && isHere) {
                copy.force();
            }
            // Behind the limit nothing is wanted, but no access is to believe that it is kept.
            return !full || !waitedFor;
        } catch (TraceException e) {
            end(e.getMessage(), false);
            return false;
        }
    }

    /** Whether what records may be on this computer: then only the disk outlives its end. */
    private static boolean isHere(Peer peer) {
        try {
            return peer.address().isEmpty()
                    || InetAddress.ofLiteral(peer.address()).isLoopbackAddress();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void forceEach(long millis) {
        try {
            while (!over.await(millis, TimeUnit.MILLISECONDS)) {
                copy.force();
            }
        } catch (TraceException e) {
            end(e.getMessage(), false);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Who records is lost. */
    private synchronized void breakOff(String sentence) {
        brokenOff = why == null;
        end(sentence, false);
    }

    private synchronized void end(String sentence, boolean inOrder) {
        if (why == null) {
            why = sentence;
            orderly = inOrder;
        }
        over.countDown();
    }

    /** The trace, which grows. */
    public Path file() {
        return copy.file();
    }

    /** How it stands at this moment. */
    public synchronized Figures figures() {
        return new Figures(copy.records(), copy.bytes(), copy.missed() + skipped, lost);
    }

    /**
     * From now on only so much is kept that is not read: what comes when there is more is missing,
     * and counted so.
     */
    public synchronized void keepUnread(long bytes) {
        mostUnreadBytes = bytes;
    }

    /** The file is read up to there. */
    public synchronized void readTo(long bytes) {
        readBytes = bytes;
    }

    /** Behind a gap it goes on with an event's beginning. */
    private boolean isTooFarBehind(long first, MemorySegment records) {
        boolean isNew = first >= copy.end();
        boolean far = copy.bytes() + records.byteSize() - readBytes > mostUnreadBytes;
        return isNew && (far || (skipped > 0 && !TraceCopy.isAtEvent(records)));
    }

    /** A link to who records, for what else is to be asked there. */
    public ControlLink link() {
        return link;
    }

    /**
     * Asks for no more than there is; it comes still, and then this is over. A recording that began
     * with this one ends. Again is harmless.
     */
    public void stop() {
        synchronized (this) {
            if (unfollowed || why != null) {
                return;
            }
            unfollowed = true;
        }
        try {
            link.unfollow();
        } catch (RefusedException | LinkException e) {
            breakOff(e.getMessage());
        }
    }

    /** Waits until nothing more comes; true where that is so. */
    public boolean awaitOver(long millis) throws InterruptedException {
        return over.await(millis, TimeUnit.MILLISECONDS);
    }

    /** Why nothing more comes; null as long as more may come. */
    public synchronized String why() {
        return full && why != null
                ? "The limit of " + copy.limitBytes() + " bytes is reached."
                : why;
    }

    /** Whether all came that was to come: by the other side's decision, or this one's. */
    public synchronized boolean isOrderly() {
        return orderly;
    }

    /**
     * Ends the link and the file; what has come is a whole trace. A mark at its end says so where
     * who recorded was lost before all of the recording had come.
     *
     * @throws TraceException where the file cannot be finished
     */
    @Override
    public void close() throws TraceException {
        link.close();
        synchronized (this) {
            if (!closed) {
                closed = true;
                try {
                    if (brokenOff) {
                        copy.brokenOff(why);
                    }
                    copy.lost(lost);
                } finally {
                    copy.close();
                }
            }
        }
    }
}
