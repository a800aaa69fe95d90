package farslot.bench;

/**
 * What a measured value is to reach.
 *
 * @param words for people
 */
record Target(String words, Rule rule) {
    /** Whether the target is met; null where that cannot be told. */
    interface Rule {
        Boolean met(double value, Double baseline, Double ratio);
    }

    static final Target NONE = new Target(null, (value, baseline, ratio) -> null);

    static Target ratioAtMost(double most) {
        return new Target(
                "ratio <= " + most,
                (value, baseline, ratio) -> ratio == null ? null : ratio <= most);
    }

    static Target ratioAtLeast(double least) {
        return new Target(
                "ratio >= " + least,
                (value, baseline, ratio) -> ratio == null ? null : ratio >= least);
    }

    static Target valueAtLeast(int least) {
        return new Target(">= " + least, (value, baseline, ratio) -> value >= least);
    }

    static Target valueAtMost(int most) {
        return new Target("<= " + most, (value, baseline, ratio) -> value <= most);
    }

    /** A multiple of the baseline and something for getting there. */
    static Target atMost(double times, double more) {
        return new Target(
                String.format("<= %.0f x baseline + %.0f", times, more),
                (value, baseline, ratio) ->
                        baseline == null ? null : value <= times * baseline + more);
    }
}
