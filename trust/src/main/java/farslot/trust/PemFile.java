package farslot.trust;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/** A text file of keys, certificates and lists of revoked ones (RFC 7468). */
final class PemFile {
    static final String KEY = "PRIVATE KEY";
    static final String CERTIFICATE = "CERTIFICATE";
    static final String REVOKED = "X509 CRL";

    /** Far more than any of ours. */
    private static final long MOST_BYTES = 8 << 20;

    private static final String BEGIN = "-----BEGIN ";
    private static final String END = "-----END ";
    private static final String DASHES = "-----";

    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rw-------");

    /**
     * One thing in the file.
     *
     * @param line where it begins, from 1
     */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares or changes it.
    record Block(String label, byte[] bytes, int line) {}

    private final Path path;
    private final List<Block> blocks;

    private PemFile(Path path, List<Block> blocks) {
        this.path = path;
        this.blocks = blocks;
    }

    /**
     * Reads a file. One that has a private key must be its owner's alone.
     *
     * @throws TrustException with the line where it is broken, or the command that makes it private
     */
    static PemFile read(Path path) throws TrustException {
        List<String> lines;
        try {
            if (Files.size(path) > MOST_BYTES) {
                throw new TrustException(path + " is far too long to be a file of certificates.");
            }
            lines = Files.readAllLines(path, StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            throw new TrustException("There is no file " + path + ".", e);
        } catch (MalformedInputException e) {
            throw new TrustException(path + " is no text: no file of certificates (PEM).", e);
        } catch (TrustException e) {
            throw e;
        } catch (IOException e) {
            throw new TrustException(path + " cannot be read: " + e + ".", e);
        }
        PemFile file = new PemFile(path, parse(path, lines));
        if (file.has(KEY)) {
            file.requirePrivate();
        }
        return file;
    }

    private static List<Block> parse(Path path, List<String> lines) throws TrustException {
        List<Block> blocks = new ArrayList<>();
        StringBuilder text = null;
        String label = null;
        int begun = 0;
        for (int at = 0; at < lines.size(); at++) {
            String line = lines.get(at).strip();
            int number = at + 1;
            if (line.startsWith(BEGIN)) {
                if (text != null) {
                    throw broken(path, begun, label + " has no end before line " + number);
                }
                label = line.substring(BEGIN.length()).replace(DASHES, "");
                text = new StringBuilder();
                begun = number;
            } else if (line.startsWith(END)) {
                if (text == null || !line.equals(END + label + DASHES)) {
                    throw broken(path, number, "this ends what did not begin");
                }
                blocks.add(new Block(label, decode(path, begun, label, text), begun));
                text = null;
            } else if (text != null) {
                if (!line.matches("[A-Za-z0-9+/]*={0,2}")) {
                    throw broken(path, number, "this is no base64");
                }
                text.append(line);
            }
        }
        if (text != null) {
            throw broken(path, begun, label + " has no end");
        }
        if (blocks.isEmpty()) {
            throw new TrustException(
                    path + " has no line that begins with \"" + BEGIN + "\": it is no PEM file.");
        }
        return blocks;
    }

    private static byte[] decode(Path path, int line, String label, StringBuilder text)
            throws TrustException {
        try {
            return Base64.getDecoder().decode(text.toString());
        } catch (IllegalArgumentException e) {
            throw broken(path, line, label + " is no base64");
        }
    }

    private static TrustException broken(Path path, int line, String why) {
        return new TrustException(path + ", line " + line + ": " + why + ".");
    }

    private void requirePrivate() throws TrustException {
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(path);
            if (!OWNER_ONLY.containsAll(permissions)) {
                throw new TrustException(
                        path
                                + " has a private key and can be read by others than its owner ("
                                + PosixFilePermissions.toString(permissions)
                                + "): who read it can pass for its holder. If nobody can have,"
                                + " \"chmod 600 "
                                + path
                                + "\" mends it; else have the certificate revoked.");
            }
        } catch (TrustException e) {
            throw e;
        } catch (IOException e) {
            throw new TrustException(path + " cannot be looked at: " + e + ".", e);
        }
    }

    Path path() {
        return path;
    }

    boolean has(String label) {
        return blocks.stream().anyMatch(block -> block.label().equals(label));
    }

    /** Its only private key. */
    PrivateKey key() throws TrustException {
        List<Block> keys = all(KEY);
        if (keys.size() != 1) {
            throw new TrustException(
                    path + " has " + keys.size() + " private keys; it should have one.");
        }
        try {
            return KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(keys.getFirst().bytes()));
        } catch (GeneralSecurityException e) {
            throw broken(path, keys.getFirst().line(), "the private key is no elliptic-curve key");
        }
    }

    /** Its certificates, in order. */
    List<X509Certificate> certificates() throws TrustException {
        List<X509Certificate> certificates = new ArrayList<>();
        for (Block block : all(CERTIFICATE)) {
            try {
                certificates.add(
                        (X509Certificate)
                                CertificateFactory.getInstance("X.509")
                                        .generateCertificate(
                                                new ByteArrayInputStream(block.bytes())));
            } catch (CertificateException e) {
                throw broken(path, block.line(), "the certificate is broken: " + e.getMessage());
            }
        }
        return certificates;
    }

    /** Its list of revoked certificates; null where it has none. */
    X509CRL revoked() throws TrustException {
        List<Block> lists = all(REVOKED);
        if (lists.isEmpty()) {
            return null;
        }
        try {
            return (X509CRL)
                    CertificateFactory.getInstance("X.509")
                            .generateCRL(new ByteArrayInputStream(lists.getFirst().bytes()));
        } catch (CertificateException | CRLException e) {
            throw broken(
                    path,
                    lists.getFirst().line(),
                    "the list of revoked certificates is broken: " + e.getMessage());
        }
    }

    private List<Block> all(String label) {
        return blocks.stream().filter(block -> block.label().equals(label)).toList();
    }

    static String text(String label, byte[] bytes) {
        return BEGIN
                + label
                + DASHES
                + "\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes)
                + "\n"
                + END
                + label
                + DASHES
                + "\n";
    }

    /** Writes a file that its owner alone can read, at once: nobody sees half of it. */
    static void write(Path path, String text) throws TrustException {
        try {
            Path folder = path.toAbsolutePath().getParent();
            if (!Files.isDirectory(folder)) {
                Files.createDirectories(
                        folder,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            }
            Path fresh =
                    Files.createTempFile(
                            folder,
                            "." + path.getFileName(),
                            null,
                            PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            try {
                Files.writeString(fresh, text);
                Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(fresh);
            }
        } catch (IOException e) {
            throw new TrustException(path + " cannot be written: " + e + ".", e);
        }
    }
}
