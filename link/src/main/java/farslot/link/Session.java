package farslot.link;

import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;

/**
 * What makes a link resumable: a secret that both ends know, and how long the lender keeps the
 * lease without a connection.
 */
final class Session {
    static final int BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final byte[] secret;
    private final Duration grace;

    Session(byte[] secret, Duration grace) {
        this.secret = secret.clone();
        this.grace = grace;
    }

    static Session random(Duration grace) {
        byte[] secret = new byte[BYTES];
        RANDOM.nextBytes(secret);
        return new Session(secret, grace);
    }

    byte[] secret() {
        return secret.clone();
    }

    Duration grace() {
        return grace;
    }

    /** Takes as long whatever it is compared with. */
    boolean isNamed(byte[] other) {
        return MessageDigest.isEqual(secret, other);
    }

    /** Says nothing of the secret: who knows it can take the session. */
    @Override
    public String toString() {
        return "a session";
    }
}
