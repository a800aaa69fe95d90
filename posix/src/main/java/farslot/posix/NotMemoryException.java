package farslot.posix;

import java.io.IOException;

/** A descriptor that was to be memory is something else, or too short. */
public class NotMemoryException extends IOException {
    private static final long serialVersionUID = 1L;

    NotMemoryException(String message) {
        super(message);
    }
}
