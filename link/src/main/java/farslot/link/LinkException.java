package farslot.link;

import java.io.IOException;

/**
 * A link could not be made, or ended. The message is a sentence for the person who can act; the
 * cause tells programs apart what happened.
 */
public final class LinkException extends IOException {
    private static final long serialVersionUID = 1L;

    /** What happened. */
    public enum Cause {
        /** Nobody listens there, or the machine cannot be reached. */
        UNREACHABLE,
        /** TCP without certificates or, instead, leave to use it unprotected. */
        INSECURE,
        /** The peer does not prove who it is, or does not take this side's proof. */
        UNTRUSTED,
        /** Who answered does not speak the link protocol. */
        NO_FARSLOT,
        /** Who answered speaks another version of it. */
        OTHER_VERSION,
        /** The peer broke the protocol, or says that this side did. */
        PROTOCOL,
        /** The connection broke, or the peer fell silent. */
        LOST,
        /** The peer said goodbye. */
        GOODBYE,
        /** This side closed the link. */
        CLOSED
    }

    private final Cause what;

    public LinkException(Cause what, String sentence) {
        super(sentence);
        this.what = what;
    }

    public LinkException(Cause what, String sentence, Throwable because) {
        super(sentence, because);
        this.what = what;
    }

    public Cause what() {
        return what;
    }
}
