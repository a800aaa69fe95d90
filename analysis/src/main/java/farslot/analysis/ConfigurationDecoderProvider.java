package farslot.analysis;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.recorder.TraceNames;
import farslot.sdk.decode.Decoder;
import farslot.sdk.decode.DecoderProvider;
import farslot.sdk.decode.Transaction;
import java.util.function.Consumer;

/** What is set in configuration space, of every function. */
public final class ConfigurationDecoderProvider implements DecoderProvider {
    /** What {@code --only} calls it. */
    public static final String NAME = "pci";

    /** For {@link java.util.ServiceLoader}. */
    public ConfigurationDecoderProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "What the driver's side set in configuration space";
    }

    @Override
    public boolean decodes(FunctionDescription function) {
        return true;
    }

    @Override
    public Decoder decoder(FunctionDescription function, Consumer<Transaction> found) {
        return new ConfigurationDecoder(
                function, TraceNames.of(function).domain(Region.CONFIGURATION), found);
    }
}
