package farslot.analysis.diff;

import java.util.Arrays;
import java.util.List;

/**
 * One stream of two traces, paired: first items that say the same, then, in what is left between
 * them, items that ask the same, then items of one kind.
 */
final class StreamDiff {
    final String name;
    final ItemSequence a;
    final ItemSequence b;

    /** For each item of {@code a} its partner that says the same; -1 for none. */
    private final int[] same;

    /** Its partner that says something else. */
    private final int[] changed;

    private final boolean[] pairedB;

    /** Partners that stand elsewhere. */
    private final boolean[] movedA;

    private long movedCount;

    StreamDiff(String name, ItemSequence a, ItemSequence b) {
        this.name = name;
        this.a = a;
        this.b = b;
        this.same = new int[a.size()];
        this.changed = new int[a.size()];
        this.pairedB = new boolean[b.size()];
        this.movedA = new boolean[a.size()];
        Arrays.fill(same, -1);
        Arrays.fill(changed, -1);
    }

    /** An event of each trace at which both are at the same point: a mark. */
    record Anchor(long numberA, long numberB) {}

    /** Pairs items that say the same, between marks that both traces have. */
    void alignSame(List<Anchor> anchors) {
        int aFrom = 0;
        int bFrom = 0;
        for (Anchor anchor : anchors) {
            int aTo = Math.max(aFrom, a.from(anchor.numberA));
            int bTo = Math.max(bFrom, b.from(anchor.numberB));
            Alignment.align(a.whole(), aFrom, aTo, b.whole(), bFrom, bTo, same);
            aFrom = aTo;
            bFrom = bTo;
        }
        Alignment.align(a.whole(), aFrom, a.size(), b.whole(), bFrom, b.size(), same);
        for (int i = 0; i < same.length; i++) {
            if (same[i] >= 0) {
                pairedB[same[i]] = true;
                if (otherData(a.data(i), b.data(same[i]))) {
                    changed[i] = same[i];
                    same[i] = -1;
                }
            }
        }
    }

    private static boolean otherData(long a, long b) {
        return a != 0 && b != 0 && a != b;
    }

    boolean isLeftA(int i) {
        return same[i] < 0 && changed[i] < 0 && !movedA[i];
    }

    boolean isLeftB(int j) {
        return !pairedB[j];
    }

    /** An item of {@code a} has its partner at another place. */
    void moveA(int i) {
        movedA[i] = true;
        movedCount++;
    }

    /** An item of {@code b} has its partner at another place. */
    void moveB(int j) {
        pairedB[j] = true;
    }

    /** Pairs what is left, between what is paired, by what it asks, and then by its kind. */
    void alignChanged() {
        int aFrom = 0;
        int bFrom = 0;
        for (int i = 0; i <= a.size(); i++) {
            int partner = i < a.size() ? Math.max(same[i], changed[i]) : b.size();
            if (partner < 0) {
                continue;
            }
            gap(aFrom, i, bFrom, partner);
            aFrom = i + 1;
            bFrom = partner + 1;
        }
    }

    private void gap(int aFrom, int aTo, int bFrom, int bTo) {
        if (aFrom < aTo && bFrom < bTo) {
            gapBy(a.similar(), b.similar(), aFrom, aTo, bFrom, bTo);
            gapBy(a.kind(), b.kind(), aFrom, aTo, bFrom, bTo);
        }
    }

    private void gapBy(long[] keysA, long[] keysB, int aFrom, int aTo, int bFrom, int bTo) {
        int[] leftA = new int[aTo - aFrom];
        int[] leftB = new int[bTo - bFrom];
        long[] ofA = new long[leftA.length];
        long[] ofB = new long[leftB.length];
        int countA = 0;
        int countB = 0;
        for (int i = aFrom; i < aTo; i++) {
            if (isLeftA(i)) {
                leftA[countA] = i;
                ofA[countA++] = keysA[i];
            }
        }
        for (int j = bFrom; j < bTo; j++) {
            if (isLeftB(j)) {
                leftB[countB] = j;
                ofB[countB++] = keysB[j];
            }
        }
        int[] match = new int[countA];
        Arrays.fill(match, -1);
        Alignment.align(ofA, 0, countA, ofB, 0, countB, match);
        for (int i = 0; i < countA; i++) {
            if (match[i] >= 0) {
                changed[leftA[i]] = leftB[match[i]];
                pairedB[leftB[match[i]]] = true;
            }
        }
    }

    /** Its partner that says something else, or -1. */
    int changed(int i) {
        return changed[i];
    }

    /** How many items of {@code a} are as they should be, in their place. */
    long sameCount() {
        return Arrays.stream(same).filter(partner -> partner >= 0).count();
    }

    long changedCount() {
        return Arrays.stream(changed).filter(partner -> partner >= 0).count();
    }

    long movedCount() {
        return movedCount;
    }

    long onlyA() {
        long count = 0;
        for (int i = 0; i < a.size(); i++) {
            count += isLeftA(i) ? 1 : 0;
        }
        return count;
    }

    long onlyB() {
        long count = 0;
        for (int j = 0; j < b.size(); j++) {
            count += isLeftB(j) ? 1 : 0;
        }
        return count;
    }

    boolean hasDifferences() {
        return changedCount() + onlyA() + onlyB() > 0;
    }

    /** Whether its items may have come in another order. */
    boolean isConcurrent() {
        return DiffItems.isConcurrent(name);
    }
}
