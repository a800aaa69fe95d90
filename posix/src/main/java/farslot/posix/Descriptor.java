package farslot.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A file descriptor that this process owns, closed exactly once.
 *
 * <p>Any thread may call. A descriptor that is closed while a call on it is under way is closed
 * when that call returns, so its number never means something else in between.
 */
public final class Descriptor implements AutoCloseable {
    /** Set in {@link #users} once the owner has closed. */
    private static final int CLOSED = 1 << 31;

    private final int number;

    /** How many calls are using the number now. */
    private final AtomicInteger users = new AtomicInteger();

    private Descriptor(int number) {
        this.number = number;
    }

    /** Takes over an open descriptor: it is this object's to close from now on. */
    public static Descriptor own(int number) {
        if (number < 0) {
            throw new IllegalArgumentException(number + " is no file descriptor.");
        }
        return new Descriptor(number);
    }

    /**
     * The number, to be passed on (never to be closed) while this is open.
     *
     * @throws IllegalStateException after {@link #close}
     */
    public int number() {
        if (!isOpen()) {
            throw new IllegalStateException("Descriptor " + number + " is closed.");
        }
        return number;
    }

    public boolean isOpen() {
        return users.get() >= 0;
    }

    /** A descriptor of its own for the same open file; close-on-exec. */
    public Descriptor duplicate() throws IOException {
        int own = acquire();
        try {
            int copy = Libc.fcntl(own, Libc.F_DUPFD_CLOEXEC, 0);
            if (copy < 0) {
                throw new PosixException("Cannot duplicate descriptor " + own, Libc.errno());
            }
            return new Descriptor(copy);
        } finally {
            release();
        }
    }

    /** What kind of file a descriptor stands for. */
    public enum Kind {
        MEMORY_OR_FILE("a regular file or shared memory"),
        DIRECTORY("a directory"),
        PIPE("a pipe"),
        SOCKET("a socket"),
        CHARACTER_DEVICE("a character device"),
        BLOCK_DEVICE("a block device"),
        EVENT("an event descriptor"),
        OTHER("something that is neither file, device, pipe nor socket");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /** For a sentence: "a pipe". */
        public String words() {
            return words;
        }
    }

    public Kind kind() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            return kindOf(stat(arena));
        }
    }

    /** The file's size in bytes; 0 for what has none. */
    public long sizeBytes() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            return stat(arena).get(JAVA_LONG, STATX_SIZE);
        }
    }

    /**
     * Checks that this is memory that can be mapped: a regular file (a memfd and shared memory are
     * ones) that holds the whole range.
     *
     * @throws NotMemoryException naming what it is instead, or how long
     */
    public void requireMemory(long offset, long lengthBytes) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stat = stat(arena);
            Kind kind = kindOf(stat);
            if (kind != Kind.MEMORY_OR_FILE) {
                throw new NotMemoryException(
                        "Descriptor " + number + " is " + kind.words() + ", not memory.");
            }
            long size = stat.get(JAVA_LONG, STATX_SIZE);
            if (offset < 0 || lengthBytes < 1 || offset > size - lengthBytes) {
                throw new NotMemoryException(
                        String.format(
                                "Descriptor %d is memory of 0x%x bytes, which does not hold 0x%x"
                                        + " bytes at offset 0x%x.",
                                number, size, lengthBytes, offset));
            }
        }
    }

    /** Closes; more than once does nothing. */
    @Override
    public void close() {
        int before = users.getAndUpdate(value -> value | CLOSED);
        if (before == 0) {
            Libc.close(number);
        }
    }

    /** Begins a call on the number; every one is followed by {@link #release}. */
    int acquire() throws IOException {
        while (true) {
            int value = users.get();
            if (value < 0) {
                throw new IOException("Descriptor " + number + " was closed by this process.");
            }
            if (users.compareAndSet(value, value + 1)) {
                return number;
            }
        }
    }

    void release() {
        if (users.decrementAndGet() == CLOSED) {
            Libc.close(number);
        }
    }

    private static final long STATX_BYTES = 256;
    private static final long STATX_MODE = 28;
    private static final long STATX_SIZE = 40;
    private static final int STATX_BASIC_STATS = 0x7ff;

    private MemorySegment stat(Arena arena) throws IOException {
        MemorySegment result = arena.allocate(STATX_BYTES, 8);
        int own = acquire();
        try {
            if (Libc.statx(
                            own,
                            arena.allocateFrom(""),
                            Libc.AT_EMPTY_PATH,
                            STATX_BASIC_STATS,
                            result)
                    != 0) {
                throw new PosixException("Cannot look at descriptor " + own, Libc.errno());
            }
            return result;
        } finally {
            release();
        }
    }

    private Kind kindOf(MemorySegment stat) throws IOException {
        return switch (stat.get(JAVA_SHORT, STATX_MODE) & 0xf000) {
            case 0x8000 -> Kind.MEMORY_OR_FILE;
            case 0x4000 -> Kind.DIRECTORY;
            case 0x1000 -> Kind.PIPE;
            case 0xc000 -> Kind.SOCKET;
            case 0x2000 -> Kind.CHARACTER_DEVICE;
            case 0x6000 -> Kind.BLOCK_DEVICE;
            default -> isEvent() ? Kind.EVENT : Kind.OTHER;
        };
    }

    /** Only its name in /proc tells an event descriptor from other anonymous ones. */
    private boolean isEvent() throws IOException {
        Path link = Path.of("/proc/self/fd/" + number);
        return Files.readSymbolicLink(link).toString().equals("anon_inode:[eventfd]");
    }

    @Override
    public String toString() {
        return "descriptor " + number + (isOpen() ? "" : " (closed)");
    }
}
