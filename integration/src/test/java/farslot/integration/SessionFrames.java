package farslot.integration;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What has passed of one session's frames, over all its connections, as their headers say
 * (docs/protocol.md, sections 2 and 5). The numbers of a connection that resumes begin at 1 until
 * it has; they are below the session's own and so change nothing.
 */
final class SessionFrames {
    static final int CLIENT = 0;
    static final int SERVER = 1;

    private static final int PREAMBLE = 16;
    private static final int HEADER = 32;
    private static final int RESUME = 0x07;
    private static final int RESUMED = 0x08;

    /** As much of a frame as is looked at: RESUME, whole. */
    private static final int LOOKED_AT = 64;

    private final long[] begun = new long[2];
    private final long[] acknowledged = new long[2];

    /** Whether each side has sent a frame that the other has not acknowledged. */
    synchronized boolean unacknowledgedBothWays() {
        return begun[CLIENT] > acknowledged[CLIENT] && begun[SERVER] > acknowledged[SERVER];
    }

    /** One direction of one connection. For one thread. */
    final class Stream {
        private final int from;
        private final ByteBuffer head =
                ByteBuffer.allocate(LOOKED_AT).order(ByteOrder.LITTLE_ENDIAN);
        private int preamble = PREAMBLE;
        private long left;
        private boolean resumed;
        private boolean noFrames;

        /**
         * @param from who sends: {@link #CLIENT} or {@link #SERVER}
         */
        Stream(int from) {
            this.from = from;
        }

        /** Whether the session goes on over this connection: its RESUMED has passed. */
        boolean resumed() {
            return resumed;
        }

        /** These bytes have passed; from where they are no frames on they are not looked at. */
        void passed(byte[] bytes, int offset, int count) {
            int at = offset;
            int end = offset + count;
            while (at < end && !noFrames) {
                at += preamble > 0 ? skip(end - at) : take(bytes, at, end - at);
            }
        }

        private int skip(int available) {
            int some = Math.min(preamble, available);
            preamble -= some;
            return some;
        }

        private int take(byte[] bytes, int at, int available) {
            boolean inHeader = head.position() < HEADER;
            int some = (int) Math.min(inHeader ? HEADER - head.position() : left, available);
            head.put(bytes, at, Math.min(some, head.remaining()));
            if (!inHeader) {
                left -= some;
            } else if (head.position() == HEADER) {
                left = (long) head.getInt(0) - HEADER;
                noFrames = left < 0;
                begins();
            }
            if (head.position() >= HEADER && left == 0) {
                ends();
                head.clear();
            }
            return some;
        }

        private void begins() {
            synchronized (SessionFrames.this) {
                begun[from] = Math.max(begun[from], head.getLong(16));
            }
        }

        private void ends() {
            int type = head.getShort(4);
            long received = head.getLong(24);
            if (type == RESUME) {
                received = Math.max(received, head.getLong(48));
            } else if (type == RESUMED) {
                received = Math.max(received, head.getLong(HEADER));
                resumed = true;
            }
            synchronized (SessionFrames.this) {
                acknowledged[1 - from] = Math.max(acknowledged[1 - from], received);
            }
        }
    }
}
