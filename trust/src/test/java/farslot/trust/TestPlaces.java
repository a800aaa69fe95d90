package farslot.trust;

import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.LinkException;
import farslot.link.LinkOptions;
import farslot.link.LinkServer;
import farslot.link.ObservedEvent;
import farslot.link.Offer;
import farslot.link.Peer;
import farslot.link.RefusedException;
import farslot.link.Trust;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** Sites, their members and servers, each in a folder of the test's. */
final class TestPlaces {
    private TestPlaces() {}

    /** A clock that is wrong by so much. */
    static InstantSource clock(Duration ahead) {
        return () -> Instant.now().plus(ahead);
    }

    static InstantSource clock() {
        return InstantSource.system();
    }

    /** A site whose authority is alice, who is found at 127.0.0.1. */
    static TrustSetup site(Path folder, String name, InstantSource clock) throws TrustException {
        TrustSetup setup = new TrustSetup(folder, clock);
        setup.init(name, "alice", List.of("127.0.0.1"), 30);
        return setup;
    }

    /** The folder of somebody to whom the site issued an identity. */
    static Path member(TrustSetup site, Path folder, String name, InstantSource clock)
            throws TrustException {
        Path bundle = folder.resolveSibling(folder.getFileName() + ".pem");
        site.issue(name, List.of("127.0.0.1"), 30, bundle);
        new TrustSetup(folder, clock).take(bundle, false);
        return folder;
    }

    static LinkServer server(Trust trust) throws IOException {
        return LinkServer.open(
                LinkOptions.named("lender").withTrust(trust),
                new WhoAmI(),
                List.of(new Address.Tcp("127.0.0.1", 0)));
    }

    /** Who this is to that server. */
    static String whoAmI(LinkServer server, Trust trust) throws IOException, RefusedException {
        return whoAmI(server, trust, "127.0.0.1");
    }

    static String whoAmI(LinkServer server, Trust trust, String machine)
            throws IOException, RefusedException {
        try (ControlLink link = connect(server, trust, machine)) {
            return whoAmI(link);
        }
    }

    static ControlLink connect(LinkServer server, Trust trust, String machine)
            throws LinkException {
        Address.Tcp at = (Address.Tcp) server.addresses().getFirst();
        return ControlLink.connect(
                new Address.Tcp(machine, at.port()), LinkOptions.named("s").withTrust(trust));
    }

    static String whoAmI(ControlLink link) throws LinkException, RefusedException {
        return link.operate("who", Map.of()).getFirst().get("subject");
    }

    private static final class WhoAmI implements Offer {
        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) {
            return List.of(Map.of("subject", peer.subject()));
        }

        @Override
        public AutoCloseable observe(Peer peer, Consumer<ObservedEvent> observer) {
            return () -> {};
        }
    }

    /** Somebody with any certificate, who believes everybody. */
    record Gullible(Identity own) implements Trust {
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
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(
                        new KeyManager[] {new OwnKey(own)},
                        new TrustManager[] {new Believing()},
                        null);
                return context;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public String name() {
            return own.name();
        }

        @Override
        public String subject(SSLSession session) throws SSLException {
            return Certificates.name((X509Certificate) session.getPeerCertificates()[0]);
        }

        @Override
        public String objection(SSLSession session) {
            return null;
        }
    }

    private static final class Believing extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(
                X509Certificate[] chain, String type, java.net.Socket socket) {}

        @Override
        public void checkServerTrusted(
                X509Certificate[] chain, String type, java.net.Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
