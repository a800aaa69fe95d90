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

/**
 * Reads a trace's transactions, in the order in which they end. Keeps no more than its decoders do.
 *
 * <p>For one thread.
 */
public final class TransactionReader {
    private final TraceReader trace;
    private final List<Decoder> decoders = new ArrayList<>();
    private final Deque<Transaction> found = new ArrayDeque<>();
    private boolean ended;

    /**
     * @param trace not yet read; closed by its owner
     * @param providers that decode its function
     */
    public TransactionReader(TraceReader trace, List<DecoderProvider> providers) {
        this.trace = trace;
        for (DecoderProvider provider : providers) {
            decoders.add(provider.decoder(trace.description(), found::add));
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
            Observation observation = TraceObservations.of(event);
            if (observation != null) {
                for (Decoder decoder : decoders) {
                    decoder.observe(observation);
                }
            }
        }
        return found.poll();
    }

    /** What a reader of all should know: the trace's remarks, and the decoders'. */
    public List<String> remarks() {
        List<String> all = new ArrayList<>(trace.remarks());
        decoders.forEach(decoder -> all.addAll(decoder.remarks()));
        return all;
    }
}
