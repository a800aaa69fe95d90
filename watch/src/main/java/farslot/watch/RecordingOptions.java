package farslot.watch;

import farslot.core.FunctionDescription;
import farslot.link.RefusedException;
import farslot.recorder.Condition;
import farslot.recorder.ConditionException;
import farslot.recorder.RangeMode;
import farslot.recorder.RecordingRules;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.registers.Nearest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a recording keeps, as the arguments of FOLLOW have it (docs/traces.md), and the options of
 * the command line by the same names.
 */
public final class RecordingOptions {
    /** What is kept of the data of DMA: "whole", "digest" or "head:N". */
    public static final String DMA = "dma";

    /** RANGE=MODE, several with spaces between them; of two for one address the later counts. */
    public static final String MODE = "mode";

    /** An expression: what is recorded of accesses, DMA and interrupts. */
    public static final String WHERE = "where";

    /** An expression: behind what the recording ends. */
    public static final String UNTIL = "until";

    /** How many bytes are kept in memory, until the recording ends; a decimal number. */
    public static final String RING = "ring";

    /** "yes": what the guest writes to the vendor and device ID is text of marks; or "no". */
    public static final String GUEST_MARKS = "guest-marks";

    private static final List<String> NAMES = List.of(DMA, MODE, WHERE, UNTIL, RING, GUEST_MARKS);

    private RecordingOptions() {}

    /**
     * Reads them.
     *
     * @param arguments some of those above
     * @param base what holds beside them
     * @param function whose registers the expressions may name
     * @throws RefusedException where one of them means nothing; the sentence begins with its option
     */
    public static TraceOptions of(
            Map<String, String> arguments, TraceOptions base, FunctionDescription function)
            throws RefusedException {
        for (String name : arguments.keySet()) {
            if (!NAMES.contains(name)) {
                throw refused(
                        "A recording has no option \""
                                + name
                                + "\""
                                + Nearest.questionOrAll(name, NAMES));
            }
        }
        TraceNames names = TraceNames.of(function);
        RecordingRules rules =
                new RecordingRules(
                        modes(arguments.getOrDefault(MODE, "")),
                        condition(WHERE, arguments, names),
                        condition(UNTIL, arguments, names),
                        truth(GUEST_MARKS, arguments));
        try {
            TraceOptions options = base.withRules(rules);
            if (arguments.containsKey(DMA)) {
                options = options.withDmaData(TraceOptions.DmaData.parse(arguments.get(DMA)));
            }
            if (arguments.containsKey(RING)) {
                options = options.withRingBytes(ring(arguments.get(RING)));
            }
            return options;
        } catch (IllegalArgumentException e) {
            throw refused(e.getMessage());
        }
    }

    /**
     * Reads RANGE=MODE, several with spaces between them.
     *
     * @throws RefusedException where one means nothing
     */
    static List<RangeMode> modes(String text) throws RefusedException {
        List<RangeMode> ranges = new ArrayList<>();
        try {
            for (String range : text.isBlank() ? new String[0] : text.strip().split("\\s+", -1)) {
                ranges.add(RangeMode.parse(range));
            }
        } catch (ConditionException e) {
            throw refused("--mode: " + e.getMessage());
        }
        return ranges;
    }

    private static Condition condition(String name, Map<String, String> arguments, TraceNames names)
            throws RefusedException {
        try {
            String text = arguments.get(name);
            return text == null ? null : Condition.of(text, names);
        } catch (ConditionException e) {
            throw refused("--" + name + ": " + e.getMessage());
        }
    }

    private static boolean truth(String name, Map<String, String> arguments)
            throws RefusedException {
        String word = arguments.getOrDefault(name, "no");
        if (!word.equals("yes") && !word.equals("no")) {
            throw refused("--" + name + ": \"" + word + "\" is neither \"yes\" nor \"no\".");
        }
        return word.equals("yes");
    }

    private static long ring(String text) throws RefusedException {
        if (!text.matches("[0-9]{1,18}")) {
            throw refused("A ring of \"" + text + "\" bytes: a decimal number is wanted.");
        }
        return Long.parseLong(text);
    }

    private static RefusedException refused(String sentence) {
        return new RefusedException(RefusedException.Reason.BAD_ARGUMENT, sentence);
    }
}
