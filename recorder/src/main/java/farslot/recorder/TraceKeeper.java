package farslot.recorder;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/**
 * What a trace needs done behind the backs of those who record: windows made before they are
 * needed, blocks sealed, everything forced to the disk at times. Two threads of its own, of which
 * the second is there only where a trace is to be forced at times: that may take long.
 */
final class TraceKeeper {
    private static final int LEAST_AHEAD = 2;

    /** As long as much is recorded, it looks that often: a wake-up for each block would cost. */
    private static final long PACE_NANOS = 2_000_000;

    /** A full disk may have room again. */
    private static final long RETRY_NANOS = 500_000_000;

    private final RecordRoom room;
    private final TraceStore store;
    private final long forceMillis;
    private final Thread thread =
            Thread.ofPlatform().daemon().name("trace-keeper").unstarted(this::keep);
    private final Thread forcer =
            Thread.ofPlatform().daemon().name("trace-forcer").unstarted(this::force);
    private long made;
    private int ahead;
    private volatile long wanted;
    private volatile boolean idle;
    private volatile boolean stopped;
    private volatile String stuck;

    TraceKeeper(RecordRoom room, TraceStore store, long forceMillis) {
        this.room = room;
        this.store = store;
        this.forceMillis = forceMillis;
        this.ahead = Math.min(LEAST_AHEAD, store.mostAhead());
    }

    /**
     * Makes the first window, and goes on by itself.
     *
     * @throws IOException where not even the first can be made
     */
    void start() throws IOException {
        grow();
        thread.start();
        if (forceMillis > 0) {
            forcer.start();
        }
    }

    /** Why there is no room now, or null: then there will be. */
    String stuck() {
        return stuck;
    }

    /** Looks whether there is something to do. Any thread, often. */
    void nudge() {
        if (idle) {
            idle = false;
            LockSupport.unpark(thread);
        }
    }

    /** Makes windows until there is room for so many records. */
    void want(long records) {
        if (wanted < records) { // where several want, one may want again
            wanted = records;
        }
        LockSupport.unpark(thread);
    }

    private void keep() {
        long seen = -1;
        while (!stopped) {
            long claimed = room.claimed();
            try {
                keepAhead(claimed);
                store.tend(TraceFormat.slotOfRecord(claimed));
                stuck = null;
            } catch (IOException e) {
                getStuck("its disk gives no more room (" + e.getMessage() + ")");
                continue;
            } catch (RuntimeException | Error e) {
                getStuck("it cannot grow (" + e + ")");
                continue;
            }
            if (claimed != seen) {
                LockSupport.parkNanos(this, PACE_NANOS);
            } else {
                rest(claimed);
            }
            seen = claimed;
        }
    }

    private void rest(long claimed) {
        idle = true;
        if (room.claimed() == claimed && wanted <= room.ready() && !stopped) {
            LockSupport.park(this);
        }
        idle = false;
    }

    private void getStuck(String why) {
        stuck = why;
        room.supplied();
        LockSupport.parkNanos(this, RETRY_NANOS);
    }

    private void keepAhead(long claimed) throws IOException {
        long current = windowOf(claimed);
        if (made > LEAST_AHEAD && current + 1 >= made) {
            ahead = Math.min(2 * ahead, store.mostAhead()); // it comes faster than it is made
        }
        while (!stopped
                && recordsIn(made) < store.mostRecords()
                && made <= Math.max(windowOf(room.claimed()) + ahead, windowOf(wanted))) {
            grow();
        }
    }

    private void grow() throws IOException {
        Window window = store.grow(made, room::drop);
        made++;
        // One is kept back, to say at the end what was lost.
        room.supply(window, Math.min(recordsIn(made), store.mostRecords()) - 1);
    }

    private long windowOf(long record) {
        return TraceFormat.slotOfRecord(record) * TraceFormat.RECORD_BYTES / store.windowBytes();
    }

    private long recordsIn(long windows) {
        return windows * store.windowBytes() / TraceFormat.BLOCK_BYTES * TraceFormat.BLOCK_RECORDS;
    }

    private void force() {
        while (!stopped) {
            LockSupport.parkNanos(this, forceMillis * 1_000_000);
            try {
                store.force();
            } catch (IOException e) {
                stuck = "its disk does not take it (" + e.getMessage() + ")";
            }
        }
    }

    /** Ends both threads, and waits for that. */
    void stop() {
        stopped = true;
        end(thread);
        end(forcer);
    }

    private static void end(Thread thread) {
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
