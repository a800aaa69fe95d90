package farslot.link;

import farslot.link.Messages.Header;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;

/**
 * The frames that this side has composed and may still need: those that are not written yet, and,
 * where the link can be resumed, those that the peer has not acknowledged. They lie in chunks of
 * memory, one frame behind the other. Guarded by the outbox's lock; what was composed stays where
 * it is, so that one thread can write it without the lock.
 *
 * <p>While nothing is kept the first chunk is used from its begin again and again, so a link whose
 * sides take turns stays in the same few lines of cache.
 */
final class SentFrames {
    /**
     * What may be kept in all; credits bound it to less where the peer gives as many as Farslot.
     */
    static final long MOST_BYTES = 0x1000000;

    private static final int FIRST_BYTES = 0x4000;

    /** Two pieces of DMA, and some more. */
    static final int CHUNK_BYTES = 0x21000;

    /** Chunks that are used again: as many as a DMA write at full speed has under way. */
    private static final int MOST_SPARE = 40;

    /** Chunks for one longest frame that are used again: as many as credit is given for. */
    private static final int MOST_LONG_SPARE = 5;

    /** A piece of memory with whole frames. */
    static final class Chunk {
        private final MemorySegment memory;
        private int filled;
        private int written;

        /** The number of the last frame in it. */
        private long last;

        /** Whether what is in it must be acknowledged before it is forgotten. */
        private boolean kept;

        private Chunk next;

        private Chunk(int bytes) {
            // Frames are zeroed by whole words.
            memory = Arena.ofAuto().allocate(bytes + 8L, 8);
        }

        MemorySegment memory() {
            return memory;
        }

        int filled() {
            return filled;
        }

        int written() {
            return written;
        }

        private int size() {
            return (int) memory.byteSize() - 8;
        }

        private int room() {
            return size() - filled;
        }
    }

    private final ArrayDeque<Chunk> spares = new ArrayDeque<>();
    private final ArrayDeque<Chunk> longSpares = new ArrayDeque<>();
    private Chunk first = new Chunk(FIRST_BYTES);

    /** The first that may have something unwritten. */
    private Chunk writing = first;

    /** Where frames are composed. */
    private Chunk last = first;

    private boolean keeping;
    private long bytes;
    private long unwritten;

    /** From now on what is composed is kept until it is acknowledged. */
    void keep() {
        keeping = true;
        if (last.filled == 0) {
            last.kept = true;
        } else {
            append(new Chunk(FIRST_BYTES));
        }
    }

    /** Nothing is kept any more: what is written is forgotten. */
    void keepNothing() {
        keeping = false;
        for (Chunk chunk = first; chunk != null; chunk = chunk.next) {
            chunk.kept = false;
        }
    }

    boolean isKeeping() {
        return keeping;
    }

    /** How many bytes are in it. */
    long bytes() {
        return bytes;
    }

    long unwritten() {
        return unwritten;
    }

    /** Forgets what is written and, where that matters, acknowledged up to this number. */
    void prune(long acknowledged) {
        while (first.written == first.filled
                && (!first.kept || Long.compareUnsigned(first.last, acknowledged) <= 0)) {
            bytes -= first.filled;
            first.filled = 0;
            first.written = 0;
            first.kept = keeping;
            if (first == last) {
                return;
            }
            Chunk free = first;
            first = free.next;
            free.next = null;
            if (writing == free) {
                writing = first;
            }
            spare(free);
        }
    }

    private void spare(Chunk free) {
        if (free.size() == CHUNK_BYTES && spares.size() < MOST_SPARE) {
            spares.push(free);
        } else if (free.size() > CHUNK_BYTES && longSpares.size() < MOST_LONG_SPARE) {
            longSpares.push(free);
        }
    }

    /** Gives back memory that a busy time has left behind. */
    void shrink() {
        if (bytes > 0) {
            return;
        }
        spares.clear();
        longSpares.clear();
        if (last.size() > FIRST_BYTES) {
            first = new Chunk(FIRST_BYTES);
            first.kept = keeping;
            writing = first;
            last = first;
        }
    }

    /** Makes room for the next frame; {@link #memory} and {@link #end} say where. */
    void reserve(int length) {
        if (last.room() < length) {
            append(chunk(length));
        }
    }

    /** A chunk of its own, for a frame that is made without the lock. */
    Chunk chunk(int length) {
        boolean isLong = length > CHUNK_BYTES;
        Chunk spare = isLong ? longSpares.poll() : spares.poll();
        if (spare != null) {
            return spare;
        }
        return new Chunk(isLong ? Messages.MAX_FRAME_BYTES : CHUNK_BYTES);
    }

    /** Composes the next frames in this chunk, behind all that are there. */
    void append(Chunk chunk) {
        chunk.kept = keeping;
        if (bytes == 0) {
            spare(last);
            first = chunk;
            writing = chunk;
        } else {
            last.next = chunk;
        }
        last = chunk;
    }

    MemorySegment memory() {
        return last.memory;
    }

    /** Where in {@link #memory} the next frame begins. */
    int end() {
        return last.filled;
    }

    /** The next frame is complete. */
    void add(int length, long sequence) {
        last.filled += length;
        last.last = sequence;
        bytes += length;
        unwritten += length;
    }

    /** The first chunk with something to write; asked only where there is something. */
    Chunk toWrite() {
        while (writing.written == writing.filled) {
            writing = writing.next;
        }
        return writing;
    }

    /** Everything of a chunk before {@code end} is written. */
    void wrote(Chunk chunk, int end) {
        unwritten -= end - chunk.written;
        chunk.written = end;
    }

    /** Forgets everything. */
    void clear() {
        first = last;
        first.filled = 0;
        first.written = 0;
        writing = first;
        bytes = 0;
        unwritten = 0;
    }

    /** The frames behind this one, for another process. */
    void save(Composer to, long acknowledged) {
        Composer frames = new Composer();
        for (Chunk chunk = first; chunk != null; chunk = chunk.next) {
            int at = 0;
            while (chunk.kept && at < chunk.filled) {
                int length = Header.LENGTH.getInt(chunk.memory, at);
                if (Long.compareUnsigned(Header.SEQUENCE.get(chunk.memory, at), acknowledged) > 0) {
                    MemorySegment frame = chunk.memory.asSlice(at, length);
                    frames.bytes(frame.toArray(ValueLayout.JAVA_BYTE));
                }
                at += length;
            }
        }
        to.u32(frames.length()).bytes(frames.toBytes());
    }

    /**
     * Keeps what another process kept.
     *
     * @param acknowledged the frame before the first
     * @return the number of the last
     */
    long restore(Cursor from, long acknowledged) throws BrokenFrameException {
        keep();
        long left = from.u32();
        long sequence = acknowledged;
        while (left > 0 && bytes <= MOST_BYTES) {
            MemorySegment frame = from.frame();
            int length = (int) frame.byteSize();
            sequence++;
            left -= length;
            if (Header.SEQUENCE.get(frame, 0) != sequence || left < 0) {
                throw Messages.bad(Header.TYPE.getInt(frame, 0), "it is not the next frame");
            }
            reserve(length);
            MemorySegment.copy(frame, 0, memory(), end(), length);
            add(length, sequence);
        }
        return sequence;
    }

    /** To be written again, from the frame behind this one on. */
    void rewind(long received) {
        unwritten = 0;
        for (Chunk chunk = first; chunk != null; chunk = chunk.next) {
            int at = 0;
            if (Long.compareUnsigned(chunk.last, received) <= 0) {
                at = chunk.filled;
            } else {
                while (at < chunk.filled
                        && Long.compareUnsigned(Header.SEQUENCE.get(chunk.memory, at), received)
                                <= 0) {
                    at += Header.LENGTH.getInt(chunk.memory, at);
                }
            }
            chunk.written = at;
            unwritten += chunk.filled - at;
        }
        writing = first;
    }
}
