package farslot.posix;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * A UNIX stream socket that waits for others to connect. Its file can be reached by its owner alone
 * and is deleted when the listener is closed.
 *
 * <p>One thread accepts; any thread may close, which wakes it.
 */
public final class UnixListener implements AutoCloseable {
    private static final int BACKLOG = 64;

    private final Path path;
    private final Descriptor descriptor;
    private final Object fileKey;

    private UnixListener(Path path, Descriptor descriptor, Object fileKey) {
        this.path = path;
        this.descriptor = descriptor;
        this.fileKey = fileKey;
    }

    /**
     * Listens at a path. A socket file that a dead process left behind is replaced.
     *
     * @param path at most 107 bytes
     * @throws BindException where somebody listens there already, or a file that is no socket is in
     *     the way
     */
    public static UnixListener listen(Path path) throws IOException {
        removeDeadSocket(path);
        Descriptor descriptor = UnixStream.newSocket();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = UnixAddress.of(path, arena);
            if (Libc.bind(descriptor.number(), address, UnixAddress.BYTES) != 0) {
                int errno = Libc.errno();
                if (errno == Errno.EADDRINUSE) {
                    throw new BindException(
                            path + " is in use already. Choose another socket path.");
                }
                throw new PosixException("Cannot make the socket", path, errno);
            }
            // Nobody can connect before listen(2), so nobody does before this.
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            if (Libc.listen(descriptor.number(), BACKLOG) != 0) {
                throw new PosixException("Cannot listen at", path, Libc.errno());
            }
            return new UnixListener(path, descriptor, fileKey(path));
        } catch (IOException failed) {
            descriptor.close();
            throw failed;
        }
    }

    private static void removeDeadSocket(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (UnixStream alive = UnixStream.connect(path)) {
            throw new BindException(
                    "Process "
                            + alive.peer().pid()
                            + " listens at "
                            + path
                            + " already. Stop it, or choose another socket path.");
        } catch (PosixException refused) {
            if (refused.errno() == Errno.ECONNREFUSED && isSocket(path)) {
                Files.deleteIfExists(path);
                return;
            }
            throw new BindException(
                    path + " is in the way. Delete it, or choose another socket path.");
        }
    }

    private static boolean isSocket(Path path) throws IOException {
        return ((int) Files.getAttribute(path, "unix:mode") & 0xf000) == 0xc000;
    }

    private static Object fileKey(Path path) throws IOException {
        return Files.getAttribute(path, "unix:fileKey");
    }

    public Path path() {
        return path;
    }

    /** To wait for a connection together with other things ({@link PollSet}). */
    public Descriptor descriptor() {
        return descriptor;
    }

    /**
     * Waits for a connection.
     *
     * @return null once this listener is closed
     */
    public UnixStream accept() throws IOException {
        int number;
        try {
            number = descriptor.acquire();
        } catch (IOException closed) {
            return null;
        }
        try {
            while (true) {
                int accepted = Libc.accept4(number, Libc.SOCK_CLOEXEC);
                if (accepted >= 0) {
                    return new UnixStream(Descriptor.own(accepted));
                }
                int errno = Libc.errno();
                if (!descriptor.isOpen()) {
                    return null;
                }
                if (errno != Errno.EINTR && errno != Errno.ECONNABORTED) {
                    throw new PosixException("Cannot accept at", path, errno);
                }
            }
        } finally {
            descriptor.release();
        }
    }

    /** Stops listening, wakes {@link #accept} and deletes the socket's file. */
    @Override
    public void close() {
        int number;
        try {
            number = descriptor.acquire();
        } catch (IOException alreadyClosed) {
            return;
        }
        descriptor.close();
        Libc.shutdown(number, Libc.SHUT_RDWR);
        descriptor.release();
        deleteOwnFile();
    }

    /** Leaves the file of another process that has taken the path since. */
    private void deleteOwnFile() {
        try {
            if (fileKey(path).equals(fileKey)) {
                Files.deleteIfExists(path);
            }
        } catch (IOException gone) {
            // Somebody else has deleted it.
        }
    }
}
