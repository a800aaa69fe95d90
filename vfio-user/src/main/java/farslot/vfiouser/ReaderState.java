package farslot.vfiouser;

import farslot.posix.UnixStream;
import java.io.IOException;

/**
 * Whether the thread that reads from a client has delivered everything that came. Known only while
 * it is {@link #watch watched}, since that costs a system call for each read.
 *
 * <p>Who finds the socket empty first, and then the reader waiting, knows that all that the client
 * had sent before has been delivered: bytes leave the socket only while the reader is not waiting.
 */
final class ReaderState {
    private volatile boolean watched;
    private volatile boolean waiting;

    void watch(boolean on) {
        watched = on;
    }

    /** By the reader, with nothing left to deliver: waits for more. */
    void awaitMore(UnixStream stream) throws IOException {
        if (!watched) {
            return;
        }
        waiting = true;
        try {
            stream.awaitReadable(-1);
        } finally {
            waiting = false;
        }
    }

    boolean isWaiting() {
        return waiting;
    }
}
