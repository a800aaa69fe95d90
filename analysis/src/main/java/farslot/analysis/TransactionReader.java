package farslot.analysis;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import farslot.sdk.decode.Decoder;
import farslot.sdk.decode.DecoderProvider;
import farslot.sdk.decode.Observation;
import farslot.sdk.decode.Transaction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Predicate;

/**
 * Reads a trace's transactions, in the order in which they end. Keeps no more than its decoders do.
 *
 * <p>For one thread.
 */
public final class TransactionReader {
    private final TraceReader trace;
    private final List<Decoder> decoders = new ArrayList<>();
    private final Deque<Transaction> found = new ArrayDeque<>();
    private final Predicate<TraceEvent> wanted;
    private final EventNumbers wantedNumbers = new EventNumbers();
    private boolean ended;

    /** All transactions. */
    public TransactionReader(TraceReader trace, List<DecoderProvider> providers) {
        this(trace, providers, null);
    }

    /**
     * Only transactions with a stage that is a wanted event.
     *
     * @param trace not yet read; closed by its owner
     * @param providers that decode its function
     * @param wanted asked of each event in turn; null where all are wanted
     */
    public TransactionReader(
            TraceReader trace, List<DecoderProvider> providers, Predicate<TraceEvent> wanted) {
        this.trace = trace;
        this.wanted = wanted;
        for (DecoderProvider provider : providers) {
            decoders.add(provider.decoder(trace.description(), this::found));
        }
    }

    /**
     * The next transaction, or null at the end.
     *
     * @throws TraceException where the trace cannot be read on
     */
    public Transaction next() throws TraceException {
        while (found.isEmpty() && !ended) {
            TraceEvent event = trace.next();
            if (event == null) {
                decoders.forEach(Decoder::end);
                ended = true;
                continue;
            }
            if (wanted != null && wanted.test(event)) {
                wantedNumbers.add(event.stamp().number());
            }
            Observation observation = TraceObservations.of(event);
            if (observation != null) {
                for (Decoder decoder : decoders) {
                    decoder.observe(observation);
                }
            }
        }
        return found.poll();
    }

    private void found(Transaction transaction) {
        if (wanted == null
                || transaction.stages().stream()
                        .anyMatch(stage -> wantedNumbers.contains(stage.number()))) {
            found.add(transaction);
        }
    }

    /** What a reader of all should know: the trace's remarks, and the decoders'. */
    public List<String> remarks() {
        List<String> all = new ArrayList<>(trace.remarks());
        decoders.forEach(decoder -> all.addAll(decoder.remarks()));
        return all;
    }
}
