package farslot.analysis.export;

import farslot.sdk.decode.Transaction;
import java.util.Arrays;

/**
 * Which events belong together: those in which a transaction's stages happened, as decoders found
 * them, by their numbers in the trace. Made in one reading of the trace, asked in the next, in the
 * events' order.
 */
final class EventFlows {
    private static final int ID_BITS = 26;
    private static final long MAX_ID = (1L << ID_BITS) - 1;
    private static final long MAX_NUMBER = (1L << (63 - ID_BITS)) - 1;

    /** An event's number, then the flow's id. */
    private long[] pairs = new long[1024];

    private int count;
    private long nextId = 1;
    private int next;

    /** A transaction of which several events are known is a flow. */
    void add(Transaction transaction) {
        boolean several =
                transaction.stages().stream()
                                .mapToLong(Transaction.Stage::number)
                                .distinct()
                                .count()
                        > 1;
        if (!several || nextId > MAX_ID) {
            return;
        }
        long before = -1;
        for (Transaction.Stage stage : transaction.stages()) {
            if (stage.number() != before && stage.number() >= 0 && stage.number() <= MAX_NUMBER) {
                add(stage.number() << ID_BITS | nextId);
            }
            before = stage.number();
        }
        nextId++;
    }

    private void add(long pair) {
        if (count == pairs.length) {
            pairs = Arrays.copyOf(pairs, 2 * count);
        }
        pairs[count++] = pair;
    }

    /** All are known. */
    void sort() {
        Arrays.sort(pairs, 0, count);
    }

    /** The id of a further flow of this event, or 0. Events are asked in rising order. */
    long next(long number) {
        while (next < count && pairs[next] >>> ID_BITS < number) {
            next++;
        }
        if (next == count || pairs[next] >>> ID_BITS != number) {
            return 0;
        }
        return pairs[next++] & MAX_ID;
    }
}
