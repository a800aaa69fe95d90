package farslot.sdk.decode;

import farslot.core.FunctionDescription;
import java.util.function.Consumer;

/**
 * Makes the decoders of one kind. A module {@code provides} it, and whoever reads traces finds it
 * with {@link java.util.ServiceLoader}.
 */
public interface DecoderProvider {
    /** What people choose it by: lower-case letters, digits and '-', as in "nvme". */
    String name();

    /** One line for lists, without a full stop: "NVMe commands with their latencies". */
    String summary();

    /** Whether it understands such a function: by its kind, class code, or identity. */
    boolean decodes(FunctionDescription function);

    /**
     * A decoder for one trace.
     *
     * @param found takes the transactions, on the thread that shows the observations
     */
    Decoder decoder(FunctionDescription function, Consumer<Transaction> found);

    /** Tells its completions from other DMA writes; null where no order is free. */
    default Completions completions(FunctionDescription function) {
        return null;
    }
}
