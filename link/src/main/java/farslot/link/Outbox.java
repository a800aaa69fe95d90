package farslot.link;

import farslot.link.Messages.Header;
import farslot.link.Messages.MapMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The frames on their way out. Whoever sends composes under the lock; one of the senders writes,
 * without the lock, what all have composed meanwhile, so small frames share system calls when the
 * wire is busy and wait for nothing when it is not. A sender that posts faster than a system call
 * for each would allow leaves the writing to a thread for that.
 *
 * <p>Where the link can be resumed ({@link #keep}) frames stay until the peer has acknowledged
 * them. Without a wire ({@link #detach}) they are composed all the same, and written to the next.
 *
 * <p>Bounded: a sender waits for room while the peer does not read, and for credits before that.
 * What is kept is bounded too, and the bound ends the link.
 */
final class Outbox {
    /** Room for one longest frame behind what already waits. */
    private static final int MOST_BYTES = Messages.MAX_FRAME_BYTES + 0x40000;

    /** How much is written in one call, so that progress is seen. */
    private static final int PIECE_BYTES = SentFrames.CHUNK_BYTES;

    /** A write of this size may wait for the peer to read, so somebody should read here. */
    private static final int LONG_WRITE_BYTES = 0x20000;

    /** From here on a frame is worth a system call of its own. */
    static final int LONG_DATA_BYTES = 0x4000;

    /** Posted frames that follow each other faster than this make a burst. */
    private static final long BURST_NANOS = 20_000;

    /** So many of a burst go out one by one, as alone; the writer gathers the rest. */
    private static final int ALONE_POSTS = 4;

    /** What is zeroed of a frame before its fields are set: more than any fixed part. */
    private static final int ZEROED_BYTES = 0x80;

    private final Connection connection;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition room = lock.newCondition();
    private final Condition work = lock.newCondition();
    private final SentFrames log = new SentFrames();
    private int composing;
    private boolean composingPosted;

    /** Replaced under the lock, while nobody writes. */
    private Wire wire;

    private boolean writing;
    private boolean closed;

    /** Nothing can be written: until there is another wire, if that can be. */
    private boolean broken;

    /** Posted frames in a row, each soon after the one before. */
    private int burst;

    /** Writes what a burst leaves behind; made for the first one. */
    private Thread writer;

    private boolean writerIdle;

    /** A write failed: the peer may have a part of a frame. */
    private boolean halfWritten;

    private final long[] usedFrames = new long[4];
    private final long[] usedBytes = new long[4];
    private final long[] frameLimits = new long[4];
    private final long[] byteLimits = new long[4];

    private volatile long sequence;

    /** What the peer has acknowledged; set by who reads. */
    private volatile long acknowledged;

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

    /** The number of the last frame that the peer is known to have. */
    long acknowledged() {
        return acknowledged;
    }

    /** The peer has all frames up to this number. One thread at a time. */
    void acknowledged(long number) {
        if (Long.compareUnsigned(number, acknowledged) > 0) {
            acknowledged = number;
        }
    }

    /** From now on frames stay until they are acknowledged. */
    void keep() {
        lock.lock();
        try {
            log.keep();
        } finally {
            lock.unlock();
        }
    }

    /** The link cannot be resumed after all. */
    void keepNothing() {
        lock.lock();
        try {
            log.keepNothing();
        } finally {
            lock.unlock();
        }
    }

    /** The wire broke: what is composed waits for the next. */
    void detach() {
        lock.lock();
        try {
            broken = true;
            room.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Goes on over another wire, behind the last frame that the peer has; {@link #flush} begins.
     * Nobody writes any more ({@link #awaitQuiet}).
     */
    void attach(Wire next, long received) {
        lock.lock();
        try {
            acknowledged(received);
            log.rewind(received);
            log.prune(received);
            wire = next;
            broken = false;
            halfWritten = false;
        } finally {
            lock.unlock();
        }
    }

    /** All that another process needs to go on; after {@link #detach}, when nobody writes. */
    void save(Composer to) {
        lock.lock();
        try {
            to.u64(acknowledged);
            log.save(to, acknowledged);
            for (long[] counts : List.of(usedFrames, usedBytes, frameLimits, byteLimits)) {
                for (int trafficClass = Messages.POSTED; trafficClass < 4; trafficClass++) {
                    to.u64(counts[trafficClass]);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Before anything else is done. */
    void restore(Cursor from) throws BrokenFrameException {
        broken = true;
        acknowledged = from.u64();
        sequence = log.restore(from, acknowledged);
        for (long[] counts : List.of(usedFrames, usedBytes, frameLimits, byteLimits)) {
            for (int trafficClass = Messages.POSTED; trafficClass < 4; trafficClass++) {
                counts[trafficClass] = from.u64();
            }
        }
    }

    /** Waits until nobody writes, after {@link #detach} or {@link #close}. */
    void awaitQuiet() {
        lock.lock();
        try {
            while (writing) {
                room.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /** As the other, for so long; true where nobody writes and all that was written was whole. */
    boolean awaitQuiet(long nanos) {
        lock.lock();
        try {
            long left = nanos;
            while (writing && left > 0) {
                left = room.awaitNanos(left);
            }
            return !writing && !halfWritten;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes what is left, after {@link #close}, and gives the wire up.
     *
     * @return whether all of it was written
     */
    boolean surrender() {
        lock.lock();
        try {
            awaitQuiet();
            drain();
            boolean all = !broken;
            broken = true;
            return all;
        } finally {
            lock.unlock();
        }
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
            log.reserve(bytes.length);
            MemorySegment to = log.memory();
            MemorySegment.copy(bytes, 0, to, ValueLayout.JAVA_BYTE, log.end(), bytes.length);
            log.add(bytes.length, 0);
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
        lock.lock();
        if (awaitTurn(flags & Header.CLASS_MASK, length, deadlineNanos)) {
            log.reserve(length);
            return compose(type, flags, generation, tag, length);
        }
        lock.unlock();
        return -1;
    }

    /** Waits for credits and room, under the lock; false where the frame cannot be sent. */
    private boolean awaitTurn(int trafficClass, int length, long deadlineNanos) {
        while (!closed && (!broken || log.isKeeping())) {
            log.prune(acknowledged);
            if (!hasCreditLocked(trafficClass, length)) {
                if (!awaitCredit(trafficClass, length, deadlineNanos)) {
                    return false;
                }
            } else if (log.isKeeping() && log.bytes() + length > SentFrames.MOST_BYTES) {
                lock.unlock();
                try {
                    connection.keptTooMuch();
                } finally {
                    lock.lock();
                }
                return false;
            } else if (!broken && log.unwritten() > 0 && log.unwritten() + length > MOST_BYTES) {
                if (!writing) {
                    drain();
                } else {
                    room.awaitUninterruptibly();
                }
            } else {
                return true;
            }
        }
        return false;
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

    /** Whether so much data are better put into {@link #reserve}d memory at once. */
    static boolean isLong(long dataBytes) {
        return dataBytes >= LONG_DATA_BYTES;
    }

    /**
     * Memory for a frame that is made before it is its turn: all behind the header, without any
     * lock. It must be sent.
     */
    SentFrames.Chunk reserve(int length) {
        lock.lock();
        try {
            return log.chunk(length);
        } finally {
            lock.unlock();
        }
    }

    /** Sends a frame that was made in {@link #reserve}d memory; false where the link has ended. */
    boolean send(SentFrames.Chunk made, int type, int flags, int generation, int tag, int length) {
        lock.lock();
        try {
            if (!awaitTurn(flags & Header.CLASS_MASK, length, 0)) {
                return false;
            }
            log.append(made);
            composeHeader(type, flags, generation, tag, length);
            finish();
            if (!writing) {
                drain();
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #begin}, for the frame that a descriptor rides on: nothing may go with it. */
    int beginAlone(int type, int flags, int generation, int tag, int length) {
        while (true) {
            int at = begin(type, flags, generation, tag, length);
            if (at < 0 || broken || (log.unwritten() == 0 && !writing)) {
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
        MemorySegment memory = log.memory();
        int at = log.end();
        for (int zeroed = Header.BYTES; zeroed < length && zeroed < ZEROED_BYTES; zeroed += 8) {
            memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at + zeroed, 0);
        }
        composeHeader(type, flags, generation, tag, length);
        return at;
    }

    private void composeHeader(int type, int flags, int generation, int tag, int length) {
        int trafficClass = flags & Header.CLASS_MASK;
        usedFrames[trafficClass]++;
        usedBytes[trafficClass] += length;
        composing = length;
        composingPosted = trafficClass == Messages.POSTED && length < LONG_DATA_BYTES;
        MemorySegment memory = log.memory();
        int at = log.end();
        Header.LENGTH.set(memory, at, length);
        Header.TYPE.set(memory, at, type);
        Header.FLAGS.set(memory, at, flags);
        Header.DESCRIPTORS.set(memory, at, 0);
        Header.GENERATION.set(memory, at, generation);
        Header.TAG.set(memory, at, tag);
        Header.SEQUENCE.set(memory, at, sequence + 1);
        Header.ACKNOWLEDGED.set(memory, at, connection.received());
    }

    private void uncompose(int trafficClass, int length) {
        usedFrames[trafficClass]--;
        usedBytes[trafficClass] -= length;
        composing = 0;
    }

    /** Where the frame that was begun is composed. */
    MemorySegment memory() {
        return log.memory();
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
            MemorySegment memory = log.memory();
            int at = log.end();
            Header.DESCRIPTORS.set(memory, at, 1);
            finish();
            if (!broken) {
                writeSome(descriptor);
            }
            // Should it be repeated, then without: a map by messages.
            Header.DESCRIPTORS.set(memory, at, 0);
            MapMemory.DESCRIPTOR_OFFSET.set(memory, at, 0);
            drain();
        } finally {
            lock.unlock();
        }
    }

    private void finish() {
        // Written under the lock alone; others only look.
        long next = sequence + 1;
        sequence = next;
        log.add(composing, next);
        composing = 0;
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
            while (!closed) {
                if (log.unwritten() > 0 && !writing && !broken) {
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

    /** Gives back memory that a busy time has left behind; called where nothing is sent. */
    void tidy() {
        lock.lock();
        try {
            log.prune(acknowledged);
            log.shrink();
        } finally {
            lock.unlock();
        }
    }

    private void drain() {
        while (log.unwritten() > 0 && !broken) {
            writeSome(-1);
        }
    }

    /** Writes what has gathered in one chunk. */
    private void writeSome(int descriptor) {
        SentFrames.Chunk chunk = log.toWrite();
        int begin = chunk.written();
        int end = chunk.filled();
        Wire to = wire;
        writing = true;
        writingSinceNanos = System.nanoTime();
        isWriting = true;
        lock.unlock();
        IOException failed = null;
        try {
            write(to, chunk.memory(), begin, end, descriptor);
        } catch (IOException e) {
            failed = e;
        } finally {
            lock.lock();
            isWriting = false;
            writing = false;
            room.signalAll();
        }
        halfWritten = failed != null;
        if (failed == null) {
            log.wrote(chunk, end);
        } else if (!broken) {
            broken = true;
            if (!log.isKeeping()) {
                log.clear();
            }
            connection.writeFailed();
        }
    }

    private void write(Wire to, MemorySegment from, int begin, int end, int descriptor)
            throws IOException {
        if (end - begin >= LONG_WRITE_BYTES) {
            connection.standIn();
        }
        if (descriptor >= 0) {
            to.writeWith(from.asSlice(begin, end - begin), descriptor);
            return;
        }
        for (int at = begin; at < end; at += PIECE_BYTES) {
            writingSinceNanos = System.nanoTime();
            to.write(from.asSlice(at, Math.min(PIECE_BYTES, end - at)));
        }
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
            if (broken || log.unwritten() + length > MOST_BYTES) {
                return;
            }
            log.reserve(length);
            int at = compose(type, Messages.LINK, 0, 0, length);
            MemorySegment to = log.memory();
            int place = at + Header.BYTES;
            MemorySegment.copy(payload, 0, to, ValueLayout.JAVA_BYTE, place, payload.length);
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
