/**
 * Finding out from traces how a device and its driver work: what people ask of a trace once it is
 * recorded. Everything here reads {@code recorder}'s traces and its register names; heavy libraries
 * live here and never in a device's process.
 *
 * <p>Uses {@code recorder} and, for the decoders that a device brings, {@code sdk}.
 */
package farslot.analysis;
