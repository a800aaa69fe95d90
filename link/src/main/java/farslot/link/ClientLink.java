package farslot.link;

import farslot.core.CompletionStatus;
import farslot.link.BrokenFrameException.Code;
import farslot.link.LinkException.Cause;
import farslot.link.Messages.Done;
import farslot.link.Messages.Hello;
import farslot.link.Messages.Refused;
import farslot.posix.Descriptor;
import java.lang.foreign.MemorySegment;

/** The end of a link that connected: what a slot's and an operator's links share. */
abstract class ClientLink extends Connection {
    private final Peer peer;

    ClientLink(Wire wire, LinkOptions options, Peer peer, String label) {
        super(wire, options, Hello.CLIENT, label);
        this.peer = peer;
    }

    final Peer peer() {
        return peer.named(peerName());
    }

    @Override
    final String peerWords() {
        return "The lender " + peer();
    }

    /** {@inheritDoc} No message to this side takes a descriptor. */
    @Override
    final void dispatch(
            Layout layout, MemorySegment frame, long at, int length, Descriptor descriptor)
            throws BrokenFrameException {
        if (descriptor != null) {
            descriptor.close();
        }
        dispatch(layout, frame, at, length);
    }

    /** Does what a frame asks, as {@link Connection#dispatch}. */
    void dispatch(Layout layout, MemorySegment frame, long at, int length)
            throws BrokenFrameException {
        throw new BrokenFrameException(
                Code.OUT_OF_STATE,
                layout.type(),
                layout.name() + " is never sent to this side of a control link.");
    }

    /**
     * Asks what is answered by more than a status, and waits for the answer.
     *
     * @throws RefusedException the other side's refusal, also "unsupported" for what is reserved
     * @throws LinkException where the link ended before the answer
     */
    final Answer ask(int type, byte[] payload) throws RefusedException, LinkException {
        return ask(type, payload, 0);
    }

    /**
     * The same, with an end.
     *
     * @param deadlineNanos by {@link System#nanoTime}, or 0 for none; past it this is refused by
     *     this side itself (UNAVAILABLE)
     */
    final Answer ask(int type, byte[] payload, long deadlineNanos)
            throws RefusedException, LinkException {
        Request request = request(type, null, 0);
        if (request == null) {
            throw ended();
        }
        if (!send(type, Messages.NON_POSTED, request.tag, payload)) {
            release(request);
            throw ended();
        }
        Answer answer = awaitAnswer(request, deadlineNanos);
        if (answer == null && deadlineNanos != 0 && !isEnded()) {
            throw new RefusedException(
                    RefusedException.Reason.UNAVAILABLE,
                    peerWords() + " has not answered " + Messages.name(type) + " in time.");
        }
        if (answer == null) {
            throw ended();
        }
        if (answer.type() == Refused.TYPE) {
            throw refusal(answer);
        }
        if (answer.type() == Done.TYPE && answer.status() != CompletionStatus.SUCCESS) {
            throw new RefusedException(
                    answer.status() == CompletionStatus.UNSUPPORTED_ABILITY
                            ? RefusedException.Reason.UNSUPPORTED
                            : RefusedException.Reason.FAILED,
                    peerWords() + " answers " + Messages.name(type) + ": " + answer.status());
        }
        return answer;
    }

    /** Why nothing can be asked; a link that cannot write ends a moment after it has noticed. */
    private LinkException ended() {
        LinkException why = ending();
        return why != null
                ? why
                : new LinkException(
                        Cause.LOST,
                        peerWords() + " is gone: nothing can be written to it any more.");
    }

    private RefusedException refusal(Answer answer) throws LinkException {
        MemorySegment frame = answer.frames();
        try {
            String sentence = Messages.text(Refused.LAYOUT, frame, 0, frame.byteSize());
            RefusedException.Reason reason =
                    RefusedException.Reason.ofCode(Refused.REASON.getInt(frame, 0));
            return new RefusedException(
                    reason == null ? RefusedException.Reason.FAILED : reason, sentence);
        } catch (BrokenFrameException broken) {
            throw brokenAnswer(broken);
        }
    }

    /** Ends the link over an answer that cannot be read. */
    final LinkException brokenAnswer(BrokenFrameException broken) {
        breakBy(broken);
        LinkException why = ending();
        return new LinkException(Cause.PROTOCOL, why.getMessage(), broken);
    }

    @Override
    void lost(LinkException why) {}

    @Override
    void finished(LinkException why) {}
}
