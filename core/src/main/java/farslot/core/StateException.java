package farslot.core;

/**
 * A function's state cannot be saved, or what was saved does not fit. The message is a sentence for
 * the person who wanted it: what, why, and what to do.
 */
public final class StateException extends Exception {
    private static final long serialVersionUID = 1;

    public StateException(String sentence) {
        super(sentence);
    }

    public StateException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
