package farslot.posix;

import java.io.IOException;
import java.nio.file.Path;

/** A system call that failed; the message says which, on what, and why. */
public class PosixException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    PosixException(String what, int errno) {
        super(what + ": " + Libc.errorText(errno) + " (errno " + errno + ").");
        this.errno = errno;
    }

    PosixException(String what, Path path, int errno) {
        this(what + " " + path, errno);
    }

    /** The error number, as in errno(3). */
    public int errno() {
        return errno;
    }

    /** Nobody is there: no such file, or a socket file that a dead process left behind. */
    public boolean isNobodyThere() {
        return errno == Errno.ENOENT || errno == Errno.ECONNREFUSED;
    }

    /** The other side has closed the connection. */
    public boolean isPeerGone() {
        return errno == Errno.EPIPE || errno == Errno.ECONNRESET;
    }
}
