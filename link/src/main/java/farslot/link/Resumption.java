package farslot.link;

import farslot.link.BrokenFrameException.Code;
import farslot.link.LinkException.Cause;
import farslot.link.Messages.ErrorMessage;
import farslot.link.Messages.Goodbye;
import farslot.link.Messages.Header;
import farslot.link.Messages.Hello;
import farslot.link.Messages.Preamble;
import farslot.link.Messages.Refused;
import farslot.link.Messages.Resume;
import farslot.link.Messages.Resumed;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The client's side of RESUME: the first words over a new wire, read frame by frame and nothing
 * beyond, since the session's own frames follow. docs/protocol.md, "Resume".
 */
final class Resumption implements LinkWatch.Watched {
    private static final int TAG = 1;

    private final Wire wire;
    private final LinkOptions options;
    private final String who;
    private final MemorySegment frame = Arena.ofAuto().allocate(Messages.MAX_FIRST_FRAME_BYTES, 8);
    private long leftNanos = Connection.HANDSHAKE_NANOS;
    private long lookedNanos = System.nanoTime();
    private volatile boolean tooLate;

    /**
     * The lender's yes.
     *
     * @param received the last frame of the session that it has
     * @param successor whether it is another process than before
     * @param unacknowledged how many frames it kept when it was asked
     * @param abilities what its HELLO said
     */
    record Answer(long received, boolean successor, int unacknowledged, long abilities) {}

    /**
     * @param who how messages name the lender
     */
    Resumption(Wire wire, LinkOptions options, String who) {
        this.wire = wire;
        this.options = options;
        this.who = who;
    }

    /**
     * Asks to go on with a session.
     *
     * @param received the last frame of it that this side has
     * @param attempt more than with each try before
     * @throws RefusedException the lender's refusal
     * @throws IOException where the wire broke or what came is no answer; the wire is of no use
     *     then
     */
    Answer ask(Session session, long received, long attempt) throws IOException, RefusedException {
        LinkWatch.add(this);
        try {
            say(session, received, attempt);
            return hear();
        } catch (BrokenFrameException broken) {
            throw new LinkException(
                    Cause.PROTOCOL,
                    who
                            + " broke the link protocol ("
                            + broken.code()
                            + "): "
                            + broken.getMessage(),
                    broken);
        } catch (IOException failed) {
            if (tooLate) {
                throw new LinkException(Cause.LOST, who + " does not answer.", failed);
            }
            throw failed;
        } finally {
            LinkWatch.remove(this);
        }
    }

    private void say(Session session, long received, long attempt) throws IOException {
        byte[] hello = Handshake.hello(wire, options, Hello.CLIENT);
        byte[] resume = new Composer().bytes(session.secret()).u64(received).u64(attempt).toBytes();
        Handshake.write(
                wire,
                new Composer()
                        .bytes(Handshake.preamble())
                        .bytes(Handshake.frame(Hello.TYPE, Messages.LINK, 0, 1, 0, hello))
                        .bytes(Handshake.frame(Resume.TYPE, Messages.NON_POSTED, TAG, 2, 0, resume))
                        .toBytes());
    }

    private Answer hear() throws IOException, BrokenFrameException, RefusedException {
        fill(0, Preamble.BYTES);
        LinkException stranger = Handshake.stranger(frame, Preamble.BYTES, who);
        if (stranger != null) {
            throw stranger;
        }
        long abilities = 0;
        for (long sequence = 1; ; sequence++) {
            int length = next(sequence);
            Layout layout = Messages.check(frame, 0, length);
            boolean first = layout.type() == Hello.TYPE;
            if (first != (sequence == 1)) {
                throw new BrokenFrameException(
                        Code.OUT_OF_STATE, layout.type(), layout.name() + " is out of its place.");
            }
            switch (layout.type()) {
                case Hello.TYPE -> {
                    Handshake.checkHello(frame, 0, options, Hello.CLIENT);
                    abilities = Hello.ABILITIES.get(frame, 0);
                }
                case Goodbye.TYPE ->
                        throw new LinkException(
                                Cause.GOODBYE, Messages.text(layout, frame, 0, length));
                case ErrorMessage.TYPE ->
                        throw new LinkException(
                                Cause.PROTOCOL,
                                who + " ends the link: " + Messages.text(layout, frame, 0, length));
                case Refused.TYPE -> throw refusal(layout, length);
                case Resumed.TYPE -> {
                    return resumed(abilities);
                }
                default -> skip(layout);
            }
        }
    }

    private RefusedException refusal(Layout layout, int length) throws BrokenFrameException {
        RefusedException.Reason reason =
                RefusedException.Reason.ofCode(Refused.REASON.getInt(frame, 0));
        return new RefusedException(
                reason == null ? RefusedException.Reason.FAILED : reason,
                Messages.text(layout, frame, 0, length));
    }

    private Answer resumed(long abilities) throws BrokenFrameException {
        if (Header.TAG.getInt(frame, 0) != TAG) {
            throw new BrokenFrameException(
                    Code.BAD_TAG, Resumed.TYPE, "RESUMED answers what was not asked.");
        }
        return new Answer(
                Resumed.RECEIVED.get(frame, 0),
                (Resumed.FLAGS.getInt(frame, 0) & Resumed.SUCCESSOR) != 0,
                Resumed.UNACKNOWLEDGED.getInt(frame, 0),
                abilities);
    }

    private static void skip(Layout layout) throws BrokenFrameException {
        if (!layout.allowsClass(Messages.LINK)) {
            throw new BrokenFrameException(
                    Code.OUT_OF_STATE, layout.type(), layout.name() + " came before RESUMED.");
        }
    }

    /** The next frame, whole; its length. */
    private int next(long sequence) throws IOException, BrokenFrameException {
        fill(0, Header.BYTES);
        int length = Messages.length(frame, 0, Messages.MAX_FIRST_FRAME_BYTES);
        fill(Header.BYTES, length);
        if (Header.SEQUENCE.get(frame, 0) != sequence) {
            throw new BrokenFrameException(
                    Code.BAD_SEQUENCE,
                    Header.TYPE.getInt(frame, 0),
                    "Frame number " + sequence + " should have come.");
        }
        return length;
    }

    private void fill(int begin, int end) throws IOException {
        int at = begin;
        while (at < end) {
            int count = wire.read(frame.asSlice(at, end - at));
            if (count < 0) {
                throw new LinkException(Cause.LOST, who + " closed the connection.");
            }
            at += count;
        }
    }

    @Override
    public void watch(long now, long overslept) {
        leftNanos -= Math.max(0, now - lookedNanos - overslept);
        lookedNanos = now;
        if (leftNanos < 0) {
            tooLate = true;
            wire.close();
        }
    }
}
