package farslot.bench;

/**
 * What was measured: a row of {@code farslot bench}, whose members are its {@code --json}.
 *
 * @param value the measured thing's, the median of all rounds
 * @param unit of value and baseline: "ns", "us", "MB/s" or "1/s"
 * @param baseline the same done without Farslot, the median of the same rounds; null where there is
 *     no C compiler
 * @param ratio of value to baseline, the median of each round's; null without a baseline
 * @param target in words; null for what is reported only
 * @param met null without a target, or where it needs a baseline and there is none
 */
public record Row(
        String name,
        double value,
        String unit,
        Double baseline,
        Double ratio,
        String target,
        Boolean met) {}
