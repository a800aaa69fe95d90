package farslot.watch;

import farslot.link.RefusedException;
import farslot.recorder.TraceOptions;
import java.util.List;
import java.util.Map;

/**
 * What a recording keeps, as the arguments of FOLLOW have it (docs/traces.md): "dma", which is
 * "whole", "digest" or "head:N".
 */
final class RecordingOptions {
    private static final List<String> NAMES = List.of("dma");

    /** It goes on for ever, and a follower that is further behind than this misses records. */
    private static final TraceOptions BUFFER =
            TraceOptions.DEFAULT.withLimitBytes(64L << 20).withFiles(4);

    private RecordingOptions() {}

    static TraceOptions parse(Map<String, String> arguments) throws RefusedException {
        for (String name : arguments.keySet()) {
            if (!NAMES.contains(name)) {
                throw refused(
                        "A recording has no option \""
                                + name
                                + "\"; there are "
                                + String.join(", ", NAMES)
                                + ".");
            }
        }
        TraceOptions options = BUFFER;
        try {
            if (arguments.containsKey("dma")) {
                options = options.withDmaData(TraceOptions.DmaData.parse(arguments.get("dma")));
            }
            return options;
        } catch (IllegalArgumentException e) {
            throw refused(e.getMessage());
        }
    }

    private static RefusedException refused(String sentence) {
        return new RefusedException(RefusedException.Reason.BAD_ARGUMENT, sentence);
    }
}
