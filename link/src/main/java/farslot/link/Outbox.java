package farslot.link;

import farslot.link.Messages.Header;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The frames on their way out. Whoever sends composes under the lock; one of the senders writes,
 * without the lock, what all have composed meanwhile, so small frames share system calls when the
 * wire is busy and wait for nothing when it is not. A sender that posts faster than a system call
 * for each would allow leaves the writing to a thread for that.
 *
 * <p>Bounded: a sender waits for room while the peer does not read, and for credits before that.
 */
final class Outbox {
    /** Room for one longest frame behind what already waits. */
    private static final int MOST_BYTES = Messages.MAX_FRAME_BYTES + 0x40000;

    private static final int FIRST_BYTES = 0x4000;

    /** How much is written in one call, so that progress is seen. */
    private static final int PIECE_BYTES = 0x20000;

    /** A write of this size may wait for the peer to read, so somebody should read here. */
    private static final int LONG_WRITE_BYTES = 0x20000;

    /** From here on data are not copied to be written. */
    private static final int LONG_DATA_BYTES = 0x4000;

    /** Posted frames that follow each other faster than this make a burst. */
    private static final long BURST_NANOS = 20_000;

    /** So many of a burst go out one by one, as alone; the writer gathers the rest. */
    private static final int ALONE_POSTS = 4;

    /** What is zeroed of a frame before its fields are set: more than any fixed part. */
    private static final int ZEROED_BYTES = 0x80;

    private final Wire wire;
    private final Connection connection;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition room = lock.newCondition();
    private final Condition work = lock.newCondition();
    private MemorySegment filling = Arena.ofAuto().allocate(FIRST_BYTES + 8, 8);
    private MemorySegment spare = Arena.ofAuto().allocate(FIRST_BYTES + 8, 8);
    private int filled;
    private int composing;
    private boolean composingPosted;

    /** Who has a long frame and waits for the wire; then it writes what has gathered too. */
    private int longWaiting;

    private boolean writing;
    private boolean closed;
    private boolean broken;

    /** Posted frames in a row, each soon after the one before. */
    private int burst;

    /** Writes what a burst leaves behind; made for the first one. */
    private Thread writer;

    private boolean writerIdle;

    private final long[] usedFrames = new long[4];
    private final long[] usedBytes = new long[4];
    private final long[] frameLimits = new long[4];
    private final long[] byteLimits = new long[4];

    private volatile long sequence;
    private volatile long lastSentNanos = System.nanoTime();
    private volatile long writingSinceNanos;
    private volatile boolean isWriting;

    Outbox(Wire wire, Connection connection) {
        this.wire = wire;
        this.connection = connection;
    }

    /** The number of the last frame composed. */
    long sequence() {
        return sequence;
    }

    long lastSentNanos() {
        return lastSentNanos;
    }

    /** For how long a write has made no progress; 0 where none is under way. */
    long blockedNanos(long now) {
        return isWriting ? now - writingSinceNanos : 0;
    }

    /**
     * The peer's credits: totals since the link began, of which only growth counts.
     *
     * @param offset where HELLO or CREDIT has them: frames and bytes of each class in turn
     */
    void credit(MemorySegment frame, long at, int offset) {
        lock.lock();
        try {
            for (int trafficClass = Messages.POSTED; trafficClass < 4; trafficClass++) {
                int place = offset + 16 * (trafficClass - Messages.POSTED);
                long frames = new Field("frames", place, 8).get(frame, at);
                long bytes = new Field("bytes", place + 8, 8).get(frame, at);
                if (Long.compareUnsigned(frames, frameLimits[trafficClass]) > 0) {
                    frameLimits[trafficClass] = frames;
                }
                if (Long.compareUnsigned(bytes, byteLimits[trafficClass]) > 0) {
                    byteLimits[trafficClass] = bytes;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    boolean hasCredit(int trafficClass, int length) {
        lock.lock();
        try {
            return hasCreditLocked(trafficClass, length);
        } finally {
            lock.unlock();
        }
    }

    private boolean hasCreditLocked(int trafficClass, int length) {
        if (trafficClass == Messages.LINK) {
            return true;
        }
        long bytes = usedBytes[trafficClass] + length;
        return Long.compareUnsigned(usedFrames[trafficClass], frameLimits[trafficClass]) < 0
                && Long.compareUnsigned(bytes, byteLimits[trafficClass]) <= 0;
    }

    /** The preamble, before the first frame. */
    void preamble(byte[] bytes) {
        lock.lock();
        try {
            MemorySegment.copy(bytes, 0, filling, ValueLayout.JAVA_BYTE, filled, bytes.length);
            filled += bytes.length;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Begins a frame: waits for credits and room, and holds the lock until {@link #end}. The fixed
     * part is zero but for the header.
     *
     * @param flags the traffic class and {@link Header#MORE}
     * @return where it begins in {@link #memory}, or -1 (and no lock) where the link has ended
     */
    int begin(int type, int flags, int generation, int tag, int length) {
        return begin(type, flags, generation, tag, length, 0);
    }

    /** As the other; -1 also where no credit came until the deadline, 0 for none. */
    @SuppressWarnings("LockNotBeforeTry") // Held until end(), that is how a frame is composed.
    int begin(int type, int flags, int generation, int tag, int length, long deadlineNanos) {
        int trafficClass = flags & Header.CLASS_MASK;
        lock.lock();
        while (!closed && !broken) {
            if (!hasCreditLocked(trafficClass, length)) {
                if (!awaitCredit(trafficClass, length, deadlineNanos)) {
                    break;
                }
            } else if (filled > 0 && filled + length > MOST_BYTES) {
                if (!writing) {
                    drain();
                } else {
                    room.awaitUninterruptibly();
                }
            } else {
                return compose(type, flags, generation, tag, length);
            }
        }
        lock.unlock();
        return -1;
    }

    /** Waits for credit, without the lock; what uses up credits must be on its way then. */
    private boolean awaitCredit(int trafficClass, int length, long deadlineNanos) {
        if (!writing) {
            drain();
        }
        lock.unlock();
        try {
            return connection.awaitCredit(trafficClass, length, deadlineNanos);
        } finally {
            lock.lock();
        }
    }

    /** Whether so much data is better sent by {@link #beginLong} and {@link #endLong}. */
    static boolean isLong(MemorySegment data) {
        return data.byteSize() >= LONG_DATA_BYTES && data.isNative();
    }

    /**
     * Begins a frame whose data will be written from where they are: waits for the wire too. Only
     * the fixed part is composed.
     *
     * @param length of the fixed part
     * @param dataLength of the data behind it
     * @return as {@link #begin}
     */
    @SuppressWarnings("LockNotBeforeTry") // Held until endLong().
    int beginLong(int type, int flags, int generation, int tag, int length, long dataLength) {
        int trafficClass = flags & Header.CLASS_MASK;
        int whole = (int) (length + dataLength);
        lock.lock();
        while (!closed && !broken) {
            if (!hasCreditLocked(trafficClass, whole)) {
                if (!awaitCredit(trafficClass, whole, 0)) {
                    break;
                }
            } else if (writing) {
                longWaiting++;
                room.awaitUninterruptibly();
                longWaiting--;
            } else {
                int at = compose(type, flags, generation, tag, length);
                Header.LENGTH.set(filling, at, whole);
                usedBytes[trafficClass] += dataLength;
                return at;
            }
        }
        if (filled > 0 && !writing) {
            drain();
        }
        lock.unlock();
        return -1;
    }

    /** Ends the frame that {@link #beginLong} began; it is on its way when this returns. */
    void endLong(MemorySegment data) {
        try {
            finish();
            writeFilled(-1, data);
            drain();
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #begin}, for the frame that a descriptor rides on: nothing may go with it. */
    int beginAlone(int type, int flags, int generation, int tag, int length) {
        while (true) {
            int at = begin(type, flags, generation, tag, length);
            if (at < 0 || (at == 0 && !writing)) {
                return at;
            }
            uncompose(flags & Header.CLASS_MASK, length);
            if (writing) {
                room.awaitUninterruptibly();
            } else {
                drain();
            }
            lock.unlock();
        }
    }

    private int compose(int type, int flags, int generation, int tag, int length) {
        int trafficClass = flags & Header.CLASS_MASK;
        usedFrames[trafficClass]++;
        usedBytes[trafficClass] += length;
        ensure(filled + length);
        int at = filled;
        composing = length;
        composingPosted = trafficClass == Messages.POSTED;
        for (int zeroed = 0; zeroed < length && zeroed < ZEROED_BYTES; zeroed += 8) {
            filling.set(ValueLayout.JAVA_LONG_UNALIGNED, at + zeroed, 0);
        }
        Header.LENGTH.set(filling, at, length);
        Header.TYPE.set(filling, at, type);
        Header.FLAGS.set(filling, at, flags);
        Header.GENERATION.set(filling, at, generation);
        Header.TAG.set(filling, at, tag);
        Header.SEQUENCE.set(filling, at, sequence + 1);
        Header.ACKNOWLEDGED.set(filling, at, connection.received());
        return at;
    }

    private void uncompose(int trafficClass, int length) {
        usedFrames[trafficClass]--;
        usedBytes[trafficClass] -= length;
        composing = 0;
    }

    private void ensure(int bytes) {
        if (filling.byteSize() >= bytes + 8) {
            return;
        }
        long size = filling.byteSize();
        while (size < bytes + 8) {
            size *= 2;
        }
        MemorySegment grown = Arena.ofAuto().allocate(size, 8);
        MemorySegment.copy(filling, 0, grown, 0, filled);
        filling = grown;
    }

    /** Where the frame that was begun is composed. */
    MemorySegment memory() {
        return filling;
    }

    /** Ends the frame and gives the lock back; flushed, it is on its way when this returns. */
    void end(boolean flush) {
        try {
            finish();
            if (flush && !writing) {
                if (burst > ALONE_POSTS) {
                    leaveToWriter();
                } else {
                    drain();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends the frame that {@link #beginAlone} began, with its descriptor. */
    void endWith(int descriptor) {
        try {
            Header.DESCRIPTORS.set(filling, 0, 1);
            finish();
            writeFilled(descriptor, null);
            drain();
        } finally {
            lock.unlock();
        }
    }

    private void finish() {
        filled += composing;
        composing = 0;
        // Written under the lock alone; others only look.
        long next = sequence + 1;
        sequence = next;
        long now = System.nanoTime();
        burst = composingPosted && now - lastSentNanos < BURST_NANOS ? burst + 1 : 0;
        lastSentNanos = now;
    }

    /** Who posts so fast goes on composing while another thread writes, many frames at a time. */
    private void leaveToWriter() {
        if (writer == null) {
            writer =
                    Thread.ofPlatform()
                            .daemon(true)
                            .name("farslot-write-" + connection.label())
                            .start(this::writeLoop);
        } else if (writerIdle) {
            writerIdle = false;
            work.signal();
        }
    }

    private void writeLoop() {
        lock.lock();
        try {
            while (!closed && !broken) {
                if (filled > 0 && !writing && longWaiting == 0) {
                    drain();
                } else {
                    writerIdle = true;
                    work.awaitUninterruptibly();
                    writerIdle = false;
                }
            }
        } finally {
            lock.unlock();
        }
    }

    void flush() {
        lock.lock();
        try {
            if (!writing) {
                drain();
            }
        } finally {
            lock.unlock();
        }
    }

    private void drain() {
        while (filled > 0 && !broken) {
            writeFilled(-1, null);
            if (longWaiting > 0) {
                return; // It takes along what has gathered meanwhile.
            }
        }
    }

    /** Writes what has gathered, and {@code data} behind it. */
    private void writeFilled(int descriptor, MemorySegment data) {
        MemorySegment full = filling;
        int length = filled;
        filling = spare;
        spare = null;
        filled = 0;
        writing = true;
        writingSinceNanos = System.nanoTime();
        isWriting = true;
        lock.unlock();
        IOException failed = null;
        try {
            write(full, length, descriptor, data);
        } catch (IOException e) {
            failed = e;
        } finally {
            lock.lock();
            isWriting = false;
            writing = false;
            spare = full;
            room.signalAll();
        }
        if (failed != null && !broken) {
            broken = true;
            filled = 0;
            connection.writeFailed();
        }
    }

    private void write(MemorySegment from, int length, int descriptor, MemorySegment data)
            throws IOException {
        long all = length + (data == null ? 0 : data.byteSize());
        if (all >= LONG_WRITE_BYTES) {
            connection.standIn();
        }
        if (data != null) {
            long first = Math.min(PIECE_BYTES, data.byteSize());
            wire.write(from.asSlice(0, length), data.asSlice(0, first));
            writePieces(data, first, data.byteSize());
            return;
        }
        if (descriptor >= 0) {
            wire.writeWith(from.asSlice(0, length), descriptor);
            return;
        }
        writePieces(from, 0, length);
    }

    private void writePieces(MemorySegment from, long begin, long end) throws IOException {
        for (long at = begin; at < end; at += PIECE_BYTES) {
            writingSinceNanos = System.nanoTime();
            wire.write(from.asSlice(at, Math.min(PIECE_BYTES, end - at)));
        }
        writingSinceNanos = System.nanoTime();
    }

    /** Nothing more is taken; who waits for room goes away. */
    void close() {
        lock.lock();
        try {
            closed = true;
            work.signalAll();
            room.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The last frame, after {@link #close}: as far as the peer still takes it. */
    void lastWords(int type, byte[] payload) {
        lock.lock();
        try {
            int length = Header.BYTES + payload.length;
            if (broken || filled + length > MOST_BYTES) {
                return;
            }
            int at = compose(type, Messages.LINK, 0, 0, length);
            int place = at + Header.BYTES;
            MemorySegment.copy(payload, 0, filling, ValueLayout.JAVA_BYTE, place, payload.length);
            finish();
            // Who writes at this moment takes it along; the wire must not be shut before that.
            long left = Connection.LAST_WORDS_NANOS;
            while (writing && left > 0) {
                left = room.awaitNanos(left);
            }
            if (!writing) {
                drain();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }
}
