package farslot.posix;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/**
 * A piece of a file or of shared memory as memory of this process, shared with all who map it:
 * mmap(2). Owns its descriptor.
 *
 * <p>Any thread may use the segment. After {@link #close} an access throws {@link
 * IllegalStateException}; when another process has cut the file short, {@link InternalError}.
 */
public final class MappedMemory implements AutoCloseable {
    private static final long RETRY_NANOS = 100_000;

    private final Arena arena;
    private final MemorySegment segment;
    private final Descriptor descriptor;
    private final long offset;

    private MappedMemory(Arena arena, MemorySegment segment, Descriptor descriptor, long offset) {
        this.arena = arena;
        this.segment = segment;
        this.descriptor = descriptor;
        this.offset = offset;
    }

    /** What may be done with the mapped bytes. */
    public enum Protection {
        READ_ONLY,
        READ_WRITE
    }

    /**
     * Maps a piece of what the descriptor stands for and takes the descriptor over. When this
     * throws, the descriptor is still the caller's.
     *
     * @param offset in the file, a multiple of the page size
     * @param lengthBytes at least 1
     * @throws NotMemoryException where the descriptor is not memory or too short
     */
    @SuppressWarnings("MustBeClosedChecker") // The object that is returned closes the arena.
    public static MappedMemory map(
            Descriptor descriptor, long offset, long lengthBytes, Protection protection)
            throws IOException {
        descriptor.requireMemory(offset, lengthBytes);
        int flags =
                protection == Protection.READ_ONLY
                        ? Libc.PROT_READ
                        : Libc.PROT_READ | Libc.PROT_WRITE;
        MemorySegment mapped;
        int number = descriptor.acquire();
        try {
            mapped =
                    Libc.mmap(
                            MemorySegment.NULL,
                            lengthBytes,
                            flags,
                            Libc.MAP_SHARED,
                            number,
                            offset);
            if (mapped.address() == -1) {
                throw new PosixException(
                        String.format(
                                "Cannot map 0x%x bytes at offset 0x%x of descriptor %d",
                                lengthBytes, offset, number),
                        Libc.errno());
            }
        } finally {
            descriptor.release();
        }
        Arena arena = Arena.ofShared();
        MemorySegment segment =
                mapped.reinterpret(lengthBytes, arena, whole -> Libc.munmap(whole, lengthBytes));
        if (protection == Protection.READ_ONLY) {
            segment = segment.asReadOnly();
        }
        return new MappedMemory(arena, segment, descriptor, offset);
    }

    /** Makes new shared memory and maps it. */
    public static MappedMemory create(String name, long lengthBytes) throws IOException {
        Descriptor descriptor = Memfd.create(name, lengthBytes);
        try {
            return map(descriptor, 0, lengthBytes, Protection.READ_WRITE);
        } catch (IOException failed) {
            descriptor.close();
            throw failed;
        }
    }

    /** The memory. */
    public MemorySegment segment() {
        return segment;
    }

    /** The file that is mapped; closed with this object. */
    public Descriptor descriptor() {
        return descriptor;
    }

    /** Where the segment begins in the file, in bytes. */
    public long offset() {
        return offset;
    }

    public boolean isOpen() {
        return arena.scope().isAlive();
    }

    /**
     * Unmaps, and closes the descriptor. Waits while a system call of another thread uses the
     * segment; more than once does nothing.
     */
    @Override
    public void close() {
        while (arena.scope().isAlive()) {
            try {
                arena.close();
            } catch (IllegalStateException inUseOrClosed) {
                // A system call holds the segment, or another thread was first.
                LockSupport.parkNanos(RETRY_NANOS);
            }
        }
        descriptor.close();
    }
}
