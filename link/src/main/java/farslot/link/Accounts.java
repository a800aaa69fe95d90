package farslot.link;

import farslot.link.BrokenFrameException.Code;

/**
 * The credits that this side has given to its peer, and what the peer has used of them:
 * docs/protocol.md, "Credits". Guarded by the connection's lock. All counts run since the link
 * began; the first index is the traffic class.
 */
final class Accounts {
    /** What this side gives at the start, and has outstanding at most. */
    static final int[] FRAMES = {0, 1024, 256, 512};

    static final int[] BYTES = {0, 0x400000, 0x200000, 0x400000};

    private final long[] receivedFrames = new long[4];
    private final long[] receivedBytes = new long[4];
    private final long[] consumedFrames = new long[4];
    private final long[] consumedBytes = new long[4];
    private final long[] grantedFrames = new long[4];
    private final long[] grantedBytes = new long[4];

    Accounts() {
        grant();
    }

    /** Notes a frame that came, and refuses one that no credit was given for. */
    void received(Layout layout, int trafficClass, int length) throws BrokenFrameException {
        receivedFrames[trafficClass]++;
        receivedBytes[trafficClass] += length;
        if (receivedFrames[trafficClass] > grantedFrames[trafficClass]
                || receivedBytes[trafficClass] > grantedBytes[trafficClass]) {
            throw new BrokenFrameException(
                    Code.CREDIT_EXCEEDED,
                    layout.type(),
                    String.format(
                            "%s is the %s frame number %d, byte %d; credit was given for %d"
                                    + " frames and %d bytes.",
                            layout.name(),
                            Messages.className(trafficClass),
                            receivedFrames[trafficClass],
                            receivedBytes[trafficClass],
                            grantedFrames[trafficClass],
                            grantedBytes[trafficClass]));
        }
    }

    /**
     * Notes that a frame is no longer buffered.
     *
     * @return whether the peer should be given new credit: half of what it had is used up, or less
     *     than a longest frame is left, which it could never send
     */
    boolean consumed(int trafficClass, int length) {
        consumedFrames[trafficClass]++;
        consumedBytes[trafficClass] += length;
        long frames = grantedFrames[trafficClass] - consumedFrames[trafficClass];
        long bytes = grantedBytes[trafficClass] - consumedBytes[trafficClass];
        return frames <= FRAMES[trafficClass] / 2
                || bytes <= Math.max(BYTES[trafficClass] / 2, Messages.MAX_FRAME_BYTES);
    }

    /** All counts, for another process. */
    void save(Composer to) {
        for (long[] counts : all()) {
            for (int trafficClass = Messages.POSTED; trafficClass < 4; trafficClass++) {
                to.u64(counts[trafficClass]);
            }
        }
    }

    void restore(Cursor from) throws BrokenFrameException {
        for (long[] counts : all()) {
            for (int trafficClass = Messages.POSTED; trafficClass < 4; trafficClass++) {
                counts[trafficClass] = from.u64();
            }
        }
    }

    private long[][] all() {
        return new long[][] {
            receivedFrames,
            receivedBytes,
            consumedFrames,
            consumedBytes,
            grantedFrames,
            grantedBytes
        };
    }

    /** How many bytes are buffered: received, and not consumed. */
    long bufferedBytes() {
        long buffered = 0;
        for (int trafficClass = Messages.POSTED; trafficClass < 4; trafficClass++) {
            buffered += receivedBytes[trafficClass] - consumedBytes[trafficClass];
        }
        return buffered;
    }

    /** Gives credit for all that is not buffered: the totals, in the order of CREDIT's fields. */
    long[] grant() {
        long[] totals = new long[6];
        for (int trafficClass = Messages.POSTED; trafficClass < 4; trafficClass++) {
            grantedFrames[trafficClass] = consumedFrames[trafficClass] + FRAMES[trafficClass];
            grantedBytes[trafficClass] = consumedBytes[trafficClass] + BYTES[trafficClass];
            totals[2 * trafficClass - 2] = grantedFrames[trafficClass];
            totals[2 * trafficClass - 1] = grantedBytes[trafficClass];
        }
        return totals;
    }
}
