/**
 * The link: what carries a function from its lender to a slot, over a UNIX socket or TCP, as
 * docs/protocol.md lays down. At the slot a link is a {@link farslot.link.RemoteFunction}; at the
 * lender a {@link farslot.link.LinkServer} drives the functions that an {@link farslot.link.Offer}
 * grants, as their {@code PciHost}. A {@link farslot.link.ControlLink} lists, operates, observes.
 *
 * <p>Uses {@code core} and, for descriptors and credentials, {@code posix}. Begin with {@code
 * Messages}, which holds the layouts in the document's order; then {@code Connection}, which moves
 * them; then the two ends.
 */
package farslot.link;
