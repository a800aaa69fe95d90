/**
 * What the author of a device writes to have its traces understood above single registers: commands
 * of a queue, frames, transfers.
 *
 * <p>A {@link farslot.sdk.decode.DecoderProvider} is found by {@link java.util.ServiceLoader} and
 * makes a {@link farslot.sdk.decode.Decoder} for one trace. The decoder is shown each {@link
 * farslot.sdk.decode.Observation} in order and gives {@link farslot.sdk.decode.Transaction}s, which
 * {@code farslot trace decode} prints and {@code farslot trace diff} compares. The decoder of
 * {@code devices/nvme} is the example to read.
 */
package farslot.sdk.decode;
