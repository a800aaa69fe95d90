package farslot.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A counter in the kernel that one process adds to and another waits for: eventfd(2). Interrupts of
 * emulators are ones.
 *
 * <p>Any thread may call.
 */
public final class EventFd implements AutoCloseable {
    private static final long BYTES = 8;
    private static final MemorySegment ONE = Arena.global().allocate(JAVA_LONG);

    static {
        ONE.set(JAVA_LONG, 0, 1);
    }

    private final Descriptor descriptor;

    private EventFd(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /** A new one, at zero, that never blocks. */
    public static EventFd create() throws IOException {
        int number = Libc.eventfd(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        if (number < 0) {
            throw new PosixException("Cannot make an event descriptor", Libc.errno());
        }
        return new EventFd(Descriptor.own(number));
    }

    /**
     * Takes over a descriptor that came from another process.
     *
     * @throws IOException naming what it is, where it is no event descriptor; it is then still the
     *     caller's
     */
    public static EventFd own(Descriptor descriptor) throws IOException {
        Descriptor.Kind kind = descriptor.kind();
        if (kind != Descriptor.Kind.EVENT) {
            throw new IOException(
                    "Descriptor "
                            + descriptor.number()
                            + " is "
                            + kind.words()
                            + ", not an event descriptor.");
        }
        return new EventFd(descriptor);
    }

    public Descriptor descriptor() {
        return descriptor;
    }

    /**
     * Adds one. Nothing is lost where the counter is full: whoever waits will wake all the same.
     */
    public void signal() throws IOException {
        int number = descriptor.acquire();
        try {
            while (Libc.write(number, ONE, BYTES) != BYTES) {
                int errno = Libc.errno();
                if (errno == Errno.EAGAIN) {
                    return;
                }
                if (errno != Errno.EINTR) {
                    throw new PosixException("Cannot signal descriptor " + number, errno);
                }
            }
        } finally {
            descriptor.release();
        }
    }

    /**
     * Sets the counter to zero without waiting.
     *
     * @return what it was; 0 where nobody had signalled
     */
    public long drain() throws IOException {
        if (!Polling.isReadable(descriptor, 0)) {
            return 0;
        }
        int number = descriptor.acquire();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_LONG);
            while (Libc.read(number, value, BYTES) != BYTES) {
                int errno = Libc.errno();
                if (errno == Errno.EAGAIN) {
                    return 0;
                }
                if (errno != Errno.EINTR) {
                    throw new PosixException("Cannot read event descriptor " + number, errno);
                }
            }
            return value.get(JAVA_LONG, 0);
        } finally {
            descriptor.release();
        }
    }

    /**
     * Waits until the counter is not zero, and leaves it so.
     *
     * @param timeoutMillis -1 waits for ever
     * @return false after the time-out
     */
    public boolean await(int timeoutMillis) throws IOException {
        return Polling.isReadable(descriptor, timeoutMillis);
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
