package farslot.link;

import farslot.link.Connector.Connected;
import farslot.link.LinkException.Cause;
import farslot.link.Messages.Preamble;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.security.cert.CertificateException;
import java.util.Arrays;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/**
 * The TLS handshake on a new TCP connection: TLS 1.3 alone, and both sides prove who they are. A
 * peer that dawdles is given up. docs/protocol.md, "Transport".
 */
final class TlsHandshake {
    /** What the two sides will speak in TLS (ALPN, RFC 7301), so that it is nothing else. */
    private static final String PROTOCOL = "farslot/1";

    private static final String TLS = "TLSv1.3";

    /** The fastest first. */
    private static final String[] SUITES = {
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"
    };

    /** A fatal alert, protocol_version, in the clear: names this side to who speaks no TLS. */
    private static final byte[] NO_TLS_ALERT = {0x15, 3, 3, 0, 2, 2, 70};

    /** How long who was turned away may take to read why. */
    private static final int LINGER_MILLIS = 500;

    private static final ByteBuffer[] NOTHING = {ByteBuffer.allocate(0)};

    private final SocketChannel channel;
    private final SSLEngine engine;
    private final String who;
    private final boolean client;
    private final ByteBuffer plain;
    private final ByteBuffer departing;

    /** Ready to be read. */
    private final ByteBuffer arrived;

    private boolean isTls;

    /** For how long more this side waits for bytes of the peer. */
    private long patienceNanos = Connection.HANDSHAKE_NANOS;

    private TlsHandshake(SocketChannel channel, SSLEngine engine, String who, boolean client) {
        this.channel = channel;
        this.engine = engine;
        this.who = who;
        this.client = client;
        engine.setUseClientMode(client);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(new String[] {TLS});
        parameters.setCipherSuites(SUITES);
        parameters.setApplicationProtocols(new String[] {PROTOCOL});
        if (!client) {
            parameters.setNeedClientAuth(true);
        }
        engine.setSSLParameters(parameters);
        int record = engine.getSession().getPacketBufferSize();
        plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
        departing = ByteBuffer.allocate(record);
        arrived = ByteBuffer.allocate(record).flip();
    }

    /** As who connected. The channel stays the caller's where this throws. */
    static Connected connect(SocketChannel channel, Address.Tcp to, Trust trust)
            throws IOException {
        SSLEngine engine = trust.client(to.host(), to.port());
        TlsHandshake handshake = new TlsHandshake(channel, engine, "The lender at " + to, true);
        return handshake.run(trust, Connector.remote(channel));
    }

    /** As who was connected to. The channel stays the caller's where this throws. */
    static Connected accept(SocketChannel channel, Trust trust) throws IOException {
        Address.Tcp from = Connector.remote(channel);
        TlsHandshake handshake = new TlsHandshake(channel, trust.server(), from.toString(), false);
        return handshake.run(trust, from);
    }

    private Connected run(Trust trust, Address.Tcp remote) throws IOException {
        try {
            shakeHands();
            if (!engine.getSession().getProtocol().equals(TLS)
                    || !PROTOCOL.equals(engine.getApplicationProtocol())) {
                throw new LinkException(
                        Cause.NO_FARSLOT,
                        who + " speaks TLS, but not the link protocol in it: it is no Farslot.");
            }
            String subject = trust.subject(engine.getSession());
            Peer peer =
                    new Peer(subject + " at " + remote, subject, "", true, -1, -1, remote.host());
            return new Connected(new TlsWire(channel, engine, trust, arrived), peer);
        } catch (SSLException failed) {
            turnAway();
            throw explained(failed);
        } catch (SocketTimeoutException silent) {
            throw new LinkException(
                    Cause.NO_FARSLOT,
                    who
                            + " dawdles with the TLS handshake, which has "
                            + Connection.HANDSHAKE_NANOS / 1_000_000_000
                            + " s: no Farslot, a stopped one, or a slow way to it.",
                    silent);
        }
    }

    private void shakeHands() throws IOException {
        engine.beginHandshake();
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> doTasks(engine);
                case NEED_WRAP -> send();
                case NEED_UNWRAP -> receive();
                default -> {
                    return;
                }
            }
        }
    }

    static void doTasks(SSLEngine engine) {
        for (Runnable task = engine.getDelegatedTask();
                task != null;
                task = engine.getDelegatedTask()) {
            task.run();
        }
    }

    private void send() throws IOException {
        departing.clear();
        engine.wrap(NOTHING, departing);
        departing.flip();
        while (departing.hasRemaining()) {
            channel.write(departing);
        }
    }

    private void receive() throws IOException {
        SSLEngineResult.Status status = SSLEngineResult.Status.BUFFER_UNDERFLOW;
        if (arrived.hasRemaining()) {
            status = engine.unwrap(arrived, plain).getStatus();
        }
        if (status == SSLEngineResult.Status.CLOSED) {
            throw closed();
        }
        if (status != SSLEngineResult.Status.BUFFER_UNDERFLOW) {
            return;
        }
        arrived.compact();
        int count = readWithin();
        arrived.flip();
        if (count < 0) {
            throw closed();
        }
        if (!isTls) {
            requireTls();
            isTls = true;
        }
    }

    /** Reads what there is, and waits for it no longer than patience lasts. */
    private int readWithin() throws IOException {
        if (patienceNanos <= 0) {
            throw new SocketTimeoutException();
        }
        long begun = System.nanoTime();
        channel.socket().setSoTimeout((int) Math.max(1, patienceNanos / 1_000_000));
        int count =
                channel.socket()
                        .getInputStream()
                        .read(arrived.array(), arrived.position(), arrived.remaining());
        patienceNanos -= System.nanoTime() - begun;
        arrived.position(arrived.position() + Math.max(0, count));
        return count;
    }

    private LinkException closed() {
        return new LinkException(
                Cause.NO_FARSLOT, who + " closed the connection during the TLS handshake.");
    }

    /** Names who speaks something else, before TLS has only a number for it. */
    private void requireTls() throws IOException {
        byte[] first =
                Arrays.copyOfRange(
                        arrived.array(),
                        arrived.arrayOffset() + arrived.position(),
                        arrived.arrayOffset() + arrived.limit());
        if (Stranger.isTls(first)) {
            return;
        }
        byte[] magic = Preamble.MAGIC;
        int have = Math.min(first.length, magic.length);
        if (!client) {
            channel.write(ByteBuffer.wrap(NO_TLS_ALERT));
            linger();
        }
        if (!Arrays.equals(first, 0, have, magic, 0, have)) {
            throw new LinkException(
                    Cause.NO_FARSLOT, who + " is no Farslot: " + Stranger.name(first) + ".");
        }
        throw new LinkException(
                Cause.UNTRUSTED,
                who
                        + " speaks in plain text, as --insecure says, and this side TLS: leave"
                        + " --insecure out there (\"farslot trust\" gives it the certificate that"
                        + " it needs), or say it on both sides.");
    }

    /** Tells the peer by an alert, and waits a moment for it to be read. */
    private void turnAway() {
        try {
            while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
                send();
                if (departing.limit() == 0) {
                    break;
                }
            }
            linger();
        } catch (IOException gone) {
            // The peer was first, and knows enough.
        }
    }

    /** A close with bytes unread would be a reset, which overtakes what was written. */
    private void linger() throws IOException {
        channel.shutdownOutput();
        long until = System.nanoTime() + LINGER_MILLIS * 1_000_000L;
        byte[] dropped = new byte[0x1000];
        long left = LINGER_MILLIS;
        while (left > 0) {
            channel.socket().setSoTimeout((int) left);
            try {
                if (channel.socket().getInputStream().read(dropped) < 0) {
                    return;
                }
            } catch (SocketTimeoutException slow) {
                return;
            }
            left = (until - System.nanoTime()) / 1_000_000;
        }
    }

    private LinkException explained(SSLException failed) {
        for (Throwable why = failed; why != null; why = why.getCause()) {
            if (why instanceof CertificateException) {
                return new LinkException(Cause.UNTRUSTED, who + ": " + why.getMessage(), failed);
            }
        }
        LinkException refused = refusal(failed, who);
        return refused != null
                ? refused
                : new LinkException(
                        Cause.UNTRUSTED,
                        who + ": the TLS handshake failed: " + failed.getMessage() + ".",
                        failed);
    }

    /**
     * What a failure of TLS after the handshake means. A client learns only then that the server
     * does not take its certificate: TLS 1.3 has no answer to it but silence.
     */
    static IOException broken(SSLException failed) {
        LinkException refused = refusal(failed, "The other side");
        return refused != null
                ? refused
                : new IOException("what came by TLS is broken: " + failed.getMessage(), failed);
    }

    /** The peer's alert about this side's certificate in words; null where it is none of these. */
    private static LinkException refusal(SSLException failed, String who) {
        String message = String.valueOf(failed.getMessage());
        int at = message.lastIndexOf("alert: ");
        String alert = at < 0 ? "" : message.substring(at + "alert: ".length());
        // RFC 8446, 6.2.
        return switch (alert) {
            case "bad_certificate",
                    "unsupported_certificate",
                    "certificate_revoked",
                    "certificate_expired",
                    "certificate_unknown",
                    "unknown_ca",
                    "access_denied",
                    "certificate_required" ->
                    new LinkException(
                            Cause.UNTRUSTED,
                            who
                                    + " does not take this side's certificate (TLS alert "
                                    + alert
                                    + "): it is of another site, out of date by one of the two"
                                    + " clocks, or revoked. The other side's log says which;"
                                    + " \"farslot trust show\" shows what this side has.",
                            failed);
            case "no_application_protocol", "protocol_version", "handshake_failure" ->
                    new LinkException(
                            Cause.NO_FARSLOT,
                            who
                                    + " speaks TLS, but not the link protocol in it (TLS alert "
                                    + alert
                                    + "): no Farslot, or another release of it.",
                            failed);
            default -> null;
        };
    }
}
