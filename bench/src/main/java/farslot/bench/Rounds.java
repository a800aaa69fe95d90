package farslot.bench;

/**
 * How much is measured.
 *
 * @param warmUps rounds that do not count: until Java has compiled what runs often
 * @param counted rounds, of which medians are taken
 * @param part what is done of a whole round's work
 */
public record Rounds(int warmUps, int counted, double part) {
    /** What figures are published from. */
    public static final Rounds FULL = new Rounds(3, 9, 1);

    /** The hundredth part, which shows that everything can be measured and no more. */
    public static final Rounds SHORT = new Rounds(0, 2, 0.04);

    /** This part of a whole round's count, at least 1. */
    int of(int count) {
        return (int) Math.max(1, count * part);
    }
}
