package farslot.analysis.query;

/** A question that cannot be answered as it is written; the message says why and what to do. */
public final class QueryException extends Exception {
    private static final long serialVersionUID = 1;

    QueryException(String message, Throwable cause) {
        super(message, cause);
    }
}
