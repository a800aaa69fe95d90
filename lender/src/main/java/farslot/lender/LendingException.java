package farslot.lender;

/** Why something cannot be lent: a sentence for the person who can act on it. */
public final class LendingException extends Exception {
    private static final long serialVersionUID = 1;

    /** Whose turn it is, which decides the exit code. */
    public enum Fault {
        /** What the user wrote or named is wrong; nothing was changed. */
        BAD_INPUT,
        /** It was tried and failed. */
        FAILED
    }

    private final Fault fault;

    public LendingException(Fault fault, String sentence, Throwable cause) {
        super(sentence, cause);
        this.fault = fault;
    }

    static LendingException badInput(String sentence) {
        return new LendingException(Fault.BAD_INPUT, sentence, null);
    }

    static LendingException failed(String sentence, Throwable cause) {
        return new LendingException(Fault.FAILED, sentence, cause);
    }

    public Fault fault() {
        return fault;
    }
}
