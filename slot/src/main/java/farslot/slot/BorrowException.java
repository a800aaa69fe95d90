package farslot.slot;

/** Why a function cannot be borrowed: a sentence for the person who can act on it. */
public final class BorrowException extends Exception {
    private static final long serialVersionUID = 1;

    /** Which kind of answer it was. */
    public enum Reason {
        /** What was asked for is wrong in itself. */
        BAD_INPUT,
        /** The lender refused: taken by another, not allowed, another protocol version. */
        REFUSED,
        /** No such name, or nobody there. */
        NOT_FOUND,
        /** It was tried and failed here. */
        FAILED
    }

    private final Reason reason;

    public BorrowException(Reason reason, String sentence, Throwable cause) {
        super(sentence, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
