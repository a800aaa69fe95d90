/**
 * Who is who over the network: a site's authority, the certificates that it issues, and the folder
 * in which a user keeps what proves who he is and whom he believes. docs/trust.md has it in the
 * user's words, docs/protocol.md, "Transport", what certificates mean.
 *
 * <p>Uses {@code link}, whose {@link farslot.link.Trust} this is, and Bouncy Castle, which makes
 * certificates; the JDK only reads them. Begin with {@link farslot.trust.TrustFolder}, which
 * lenders and slots use with JDK classes alone; {@link farslot.trust.PeerCheck} decides whom they
 * believe; {@link farslot.trust.Authority} issues and revokes.
 */
package farslot.trust;
