package farslot.devices.nvme;

import farslot.core.FunctionDescription;
import farslot.sdk.decode.Completions;
import farslot.sdk.decode.Decoder;
import farslot.sdk.decode.DecoderProvider;
import farslot.sdk.decode.Transaction;
import java.util.function.Consumer;

/** The commands of every NVMe controller, Farslot's or another. */
public final class NvmeDecoderProvider implements DecoderProvider {
    /** Mass storage, non-volatile memory, NVM Express (PCI Code and ID Assignment 1.11). */
    private static final int CLASS_CODE = 0x010802;

    /** For {@link java.util.ServiceLoader}. */
    public NvmeDecoderProvider() {}

    @Override
    public String name() {
        return "nvme";
    }

    @Override
    public String summary() {
        return "NVMe commands with their latencies";
    }

    @Override
    public boolean decodes(FunctionDescription function) {
        return function.identity().classCode() == CLASS_CODE;
    }

    @Override
    public Decoder decoder(FunctionDescription function, Consumer<Transaction> found) {
        return new NvmeDecoder(found);
    }

    @Override
    public Completions completions(FunctionDescription function) {
        return new NvmeCompletions();
    }
}
