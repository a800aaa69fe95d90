package farslot.core;

/**
 * How a non-posted request ended, in PCI's terms (PCI Express Base 4.0, 2.2.9, table 2-34), with
 * the two endings that only a distance can bring.
 *
 * <p>The codes travel in the link protocol and stand in traces; they never change.
 */
public enum CompletionStatus {
    /** Done; a read's bytes are all there. */
    SUCCESS(0),
    /**
     * The function has nothing at that place, or refuses by its state (memory disabled, out of
     * range).
     */
    UNSUPPORTED_REQUEST(1),
    /**
     * Reserved: configuration request retry status, for a function that is not ready after a reset.
     */
    RETRY(2),
    /** The function understood and could not do it. DMA outside what the driver mapped ends so. */
    COMPLETER_ABORT(4),
    /**
     * No answer came in the time the slot allows. Never sent by a lender; made where the wait was.
     */
    TIMED_OUT(5),
    /** The asked-for ability exists in the protocol and not in this function (save, load, ...). */
    UNSUPPORTED_ABILITY(6),
    /** The request belongs to a generation that a reset has ended; it had no effect. */
    STALE_GENERATION(7);

    private static final CompletionStatus[] BY_CODE = new CompletionStatus[8];

    static {
        for (CompletionStatus status : values()) {
            BY_CODE[status.code] = status;
        }
    }

    private final int code;

    CompletionStatus(int code) {
        this.code = code;
    }

    /** The number of this status on the wire and in traces, 0 to 7. */
    public int code() {
        return code;
    }

    public boolean isSuccess() {
        return this == SUCCESS;
    }

    /**
     * The status with this code, or null where there is none: what comes from outside is checked by
     * its reader.
     */
    public static CompletionStatus ofCode(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }
}
