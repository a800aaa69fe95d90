package farslot.link;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A recording of records that are their own numbers. It runs ahead of its follower by as many as
 * the test says, and forgets what is older than its ring.
 */
final class FakeFeed implements RecordFeed {
    static final ValueLayout.OfLong NUMBER = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final long PATIENCE_NANOS = 10_000_000;
    private final int ring;
    private final byte[] header;
    private long recorded;
    private long next;
    private boolean waitedFor;
    private String over;
    final BlockingQueue<Long> kept = new LinkedBlockingQueue<>();
    final CountDownLatch closed = new CountDownLatch(1);

    FakeFeed(int ring, int headerBytes) {
        this.ring = ring;
        header = new byte[headerBytes];
        for (int at = 0; at < headerBytes; at++) {
            header[at] = (byte) (at * 31);
        }
    }

    synchronized void record(long count) {
        recorded += count;
        notifyAll();
    }

    /** What comes next is waited for. */
    synchronized void waitFor() {
        waitedFor = true;
    }

    /** The first {@code count} records come again. */
    synchronized void repeat(int count) {
        next = -count;
        notifyAll();
    }

    synchronized void end(String why) {
        over = why;
        notifyAll();
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
    public synchronized Batch next(MemorySegment into) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (next >= recorded && over == null && System.nanoTime() - deadline < 0) {
            try {
                wait(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        long first = next;
        if (next < 0) {
            first = 0;
        } else {
            first = Math.max(first, recorded - ring);
        }
        long most = into.byteSize() / RECORD_BYTES;
        int count = (int) Math.min(next < 0 ? -next : recorded - first, most);
        for (int index = 0; index < count; index++) {
            into.set(NUMBER, (long) index * RECORD_BYTES, first + index);
        }
        next = next < 0 ? recorded : first + count;
        return new Batch(first, count, waitedFor);
    }

    @Override
    public synchronized long lost() {
        return recorded / 1000;
    }

    @Override
    public synchronized String over() {
        return next < recorded ? null : over;
    }

    @Override
    public synchronized long end() {
        return recorded;
    }

    @Override
    public void kept(long next) {
        kept.add(next);
    }

    @Override
    public void finish() {
        end("You wanted no more.");
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
