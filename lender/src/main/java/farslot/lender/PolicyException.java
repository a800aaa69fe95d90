package farslot.lender;

/** A policy file that cannot be used: what is wrong, with file, line and column. */
public final class PolicyException extends Exception {
    private static final long serialVersionUID = 1;

    PolicyException(String sentence) {
        super(sentence);
    }
}
