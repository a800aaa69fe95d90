package farslot.cli;

import farslot.core.FunctionDescription;
import farslot.recorder.Condition;
import farslot.recorder.ConditionException;
import farslot.recorder.RangeMode;
import farslot.recorder.RecordingRules;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** What every verb takes that records: {@code @Mixin RecordOptions recording}. */
final class RecordOptions {
    @Option(
            names = "--dma",
            paramLabel = "WHAT",
            description =
                    "Keep of the data of DMA: digest (16 bytes and a digest; the default), whole, or"
                            + " head:N, the first N bytes of each transfer.")
    String dma;

    @Option(
            names = "--mode",
            paramLabel = "RANGE=MODE",
            description =
                    "How accesses of a range are recorded, as in BAR0:0x0-0xfff=flush: off, count,"
                            + " record, flush (on the disk before the access is done), flush-remote."
                            + " Of two for one address the later counts.")
    List<String> modes = List.of();

    @Option(
            names = "--where",
            paramLabel = "EXPR",
            description =
                    "Record only the accesses, DMA and interrupts for which this holds; all else is"
                            + " always recorded. \"farslot trace show --where help\" lists what can be"
                            + " asked.")
    String where;

    @Option(
            names = "--until",
            paramLabel = "EXPR",
            description =
                    "End the recording behind the first access, DMA or interrupt for which this"
                            + " holds.")
    String until;

    @Option(
            names = "--ring",
            paramLabel = "SIZE",
            description =
                    "Keep only the last so many bytes, in memory, and write them when the recording"
                            + " ends: 64M.")
    String ring;

    @Option(
            names = "--limit",
            paramLabel = "SIZE",
            description =
                    "The longest that the file may become; what comes then is counted. Default: 1G.")
    String limit;

    @Option(
            names = "--files",
            paramLabel = "N",
            description =
                    "When the file has reached its limit, go on in another: FILE is the newest,"
                            + " FILE.1 the one before it, N in all.")
    Integer files;

    @Option(
            names = "--sync",
            paramLabel = "MS",
            description =
                    "Force everything to the disk that often, so that a loss of power costs no more.")
    Long sync;

    /** Whether one of them was given. */
    boolean any() {
        return dma != null
                || !modes.isEmpty()
                || where != null
                || until != null
                || ring != null
                || limit != null
                || files != null
                || sync != null;
    }

    /**
     * As they are for one function.
     *
     * @throws CommandFailure where one of them means nothing
     */
    TraceOptions of(FunctionDescription function) {
        TraceNames names = TraceNames.of(function);
        List<RangeMode> ranges = new ArrayList<>();
        for (String mode : modes) {
            try {
                ranges.add(RangeMode.parse(mode));
            } catch (ConditionException e) {
                throw wrong("--mode", e);
            }
        }
        try {
            TraceOptions options = TraceOptions.DEFAULT;
            if (dma != null) {
                options = options.withDmaData(TraceOptions.DmaData.parse(dma));
            }
            if (limit != null) {
                options = options.withLimitBytes(bytes("--limit", limit));
            }
            if (ring != null) {
                options = options.withRingBytes(bytes("--ring", ring));
            }
            if (files != null) {
                options = options.withFiles(files);
            }
            if (sync != null) {
                options = options.withForceMillis(sync);
            }
            return options.withRules(
                    new RecordingRules(
                            ranges,
                            condition("--where", where, names),
                            condition("--until", until, names)));
        } catch (IllegalArgumentException e) {
            throw wrong("The trace", e);
        }
    }

    private static Condition condition(String option, String text, TraceNames names) {
        try {
            return text == null ? null : Condition.of(text, names);
        } catch (ConditionException e) {
            throw wrong(option, e);
        }
    }

    private static long bytes(String option, String text) {
        String upper = text.toUpperCase(Locale.ROOT);
        if (!upper.matches("[0-9]{1,12}[KMGT]?")) {
            throw new CommandFailure(
                    ExitCode.USAGE, option + " " + text + ": a size is wanted, as in 64M or 1G.");
        }
        int unit = "KMGT".indexOf(upper.charAt(upper.length() - 1));
        String digits = unit < 0 ? upper : upper.substring(0, upper.length() - 1);
        long number = Long.parseLong(digits);
        int shift = 10 * (unit + 1);
        if (number > Long.MAX_VALUE >> shift) {
            throw new CommandFailure(
                    ExitCode.USAGE, option + " " + text + ": that is more than any disk has.");
        }
        return number << shift;
    }

    private static CommandFailure wrong(String option, Exception e) {
        return new CommandFailure(ExitCode.USAGE, option + ": " + e.getMessage(), e);
    }
}
