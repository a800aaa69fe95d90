package farslot.analysis;

import farslot.core.FunctionDescription;
import farslot.sdk.decode.Completions;
import farslot.sdk.decode.DecoderProvider;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/** The decoders that this program has, with those that devices bring. */
public final class Decoders {
    private Decoders() {}

    /** All, by name. */
    public static List<DecoderProvider> all() {
        return ServiceLoader.load(DecoderProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparing(DecoderProvider::name))
                .toList();
    }

    /** Those that understand a function, by name. */
    public static List<DecoderProvider> of(FunctionDescription function) {
        return all().stream().filter(provider -> provider.decodes(function)).toList();
    }

    /** What tells a function's completions from other DMA writes; null where nothing does. */
    public static Completions completions(FunctionDescription function) {
        return of(function).stream()
                .map(provider -> provider.completions(function))
                .filter(completions -> completions != null)
                .findFirst()
                .orElse(null);
    }
}
