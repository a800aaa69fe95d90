package farslot.recorder;

import java.io.IOException;

/** A trace that cannot be written or read; the message is a sentence that says what to do. */
public final class TraceException extends IOException {
    private static final long serialVersionUID = 1L;

    public TraceException(String sentence) {
        super(sentence);
    }

    public TraceException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
