package farslot.link;

/**
 * The other side understood and refuses. Thrown by what implements {@link Offer}, it travels, and
 * is thrown again at the peer with the same reason and sentence.
 */
public final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Why, for programs. The codes travel in the link protocol and never change. */
    public enum Reason {
        /** There is no such function or action; the sentence names the nearest. */
        NOT_FOUND(1),
        /** Somebody has it; the sentence says who, and since when. */
        TAKEN(2),
        /** This peer may not. */
        NOT_ALLOWED(3),
        /** An argument is missing, unknown or out of range. */
        BAD_ARGUMENT(4),
        /** The protocol has it, this side does not. */
        UNSUPPORTED(5),
        /** Not now: it is starting, stopping, or too many are here already. */
        UNAVAILABLE(6),
        /** It was tried and failed. */
        FAILED(7);

        private final int code;

        Reason(int code) {
            this.code = code;
        }

        public int code() {
            return code;
        }

        /** The reason with this code, or null where there is none. */
        public static Reason ofCode(int code) {
            return code >= 1 && code <= values().length ? values()[code - 1] : null;
        }
    }

    private final Reason reason;

    /**
     * @param sentence for the person who asked: what, why, what to do; at most 1024 bytes of UTF-8
     *     travel
     */
    public RefusedException(Reason reason, String sentence) {
        super(sentence);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
