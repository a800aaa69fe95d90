package farslot.link;

import java.io.IOException;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;

/**
 * Who this side is, and whom it believes, over TCP. The link speaks TLS with the engines that this
 * makes, and asks it whom a certificate names; what certificates must be is decided here.
 *
 * <p>The link itself sees to it that TLS is 1.3, that both sides prove who they are, and that
 * nothing of an earlier connection is taken up again: an engine is for one connection.
 *
 * <p><b>Threads.</b> Any, several at once.
 */
public interface Trust {
    /**
     * An engine for a connection that this side makes. It takes only a peer that is to be believed,
     * and that may speak for the machine asked for; what it throws where it does not is caused by a
     * {@link java.security.cert.CertificateException} with the sentence that says why.
     *
     * @param machine the name or address that the user gave
     * @throws IOException with a sentence: this side cannot prove who it is
     */
    SSLEngine client(String machine, int port) throws IOException;

    /** An engine for a connection that was made to this side; as {@link #client}. */
    SSLEngine server() throws IOException;

    /** The short name by which this side proves who it is: what {@link #subject} gives the peer. */
    String name();

    /** The short name in the certificate by which the peer proved who it is ("alice"). */
    String subject(SSLSession session) throws SSLException;

    /**
     * Why a peer that was believed is not any more: a sentence, or null while it is. Asked about
     * once a second for each connection, and must return at once.
     */
    String objection(SSLSession session);
}
