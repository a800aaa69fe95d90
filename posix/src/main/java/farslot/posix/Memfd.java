package farslot.posix;

import java.io.IOException;
import java.lang.foreign.Arena;

/**
 * Memory that is a file without a name, to be shared by passing its descriptor: memfd_create(2).
 */
public final class Memfd {
    private Memfd() {}

    /**
     * Makes memory of this size, all zero.
     *
     * @param name seen in /proc/PID/fd only
     */
    public static Descriptor create(String name, long sizeBytes) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int number =
                    Libc.memfdCreate(
                            arena.allocateFrom(name), Libc.MFD_CLOEXEC | Libc.MFD_ALLOW_SEALING);
            if (number < 0) {
                throw new PosixException("Cannot make shared memory " + name, Libc.errno());
            }
            Descriptor descriptor = Descriptor.own(number);
            try {
                resize(descriptor, sizeBytes);
            } catch (IOException failed) {
                descriptor.close();
                throw failed;
            }
            return descriptor;
        }
    }

    /** Makes the memory longer or shorter; ftruncate(2). */
    public static void resize(Descriptor memory, long sizeBytes) throws IOException {
        int number = memory.acquire();
        try {
            if (Libc.ftruncate(number, sizeBytes) != 0) {
                throw new PosixException(
                        "Cannot make descriptor " + number + " " + sizeBytes + " bytes long",
                        Libc.errno());
            }
        } finally {
            memory.release();
        }
    }
}
