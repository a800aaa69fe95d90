package farslot.bench;

/**
 * What accesses on one path cost: medians of the rounds. Its members are the {@code --json} of
 * {@code farslot bench}.
 *
 * @param path as {@link Target#name}
 * @param baseline the bare socket below it; null for that itself and where there is none
 * @param readMedianNanos of one 4-byte read, from call to value
 * @param readP99Nanos what 99 of 100 reads stay under
 * @param readRatio median read to that of the baseline, in the same round; 0 without one
 * @param writeNanos of one posted 4-byte write in a burst, all of it arrived
 * @param writeRatio likewise to the baseline's; 0 without one
 */
public record Measured(
        String path,
        String baseline,
        double readMedianNanos,
        double readP99Nanos,
        double readRatio,
        double writeNanos,
        double writeRatio) {}
