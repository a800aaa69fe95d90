package farslot.trust;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * A bundle: a private key, the certificate that names its holder, and that of the authority which
 * issued it.
 *
 * @param revoked the authority's list when the bundle was made, or null
 */
record Identity(
        PrivateKey key, X509Certificate certificate, X509Certificate authority, X509CRL revoked) {

    /** Reads one, and checks that its parts belong together. */
    static Identity read(Path path) throws TrustException {
        return of(PemFile.read(path));
    }

    static Identity of(PemFile file) throws TrustException {
        PrivateKey key = file.key();
        List<X509Certificate> certificates = file.certificates();
        if (certificates.size() != 2) {
            throw new TrustException(
                    file.path()
                            + " has "
                            + certificates.size()
                            + " certificates; a bundle of \"farslot trust issue\" has two, its"
                            + " holder's and the authority's.");
        }
        X509Certificate certificate = certificates.getFirst();
        X509Certificate authority = certificates.getLast();
        if (!isPair(key, certificate)) {
            throw new TrustException(
                    file.path() + ": the private key is not that of the certificate in it.");
        }
        try {
            certificate.verify(authority.getPublicKey());
        } catch (GeneralSecurityException e) {
            throw new TrustException(
                    file.path() + ": the first certificate is not issued by the second one.", e);
        }
        if (Certificates.name(certificate).isEmpty()) {
            throw new TrustException(
                    file.path() + ": the certificate has no short name as its common name.");
        }
        return new Identity(key, certificate, authority, file.revoked());
    }

    static boolean isPair(PrivateKey key, X509Certificate certificate) {
        byte[] words = {1, 2, 3};
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(key);
            signature.update(words);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(words);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    String name() {
        return Certificates.name(certificate);
    }

    String text() throws TrustException {
        try {
            String list =
                    revoked == null ? "" : PemFile.text(PemFile.REVOKED, revoked.getEncoded());
            return PemFile.text(PemFile.KEY, key.getEncoded())
                    + PemFile.text(PemFile.CERTIFICATE, certificate.getEncoded())
                    + PemFile.text(PemFile.CERTIFICATE, authority.getEncoded())
                    + list;
        } catch (GeneralSecurityException e) {
            throw new TrustException("The identity cannot be written as text: " + e + ".", e);
        }
    }
}
