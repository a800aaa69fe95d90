package farslot.trust;

import java.io.IOException;

/**
 * A certificate, key or list that is missing, broken or of no use here: a sentence for its user.
 */
public final class TrustException extends IOException {
    private static final long serialVersionUID = 1L;

    TrustException(String sentence) {
        super(sentence);
    }

    TrustException(String sentence, Throwable because) {
        super(sentence, because);
    }
}
