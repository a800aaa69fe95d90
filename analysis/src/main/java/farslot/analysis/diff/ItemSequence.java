package farslot.analysis.diff;

import java.util.Arrays;

/** The items of one stream, as numbers alone: 48 bytes each. */
final class ItemSequence {
    private static final int FIRST_ROOM = 64;

    /** How far an order may lie ahead of what was added: commands end in another order. */
    private static final int MOST_AHEAD = 1 << 20;

    private long[] number = new long[FIRST_ROOM];
    private long[] whole = new long[FIRST_ROOM];
    private long[] similar = new long[FIRST_ROOM];
    private long[] kind = new long[FIRST_ROOM];
    private long[] data = new long[FIRST_ROOM];
    private long[] order = new long[FIRST_ROOM];
    private int size;
    private int added;

    /**
     * Takes an item at its order.
     *
     * @return whether there was room for it
     */
    boolean add(Item item) {
        if (item.order() > (long) added + MOST_AHEAD || item.order() < 0) {
            return false;
        }
        int at = (int) item.order();
        if (at >= whole.length) {
            grow(Math.max(at + 1, whole.length + (whole.length >> 1)));
        }
        number[at] = item.number();
        whole[at] = item.whole();
        similar[at] = item.similar();
        kind[at] = item.kind();
        data[at] = item.data();
        order[at] = item.order() + 1; // 0 says that none was added
        size = Math.max(size, at + 1);
        added++;
        return true;
    }

    private void grow(int room) {
        number = Arrays.copyOf(number, room);
        whole = Arrays.copyOf(whole, room);
        similar = Arrays.copyOf(similar, room);
        kind = Arrays.copyOf(kind, room);
        data = Arrays.copyOf(data, room);
        order = Arrays.copyOf(order, room);
    }

    /** Closes the gaps of orders at which nothing was added. */
    void finish() {
        int to = 0;
        for (int from = 0; from < size; from++) {
            if (order[from] == 0) {
                continue;
            }
            number[to] = number[from];
            whole[to] = whole[from];
            similar[to] = similar[from];
            kind[to] = kind[from];
            data[to] = data[from];
            order[to++] = order[from];
        }
        size = to;
    }

    int size() {
        return size;
    }

    /** The number of an item's first event. */
    long number(int at) {
        return number[at];
    }

    /** The order that the item had. */
    long order(int at) {
        return order[at] - 1;
    }

    long[] whole() {
        return whole;
    }

    long[] similar() {
        return similar;
    }

    long[] kind() {
        return kind;
    }

    long data(int at) {
        return data[at];
    }

    /** The first item whose first event has at least this number. */
    int from(long eventNumber) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (number[middle] < eventNumber) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
