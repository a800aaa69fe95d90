package farslot.trust;

import farslot.link.Trust;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;

/**
 * What proves who a user is, and whom he believes: {@code identity.pem} and {@code revoked.crl} in
 * a folder. It is looked at every second: a renewed certificate, and a longer list of revoked ones,
 * count from then on, for connections that there are as well. What is broken changes nothing and is
 * said in the log.
 *
 * <p><b>Threads.</b> Any; it has one of its own, until closed.
 */
public final class TrustFolder implements Trust, AutoCloseable {
    static final String IDENTITY = "identity.pem";
    static final String REVOKED = "revoked.crl";

    private static final Logger LOG = System.getLogger("farslot.trust");
    private static final long LOOK_MILLIS = 1000;

    private final Path folder;
    private final InstantSource clock;
    private final Thread watch;
    private volatile Believed believed;
    private volatile boolean trouble;
    private String seen;
    private boolean closed;

    /** All that was read, taken over as one. */
    private record Believed(Identity own, X509CRL revoked, PeerCheck check) {}

    private TrustFolder(Path folder, InstantSource clock) throws TrustException {
        this.folder = folder;
        this.clock = clock;
        seen = stamps();
        believed = read();
        watch = Thread.ofPlatform().daemon(true).name("farslot-trust").start(this::watchLoop);
    }

    /** Whether there is an identity in a folder, good or broken. */
    public static boolean isSetUp(Path folder) {
        return Files.exists(folder.resolve(IDENTITY));
    }

    /** Opens a folder; its identity must be one. */
    public static TrustFolder open(Path folder) throws TrustException {
        return open(folder, InstantSource.system());
    }

    static TrustFolder open(Path folder, InstantSource clock) throws TrustException {
        return new TrustFolder(folder, clock);
    }

    private Believed read() throws TrustException {
        Identity own = Identity.read(folder.resolve(IDENTITY));
        X509CRL revoked = RevokedList.read(folder.resolve(REVOKED), own.authority());
        return new Believed(own, revoked, new PeerCheck(own, revoked, clock));
    }

    @Override
    public String name() {
        return believed.own().name();
    }

    @Override
    public SSLEngine client(String machine, int port) throws IOException {
        return context().createSSLEngine(machine, port);
    }

    @Override
    public SSLEngine server() throws IOException {
        return context().createSSLEngine();
    }

    /** A new one for each connection: so no session of an earlier one can be taken up again. */
    private SSLContext context() throws TrustException {
        Believed now = believed;
        requireGood(now.own(), now.revoked(), clock);
        try {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(
                    new KeyManager[] {new OwnKey(now.own())},
                    new TrustManager[] {now.check()},
                    null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new TrustException("TLS cannot be used with this Java: " + e + ".", e);
        }
    }

    /** Nobody need be asked to believe what this side itself knows to be of no use. */
    static void requireGood(Identity own, X509CRL revoked, InstantSource clock)
            throws TrustException {
        X509Certificate certificate = own.certificate();
        Instant from = certificate.getNotBefore().toInstant();
        Instant until = certificate.getNotAfter().toInstant();
        Instant at = clock.instant();
        String objection = new PeerCheck(own, revoked, clock).objection(certificate);
        if (objection != null) {
            throw new TrustException("This side cannot prove who it is: " + objection);
        }
        if (at.isAfter(until) || at.isBefore(from)) {
            throw new TrustException(
                    "This side cannot prove who it is: the certificate of \""
                            + own.name()
                            + "\" is good from "
                            + Certificates.date(from)
                            + " to "
                            + Certificates.date(until)
                            + ", and it is "
                            + Certificates.date(at)
                            + " by this computer's clock. Set the clock if it is wrong; else have"
                            + " another issued where the authority is: \"farslot trust renew\" for"
                            + " yourself, \"farslot trust issue "
                            + own.name()
                            + "\" for others.");
        }
    }

    @Override
    public String subject(SSLSession session) throws SSLPeerUnverifiedException {
        return Certificates.name((X509Certificate) session.getPeerCertificates()[0]);
    }

    @Override
    public String objection(SSLSession session) {
        try {
            return believed.check().objection((X509Certificate) session.getPeerCertificates()[0]);
        } catch (SSLPeerUnverifiedException e) {
            return "It has proven nothing.";
        }
    }

    X509Certificate certificate() {
        return believed.own().certificate();
    }

    /** Whether what is in the folder now cannot be used, and what was there before counts. */
    boolean hasTrouble() {
        return trouble;
    }

    // Looking for changes.

    private void watchLoop() {
        synchronized (this) {
            while (!closed) {
                try {
                    wait(LOOK_MILLIS);
                } catch (InterruptedException e) {
                    return;
                }
                look();
            }
        }
    }

    private void look() {
        String now = stamps();
        if (now.equals(seen)) {
            return;
        }
        seen = now;
        try {
            believed = read();
            trouble = false;
            LOG.log(Level.INFO, "{0} has changed, and what it says now counts.", folder);
        } catch (TrustException e) {
            trouble = true;
            LOG.log(Level.WARNING, "{0} What was read before goes on to count.", e.getMessage());
        }
    }

    private String stamps() {
        StringBuilder stamps = new StringBuilder();
        for (String name : List.of(IDENTITY, REVOKED)) {
            try {
                BasicFileAttributes file =
                        Files.readAttributes(folder.resolve(name), BasicFileAttributes.class);
                stamps.append(file.lastModifiedTime()).append(' ').append(file.size());
                stamps.append(' ').append(Objects.toString(file.fileKey())).append('\n');
            } catch (IOException absent) {
                stamps.append("-\n");
            }
        }
        return stamps.toString();
    }

    /** Ends the looking; connections that there are go on. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        watch.interrupt();
    }
}
