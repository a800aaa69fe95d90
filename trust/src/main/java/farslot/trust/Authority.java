package farslot.trust;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CRLConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * A site's authority: makes identities and revokes them. It is {@code authority.pem} in the folder
 * of whoever ran "farslot trust init", and a copy of every certificate that it issued. Keys are
 * P-256, which every TLS 1.3 has (RFC 8446, 9.1).
 */
final class Authority {
    static final String FILE = "authority.pem";
    static final String ISSUED = "issued";

    /** Locked while the list of revoked certificates is changed; empty. */
    private static final String LOCK = "revoking.lock";

    /** A file's lock is a process's; this one is a thread's. */
    private static final ReentrantLock REVOKING = new ReentrantLock();

    static final int AUTHORITY_DAYS = 3650;
    static final int IDENTITY_DAYS = 365;

    /** Clocks differ a little: certificates are good this much before they are made. */
    private static final Duration EARLIER = Duration.ofHours(1);

    private static final String SIGNATURE = "SHA256withECDSA";
    private static final int SERIAL_BITS = 127;

    private final Path folder;
    private final PrivateKey key;
    private final X509Certificate certificate;
    private final InstantSource clock;

    private Authority(
            Path folder, PrivateKey key, X509Certificate certificate, InstantSource clock) {
        this.folder = folder;
        this.key = key;
        this.certificate = certificate;
        this.clock = clock;
    }

    /** Makes a site's authority in a folder, which must have none. */
    static Authority create(Path folder, String site, int days, InstantSource clock)
            throws TrustException {
        Certificates.requireName(site);
        KeyPair keys = keys();
        X500Principal name = principal(site);
        Instant now = clock.instant();
        X509v3CertificateBuilder builder =
                new JcaX509v3CertificateBuilder(
                        name,
                        serial(),
                        Date.from(now.minus(EARLIER)),
                        Date.from(now.plus(Duration.ofDays(days))),
                        name,
                        keys.getPublic());
        try {
            // It signs identities and nothing between: a path of length 0.
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(
                    Extension.keyUsage,
                    true,
                    new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
            X509Certificate certificate = sign(builder, keys.getPrivate());
            PemFile.write(
                    folder.resolve(FILE),
                    PemFile.text(PemFile.KEY, keys.getPrivate().getEncoded())
                            + PemFile.text(PemFile.CERTIFICATE, certificate.getEncoded()));
            return new Authority(folder, keys.getPrivate(), certificate, clock);
        } catch (GeneralSecurityException | IOException e) {
            throw failed(e);
        }
    }

    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(FILE));
    }

    static Authority open(Path folder, InstantSource clock) throws TrustException {
        if (!isIn(folder)) {
            throw new TrustException(
                    "The site's authority is not here ("
                            + folder.resolve(FILE)
                            + "): it is with the user who ran \"farslot trust init\", and that user"
                            + " issues, renews and revokes.");
        }
        PemFile file = PemFile.read(folder.resolve(FILE));
        List<X509Certificate> certificates = file.certificates();
        if (certificates.size() != 1 || !Identity.isPair(file.key(), certificates.getFirst())) {
            throw new TrustException(
                    file.path() + " should have one private key and its one certificate.");
        }
        return new Authority(folder, file.key(), certificates.getFirst(), clock);
    }

    X509Certificate certificate() {
        return certificate;
    }

    /**
     * Makes an identity, and remembers its certificate.
     *
     * @param machines on which its holder may be a server, besides the one that has its name
     */
    Identity issue(String name, List<String> machines, int days) throws TrustException {
        Certificates.requireName(name);
        for (String machine : machines) {
            Certificates.requireMachine(machine);
        }
        KeyPair keys = keys();
        Instant now = clock.instant();
        Instant until = now.plus(Duration.ofDays(days));
        Instant end = certificate.getNotAfter().toInstant();
        BigInteger serial = serial();
        X509v3CertificateBuilder builder =
                new JcaX509v3CertificateBuilder(
                        certificate,
                        serial,
                        Date.from(now.minus(EARLIER)),
                        Date.from(until.isAfter(end) ? end : until),
                        principal(name),
                        keys.getPublic());
        try {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(
                    Extension.extendedKeyUsage,
                    false,
                    new ExtendedKeyUsage(
                            new KeyPurposeId[] {
                                KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                            }));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(certificate));
            builder.addExtension(
                    Extension.subjectAlternativeName, false, alternatives(name, machines));
            X509Certificate issued = sign(builder, key);
            PemFile.write(
                    folder.resolve(ISSUED).resolve(name + "-" + serial.toString(16) + ".crt"),
                    PemFile.text(PemFile.CERTIFICATE, issued.getEncoded()));
            return new Identity(keys.getPrivate(), issued, certificate, revoked());
        } catch (GeneralSecurityException | IOException e) {
            throw failed(e);
        }
    }

    private static GeneralNames alternatives(String name, List<String> machines) {
        Set<String> all = new LinkedHashSet<>(machines);
        all.add(name);
        return new GeneralNames(
                all.stream()
                        .map(machine ->
                                new GeneralName(
                                        Certificates.isAddress(machine)
                                                ? GeneralName.iPAddress
                                                : GeneralName.dNSName,
                                        machine))
                        .toArray(GeneralName[]::new));
    }

    /** What it issued, the latest of each name last. */
    List<X509Certificate> issued() throws TrustException {
        Path issued = folder.resolve(ISSUED);
        List<X509Certificate> all = new ArrayList<>();
        if (!Files.isDirectory(issued)) {
            return all;
        }
        try (Stream<Path> files = Files.list(issued)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".crt")).toList()) {
                all.addAll(PemFile.read(file).certificates());
            }
        } catch (TrustException e) {
            throw e;
        } catch (IOException e) {
            throw failed(e);
        }
        all.sort(
                java.util.Comparator.comparing((X509Certificate one) -> Certificates.name(one))
                        .thenComparing(X509Certificate::getNotBefore));
        return all;
    }

    /** What it revoked so far; null for nothing. */
    X509CRL revoked() throws TrustException {
        return RevokedList.read(folder.resolve(TrustFolder.REVOKED), certificate);
    }

    /**
     * Revokes all certificates that it issued under a name and that are good still. Others who
     * revoke at the same moment, in this process or another, wait: the list is read and written
     * whole, and what one adds is not to be lost by the other.
     *
     * @return how many; 0 where there is none
     */
    int revoke(String name) throws TrustException {
        REVOKING.lock();
        try (FileChannel channel =
                FileChannel.open(
                        folder.resolve(LOCK),
                        Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")))) {
            // Closing the file ends it.
            channel.lock();
            return revokeAlone(name);
        } catch (TrustException e) {
            throw e;
        } catch (IOException e) {
            throw failed(e);
        } finally {
            REVOKING.unlock();
        }
    }

    private int revokeAlone(String name) throws TrustException {
        X509CRL before = revoked();
        Instant now = clock.instant();
        JcaX509v2CRLBuilder builder = new JcaX509v2CRLBuilder(certificate, Date.from(now));
        // How fresh it is nobody can tell from a file: it counts until a later one comes.
        builder.setNextUpdate(certificate.getNotAfter());
        if (before != null && before.getRevokedCertificates() != null) {
            for (X509CRLEntry entry : before.getRevokedCertificates()) {
                builder.addCRLEntry(
                        entry.getSerialNumber(), entry.getRevocationDate(), CRLReason.unspecified);
            }
        }
        int count = 0;
        for (X509Certificate one : issued()) {
            boolean good = one.getNotAfter().toInstant().isAfter(now);
            if (Certificates.name(one).equals(name)
                    && good
                    && (before == null || before.getRevokedCertificate(one) == null)) {
                builder.addCRLEntry(one.getSerialNumber(), Date.from(now), CRLReason.unspecified);
                count++;
            }
        }
        if (count == 0) {
            return 0;
        }
        try {
            builder.addExtension(
                    Extension.cRLNumber,
                    false,
                    new CRLNumber(RevokedList.number(before).add(BigInteger.ONE)));
            X509CRL list = new JcaX509CRLConverter().getCRL(builder.build(signer(key)));
            PemFile.write(folder.resolve(TrustFolder.REVOKED), RevokedList.text(list));
        } catch (GeneralSecurityException | IOException e) {
            throw failed(e);
        }
        return count;
    }

    private static KeyPair keys() throws TrustException {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw failed(e);
        }
    }

    private static X500Principal principal(String name) {
        return new X500Principal("CN=" + name);
    }

    private static BigInteger serial() {
        return new BigInteger(SERIAL_BITS, new SecureRandom()).setBit(SERIAL_BITS - 1);
    }

    private static ContentSigner signer(PrivateKey key) throws TrustException {
        try {
            return new JcaContentSignerBuilder(SIGNATURE).build(key);
        } catch (OperatorCreationException e) {
            throw failed(e);
        }
    }

    private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key)
            throws GeneralSecurityException, TrustException {
        return new JcaX509CertificateConverter().getCertificate(builder.build(signer(key)));
    }

    private static TrustException failed(Exception because) {
        return because instanceof TrustException already
                ? already
                : new TrustException("A certificate cannot be made: " + because + ".", because);
    }
}
