package farslot.trust;

import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CRLException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Arrays;

/** The authority's list of revoked certificates: RFC 5280, 5. */
final class RevokedList {
    /** The CRL number: RFC 5280, 5.2.3. */
    private static final String NUMBER = "2.5.29.20";

    private RevokedList() {}

    /**
     * The list in a file; null where there is no such file.
     *
     * @throws TrustException also where it is not the authority's
     */
    static X509CRL read(Path path, X509Certificate authority) throws TrustException {
        if (!Files.exists(path)) {
            return null;
        }
        X509CRL list = PemFile.read(path).revoked();
        if (list == null) {
            throw new TrustException(path + " has no list of revoked certificates.");
        }
        requireFrom(authority, list, path);
        return list;
    }

    static void requireFrom(X509Certificate authority, X509CRL list, Path path)
            throws TrustException {
        try {
            list.verify(authority.getPublicKey());
        } catch (GeneralSecurityException e) {
            throw new TrustException(
                    path
                            + ": the list of revoked certificates is not signed by the authority"
                            + " of this site, \""
                            + Certificates.name(authority)
                            + "\".",
                    e);
        }
    }

    /** Grows with each list of an authority; 0 for none. */
    static BigInteger number(X509CRL list) {
        byte[] value = list == null ? null : list.getExtensionValue(NUMBER);
        // An OCTET STRING with an INTEGER in it, each with a tag and a length of one byte.
        return value == null || value.length < 5
                ? BigInteger.ZERO
                : new BigInteger(Arrays.copyOfRange(value, 4, value.length));
    }

    static String text(X509CRL list) throws TrustException {
        try {
            return PemFile.text(PemFile.REVOKED, list.getEncoded());
        } catch (CRLException e) {
            throw new TrustException("The list of revoked certificates is broken: " + e + ".", e);
        }
    }
}
