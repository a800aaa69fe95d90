/**
 * Recordings over links: what a lender and a slot share to let others record and follow what passes
 * them, and what those others do with it.
 *
 * <p>Uses {@code link} and {@code recorder}, and knows neither lenders nor slots; who may do what
 * is decided before. Nothing here is on a function's path but the trace point: streams read what
 * was written, and no recorder waits for them.
 *
 * <p>Begin with {@link farslot.watch.Recordings} where something is recorded, with {@link
 * farslot.watch.RemoteTrace} where it is followed.
 */
package farslot.watch;
