package farslot.analysis;

/** What was asked cannot be answered; the message is a sentence that says why and what to do. */
public final class AnalysisException extends Exception {
    private static final long serialVersionUID = 1;

    public AnalysisException(String message) {
        super(message);
    }

    public AnalysisException(String message, Throwable cause) {
        super(message, cause);
    }
}
