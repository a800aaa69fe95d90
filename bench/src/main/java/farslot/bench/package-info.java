/**
 * The measurements behind "farslot bench": what Farslot costs, beside what the same work costs in
 * bare C. It measures the modules as they are used, so each end of a socket is a process of its
 * own.
 *
 * <p>Begin with {@link farslot.bench.Bench}; its {@link farslot.bench.Contest} interleaves the
 * measured thing with its baseline. The baselines are the C programs among the resources; {@link
 * farslot.bench.FarSide} is the other process of what is measured.
 */
package farslot.bench;
