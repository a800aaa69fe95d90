package farslot.integration;

/** An ordering rule was broken, or kept from being tried: by which test, where, and how. */
final class LitmusViolation extends AssertionError {
    private static final long serialVersionUID = 1;

    private final LitmusRule rule;
    private final long round;

    LitmusViolation(LitmusRule rule, LitmusPath path, long round, long seed, String seen) {
        super(
                String.format(
                        "%s over %s, round %d, seed %d: %s. The rule: %s.",
                        rule, path, round, seed, seen, rule.sentence()));
        this.rule = rule;
        this.round = round;
    }

    LitmusRule rule() {
        return rule;
    }

    long round() {
        return round;
    }
}
