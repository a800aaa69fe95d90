package farslot.analysis.diff;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.stream.IntStream;

/**
 * Pairs equal numbers of two sequences, in their order, so that few are left over: what stands once
 * in both is paired first (Cohen's patience diff), what lies between by Myers's algorithm ("An
 * O(ND) Difference Algorithm and Its Variations", 1986, in linear space). Where two pieces differ
 * too much, Myers's search ends early, as in GNU diff: the result is a valid pairing, perhaps not
 * the longest. Time is near linear for what is alike, and bounded by some hundred steps a number
 * for what is not.
 */
final class Alignment {
    /** How many edits are tried before a piece is cut where the search has come to. */
    private static final int MOST_EDITS = 256;

    /** How often pieces are cut at what is unique, before Myers takes them. */
    private static final int MAX_DEPTH = 40;

    private final long[] a;
    private final long[] b;
    private final int[] match;
    private final Deque<Piece> left = new ArrayDeque<>();

    /** A piece of both sequences, ends excluded. */
    private record Piece(int aFrom, int aTo, int bFrom, int bTo, int depth) {}

    private Alignment(long[] a, long[] b, int[] match) {
        this.a = a;
        this.b = b;
        this.match = match;
    }

    /**
     * Aligns {@code a[aFrom, aTo)} with {@code b[bFrom, bTo)}. The pairs are the same ones, turned
     * round, if {@code a} and {@code b} are exchanged.
     *
     * @param match takes for each index of {@code a} its partner's in {@code b}; where there is
     *     none, it stays as it is
     */
    static void align(long[] a, int aFrom, int aTo, long[] b, int bFrom, int bTo, int[] match) {
        if (Arrays.compare(a, aFrom, aTo, b, bFrom, bTo) > 0) {
            Shared pairs = new Shared(b, bFrom, bTo, a, aFrom, aTo);
            pairs.forEach((inB, inA) -> match[inA] = inB);
        } else {
            Shared pairs = new Shared(a, aFrom, aTo, b, bFrom, bTo);
            pairs.forEach((inA, inB) -> match[inA] = inB);
        }
    }

    /** What both have, aligned: what one alone has finds no partner, and takes no time so. */
    private static final class Shared {
        private final int[] placesA;
        private final int[] placesB;
        private final int[] match;

        Shared(long[] a, int aFrom, int aTo, long[] b, int bFrom, int bTo) {
            Places places = new Places(aTo - aFrom + bTo - bFrom);
            for (int i = aFrom; i < aTo; i++) {
                places.inA[places.find(a[i])] = i;
            }
            for (int j = bFrom; j < bTo; j++) {
                places.inB[places.find(b[j])] = j;
            }
            placesA = shared(places, a, aFrom, aTo);
            placesB = shared(places, b, bFrom, bTo);
            match = new int[placesA.length];
            Arrays.fill(match, -1);
            Alignment alignment = new Alignment(of(a, placesA), of(b, placesB), match);
            alignment.left.push(new Piece(0, placesA.length, 0, placesB.length, 0));
            while (!alignment.left.isEmpty()) {
                alignment.step(alignment.left.pop());
            }
        }

        private static int[] shared(Places places, long[] of, int from, int to) {
            return IntStream.range(from, to)
                    .filter(i -> {
                        int at = places.find(of[i]);
                        return places.inA[at] >= 0 && places.inB[at] >= 0;
                    })
                    .toArray();
        }

        private static long[] of(long[] numbers, int[] places) {
            return Arrays.stream(places).mapToLong(at -> numbers[at]).toArray();
        }

        void forEach(Pair pairs) {
            for (int i = 0; i < match.length; i++) {
                if (match[i] >= 0) {
                    pairs.take(placesA[i], placesB[match[i]]);
                }
            }
        }
    }

    /** Takes two indexes whose numbers are equal. */
    private interface Pair {
        void take(int one, int other);
    }

    private void step(Piece piece) {
        int aFrom = piece.aFrom;
        int aTo = piece.aTo;
        int bFrom = piece.bFrom;
        int bTo = piece.bTo;
        while (aFrom < aTo && bFrom < bTo && a[aFrom] == b[bFrom]) {
            match[aFrom++] = bFrom++;
        }
        while (aFrom < aTo && bFrom < bTo && a[aTo - 1] == b[bTo - 1]) {
            match[--aTo] = --bTo;
        }
        if (aFrom == aTo || bFrom == bTo) {
            return;
        }
        Piece rest = new Piece(aFrom, aTo, bFrom, bTo, piece.depth);
        if (piece.depth >= MAX_DEPTH || !cutAtUnique(rest)) {
            cutInTheMiddle(rest);
        }
    }

    /** An index of a number that stands once, in open addressing; -1 for none, -2 for several. */
    private static final class Places {
        final long[] keys;
        final int[] inA;
        final int[] inB;
        final boolean[] used;
        final int mask;

        Places(int count) {
            int room = Integer.highestOneBit(Math.max(8, count)) * 4;
            keys = new long[room];
            inA = new int[room];
            inB = new int[room];
            used = new boolean[room];
            mask = room - 1;
            Arrays.fill(inA, -1);
            Arrays.fill(inB, -1);
        }

        int find(long key) {
            int at = (int) (key ^ key >>> 32) & mask;
            while (used[at] && keys[at] != key) {
                at = (at + 1) & mask;
            }
            used[at] = true;
            keys[at] = key;
            return at;
        }
    }

    private boolean cutAtUnique(Piece piece) {
        int shorter = Math.min(piece.aTo - piece.aFrom, piece.bTo - piece.bFrom);
        if (shorter < 4) {
            return false;
        }
        Places places = new Places(piece.aTo - piece.aFrom + piece.bTo - piece.bFrom);
        for (int i = piece.aFrom; i < piece.aTo; i++) {
            int at = places.find(a[i]);
            places.inA[at] = places.inA[at] == -1 ? i : -2;
        }
        for (int j = piece.bFrom; j < piece.bTo; j++) {
            int at = places.find(b[j]);
            places.inB[at] = places.inB[at] == -1 ? j : -2;
        }
        int[] anchorsA = new int[shorter];
        int[] anchorsB = new int[shorter];
        int count = 0;
        for (int i = piece.aFrom; i < piece.aTo; i++) {
            int at = places.find(a[i]);
            if (places.inA[at] == i && places.inB[at] >= 0) {
                anchorsA[count] = i;
                anchorsB[count++] = places.inB[at];
            }
        }
        if (count == 0) {
            return false;
        }
        cut(piece, anchorsA, anchorsB, longestRising(anchorsB, count));
        return true;
    }

    /** The indexes of a longest rising subsequence. */
    private static int[] longestRising(int[] values, int count) {
        int[] tails = new int[count];
        int[] before = new int[count];
        int length = 0;
        for (int i = 0; i < count; i++) {
            int low = 0;
            int high = length;
            while (low < high) {
                int middle = (low + high) >>> 1;
                if (values[tails[middle]] < values[i]) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            before[i] = low == 0 ? -1 : tails[low - 1];
            tails[low] = i;
            length = Math.max(length, low + 1);
        }
        int[] rising = new int[length];
        int at = tails[length - 1];
        for (int i = length - 1; i >= 0; i--) {
            rising[i] = at;
            at = before[at];
        }
        return rising;
    }

    private void cut(Piece piece, int[] anchorsA, int[] anchorsB, int[] chosen) {
        int aAt = piece.aFrom;
        int bAt = piece.bFrom;
        for (int index : chosen) {
            match[anchorsA[index]] = anchorsB[index];
            push(aAt, anchorsA[index], bAt, anchorsB[index], piece.depth + 1);
            aAt = anchorsA[index] + 1;
            bAt = anchorsB[index] + 1;
        }
        push(aAt, piece.aTo, bAt, piece.bTo, piece.depth + 1);
    }

    private void push(int aFrom, int aTo, int bFrom, int bTo, int depth) {
        if (aFrom < aTo && bFrom < bTo) {
            left.push(new Piece(aFrom, aTo, bFrom, bTo, depth));
        }
    }

    /**
     * Myers's middle snake: forward from the beginning and backward from the end until they meet.
     */
    private void cutInTheMiddle(Piece piece) {
        int n = piece.aTo - piece.aFrom;
        int m = piece.bTo - piece.bFrom;
        int delta = n - m;
        int effort = Math.min((n + m + 1) / 2, MOST_EDITS);
        int zero = effort + 1;
        int[] forward = new int[2 * effort + 3];
        int[] backward = new int[2 * effort + 3];
        for (int d = 0; d <= effort; d++) {
            for (int k = -d; k <= d; k += 2) {
                int x = reach(forward, zero, d, k);
                int y = x - k;
                while (x < n && y < m && y >= 0 && a[piece.aFrom + x] == b[piece.bFrom + y]) {
                    x++;
                    y++;
                }
                forward[zero + k] = x;
                boolean meets = (delta & 1) != 0 && Math.abs(delta - k) < d;
                if (meets && inside(x, y, n, m) && x + backward[zero + delta - k] >= n) {
                    split(piece, x, y);
                    return;
                }
            }
            for (int k = -d; k <= d; k += 2) {
                int x = reach(backward, zero, d, k);
                int y = x - k;
                while (x < n && y < m && y >= 0 && a[piece.aTo - 1 - x] == b[piece.bTo - 1 - y]) {
                    x++;
                    y++;
                }
                backward[zero + k] = x;
                boolean meets = (delta & 1) == 0 && Math.abs(delta - k) <= d;
                if (meets && inside(x, y, n, m) && x + forward[zero + delta - k] >= n) {
                    split(piece, n - x, m - y);
                    return;
                }
            }
        }
        splitAtFurthest(piece, forward, backward, effort);
    }

    private static int reach(int[] reached, int zero, int d, int k) {
        if (d == 0) {
            return 0;
        }
        boolean down = k == -d || (k != d && reached[zero + k - 1] < reached[zero + k + 1]);
        return down ? reached[zero + k + 1] : reached[zero + k - 1] + 1;
    }

    private static boolean inside(int x, int y, int n, int m) {
        return x >= 0 && y >= 0 && x <= n && y <= m;
    }

    /** The search took too long: whichever end came further is cut off where it came to. */
    private void splitAtFurthest(Piece piece, int[] forward, int[] backward, int effort) {
        int n = piece.aTo - piece.aFrom;
        int m = piece.bTo - piece.bFrom;
        int zero = effort + 1;
        int best = -1;
        int bestX = 0;
        int bestY = 0;
        for (int k = -effort; k <= effort; k += 2) {
            int x = Math.min(forward[zero + k], n);
            int y = x - k;
            if (inside(x, y, n, m) && x + y > best) {
                best = x + y;
                bestX = x;
                bestY = y;
            }
            int back = Math.min(backward[zero + k], n);
            int backY = back - k;
            if (inside(back, backY, n, m) && back + backY > best) {
                best = back + backY;
                bestX = n - back;
                bestY = m - backY;
            }
        }
        split(piece, bestX, bestY);
    }

    private void split(Piece piece, int x, int y) {
        int aAt = piece.aFrom + x;
        int bAt = piece.bFrom + y;
        boolean first = aAt == piece.aFrom && bAt == piece.bFrom;
        boolean last = aAt == piece.aTo && bAt == piece.bTo;
        if (first || last) {
            return; // nothing in it is equal in order
        }
        push(piece.aFrom, aAt, piece.bFrom, bAt, MAX_DEPTH);
        push(aAt, piece.aTo, bAt, piece.bTo, MAX_DEPTH);
    }
}
