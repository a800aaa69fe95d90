/**
 * Finding out from traces how a device and its driver work: what people ask of a trace once it is
 * recorded. Everything here reads {@code recorder}'s traces and its register names; heavy libraries
 * live here and never in a device's process.
 *
 * <p>Uses {@code recorder} and, for the decoders that a device brings, {@code sdk}. Begin with
 * {@code TransactionReader} for what lies above registers, {@code TraceReplay} for a trace as an
 * oracle, {@code TraceClone} for the beginnings of a device; comparison, SQL and exports have
 * packages of their own, {@code diff}, {@code query} and {@code export}.
 */
package farslot.analysis;
