package farslot.link;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Security;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManagerFactory;
import javax.security.auth.x500.X500Principal;

/**
 * A site whose authority and certificates live as long as the test. The JDK reads certificates and
 * makes none, so they are put together here (RFC 5280, 4.1).
 */
final class TestSite {
    /** After so many bytes a cipher's key is changed: seldom in the field, always in the tests. */
    static final int KEY_LIMIT_LOG2 = 18;

    static {
        // Read once, by the first TLS of this process.
        Security.setProperty(
                "jdk.tls.keyLimits", "AES/GCM/NoPadding KeyUpdate 2^" + KEY_LIMIT_LOG2);
    }

    private static final char[] NO_PASSWORD = {};
    private static final byte[] ECDSA_WITH_SHA256 =
            der(0x30, der(0x06, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2));
    private static final byte[] IS_AUTHORITY =
            der(
                    0x30,
                    der(0x06, 0x55, 0x1d, 0x13),
                    der(0x01, 0xff),
                    der(0x04, der(0x30, der(0x01, 0xff))));

    static final TestSite SITE = new TestSite("site");

    private final String name;
    private final KeyPair keys = keyPair();
    private final X509Certificate authority;

    TestSite(String name) {
        this.name = name;
        authority = issue(name, keys, IS_AUTHORITY);
    }

    /** Somebody of this site, who believes everybody of this site. */
    Member member(String called) {
        return new Member(called);
    }

    final class Member implements Trust {
        /** Says of every peer why it is not believed any more. */
        volatile String objection;

        private final String name;
        private final KeyPair own = keyPair();
        private final X509Certificate certificate;

        private Member(String called) {
            name = called;
            certificate = issue(called, own);
        }

        @Override
        public SSLEngine client(String machine, int port) {
            return context().createSSLEngine(machine, port);
        }

        @Override
        public SSLEngine server() {
            return context().createSSLEngine();
        }

        private SSLContext context() {
            try {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(null, null);
                store.setKeyEntry(
                        "own", own.getPrivate(), NO_PASSWORD, new Certificate[] {certificate});
                KeyManagerFactory proofs = KeyManagerFactory.getInstance("PKIX");
                proofs.init(store, NO_PASSWORD);
                KeyStore believed = KeyStore.getInstance("PKCS12");
                believed.load(null, null);
                believed.setCertificateEntry("authority", authority);
                TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
                trust.init(believed);
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(proofs.getKeyManagers(), trust.getTrustManagers(), null);
                return context;
            } catch (GeneralSecurityException | IOException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public String subject(SSLSession session) throws SSLException {
            return session.getPeerPrincipal().getName().substring("CN=".length());
        }

        @Override
        public String objection(SSLSession session) {
            return objection;
        }
    }

    private static KeyPair keyPair() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private X509Certificate issue(String called, KeyPair owner, byte[]... extensions) {
        Instant now = Instant.now();
        byte[] fields =
                der(
                        0x30,
                        der(0xa0, der(0x02, 2)),
                        der(0x02, 1),
                        ECDSA_WITH_SHA256,
                        new X500Principal("CN=" + name).getEncoded(),
                        der(
                                0x30,
                                time(now.minus(1, ChronoUnit.DAYS)),
                                time(now.plus(1, ChronoUnit.DAYS))),
                        new X500Principal("CN=" + called).getEncoded(),
                        owner.getPublic().getEncoded(),
                        extensions.length == 0 ? new byte[0] : der(0xa3, der(0x30, extensions)));
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(keys.getPrivate());
            signature.update(fields);
            byte[] signed =
                    der(
                            0x30,
                            fields,
                            ECDSA_WITH_SHA256,
                            der(0x03, new byte[] {0}, signature.sign()));
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(signed));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] time(Instant at) {
        DateTimeFormatter utc = DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'");
        String text = utc.format(at.atOffset(ZoneOffset.UTC));
        return der(0x17, text.getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] der(int tag, int... bytes) {
        byte[] content = new byte[bytes.length];
        for (int at = 0; at < bytes.length; at++) {
            content[at] = (byte) bytes[at];
        }
        return der(tag, content);
    }

    /** ITU-T X.690, 8.1: tag, length, contents. */
    private static byte[] der(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            for (byte[] part : parts) {
                content.write(part);
            }
            out.write(tag);
            if (content.size() >= 0x100) {
                out.write(0x82);
                out.write(content.size() >> 8);
            } else if (content.size() >= 0x80) {
                out.write(0x81);
            }
            out.write(content.size());
            content.writeTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }
}
