package farslot.trust;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Decides whether a peer's certificate is believed: it must be issued by the site's authority, be
 * good now, not be revoked, be for this use, and, where this side connected, be for the machine
 * asked for or this side's own identity. Every refusal is a sentence.
 */
final class PeerCheck extends X509ExtendedTrustManager {
    // RFC 5280, 4.2.1.12.
    private static final String SERVER = "1.3.6.1.5.5.7.3.1";
    private static final String CLIENT = "1.3.6.1.5.5.7.3.2";

    private final Identity own;
    private final X509CRL revoked;
    private final InstantSource clock;

    /**
     * @param revoked the list of the authority, or null while it has revoked nothing
     */
    PeerCheck(Identity own, X509CRL revoked, InstantSource clock) {
        this.own = own;
        this.revoked = revoked;
        this.clock = clock;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
            throws CertificateException {
        requireGood(chain, CLIENT);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
            throws CertificateException {
        X509Certificate server = requireGood(chain, SERVER);
        String machine = engine.getPeerHost();
        String name = Certificates.name(server);
        if (!Certificates.isFor(server, machine) && !name.equals(own.name())) {
            throw new CertificateException(
                    "it proves to be \""
                            + name
                            + "\", whose certificate is for "
                            + String.join(", ", Certificates.machines(server))
                            + " and not for "
                            + machine
                            + ". Use one of these names if that is the machine you mean; or give it"
                            + " a certificate that says so, where the authority is: farslot trust"
                            + " issue "
                            + name
                            + " --host "
                            + machine
                            + ".");
        }
    }

    private X509Certificate requireGood(X509Certificate[] chain, String use)
            throws CertificateException {
        X509Certificate peer = chain[0];
        requireIssued(peer);
        String called = called(peer);
        Instant now = clock.instant();
        Instant from = peer.getNotBefore().toInstant();
        Instant until = peer.getNotAfter().toInstant();
        if (now.isAfter(until)) {
            throw new CertificateException(
                    called
                            + " expired at "
                            + Certificates.date(until)
                            + ", and it is "
                            + Certificates.date(now)
                            + " by this computer's clock. Where the authority is, \"farslot trust"
                            + " issue "
                            + Certificates.name(peer)
                            + "\" makes a new one; if the clock is wrong, set it.");
        }
        if (now.isBefore(from)) {
            throw new CertificateException(
                    called
                            + " is good from "
                            + Certificates.date(from)
                            + " on, and it is "
                            + Certificates.date(now)
                            + " by this computer's clock: one of the two computers' clocks is"
                            + " wrong.");
        }
        String objection = objection(peer);
        if (objection != null) {
            throw new CertificateException(objection);
        }
        requirePath(peer, called, now);
        List<String> uses = peer.getExtendedKeyUsage();
        if (peer.getBasicConstraints() >= 0 || uses == null || !uses.contains(use)) {
            throw new CertificateException(called + " is not for links of Farslot.");
        }
        if (Certificates.name(peer).isEmpty()) {
            throw new CertificateException(called + " has no short name.");
        }
        return peer;
    }

    private static String called(X509Certificate peer) {
        return "the certificate of \"" + shown(peer.getSubjectX500Principal().getName()) + "\"";
    }

    /** A stranger's words in a log of ours: short, and without control characters. */
    private static String shown(String text) {
        String plain = text.replaceFirst("^CN=", "").replaceAll("[^ -~]", "?");
        return plain.length() <= 64 ? plain : plain.substring(0, 64) + "...";
    }

    private void requireIssued(X509Certificate peer) throws CertificateException {
        if (isSignedBy(peer, own.authority().getPublicKey())) {
            return;
        }
        String site = Certificates.name(own.authority());
        String issuer = shown(peer.getIssuerX500Principal().getName());
        if (isSignedBy(peer, peer.getPublicKey())) {
            throw new CertificateException(
                    called(peer)
                            + " was made by its holder, not issued by the authority of this site,"
                            + " \""
                            + site
                            + "\".");
        }
        throw new CertificateException(
                called(peer)
                        + " was issued by "
                        + (issuer.equals(site)
                                ? "another authority of the same name, \"" + issuer + "\""
                                : "\"" + issuer + "\", not by this site's authority")
                        + (issuer.equals(site) ? "" : ", \"" + site + "\"")
                        + ": it is of another site.");
    }

    private static boolean isSignedBy(X509Certificate peer, PublicKey key) {
        try {
            peer.verify(key);
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    /** Why a certificate that was good is not any more; null while it is. */
    String objection(X509Certificate peer) {
        X509CRLEntry entry = revoked == null ? null : revoked.getRevokedCertificate(peer);
        return entry == null
                ? null
                : called(peer)
                        + " was revoked at "
                        + Certificates.date(entry.getRevocationDate().toInstant())
                        + ".";
    }

    /** What else a certificate must be: RFC 5280, 6.1, by the JDK. */
    private void requirePath(X509Certificate peer, String called, Instant now)
            throws CertificateException {
        try {
            PKIXParameters parameters =
                    new PKIXParameters(Set.of(new TrustAnchor(own.authority(), null)));
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            CertPathValidator.getInstance("PKIX")
                    .validate(
                            CertificateFactory.getInstance("X.509").generateCertPath(List.of(peer)),
                            parameters);
        } catch (CertPathValidatorException wrong) {
            throw new CertificateException(called + ": " + wrong.getMessage() + ".", wrong);
        } catch (GeneralSecurityException e) {
            throw new CertificateException(called + " cannot be checked: " + e + ".", e);
        }
    }

    // Links have engines alone.

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
            throws CertificateException {
        throw new CertificateException("not for sockets");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
            throws CertificateException {
        throw new CertificateException("not for sockets");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
            throws CertificateException {
        throw new CertificateException("not without an engine");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
            throws CertificateException {
        throw new CertificateException("not without an engine");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[] {own.authority()};
    }
}
