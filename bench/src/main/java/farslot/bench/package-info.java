/**
 * The measurements behind {@code farslot bench}: what an access costs on each path from a driver to
 * a device, as a ratio to what the bare socket below it costs in the same run.
 *
 * <p>Absolute times say more about the machine and its load than about Farslot, so every path is
 * measured in the same rounds, one after another, beside its {@link farslot.bench.PingPong}.
 *
 * <p>May use everything below the command line. Begin with {@link farslot.bench.AccessBench}; a new
 * path is a new {@link farslot.bench.Target}.
 */
package farslot.bench;
