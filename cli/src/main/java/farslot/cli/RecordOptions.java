package farslot.cli;

import farslot.core.FunctionDescription;
import farslot.link.RefusedException;
import farslot.recorder.TraceOptions;
import farslot.watch.RecordingOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
                            + " record, flush (on the disk before the access is done), flush-remote"
                            + " (in the file of \"trace record\" on another computer before that)."
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
            names = "--guest-marks",
            description =
                    "Take what the guest writes to the vendor and device ID, which are read-only, for"
                            + " text of marks; a line's end ends one. Without this nothing from inside"
                            + " the guest is a mark.")
    boolean guestMarks;

    @Option(
            names = "--limit",
            paramLabel = "SIZE",
            description =
                    "The longest that the file may become. Default: 1G, and what comes then is counted;"
                            + " for \"trace record\" 16G, and it ends then.")
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
                || guestMarks
                || limit != null
                || files != null
                || sync != null;
    }

    /** What of them is said to who records, by the names of FOLLOW's arguments. */
    Map<String, String> arguments() {
        Map<String, String> arguments = new LinkedHashMap<>();
        if (dma != null) {
            arguments.put(RecordingOptions.DMA, dma);
        }
        if (!modes.isEmpty()) {
            arguments.put(RecordingOptions.MODE, String.join(" ", modes));
        }
        if (where != null) {
            arguments.put(RecordingOptions.WHERE, where);
        }
        if (until != null) {
            arguments.put(RecordingOptions.UNTIL, until);
        }
        if (ring != null) {
            arguments.put(RecordingOptions.RING, Long.toString(Amount.bytes("--ring", ring)));
        }
        if (guestMarks) {
            arguments.put(RecordingOptions.GUEST_MARKS, "yes");
        }
        return arguments;
    }

    /**
     * How the file is kept.
     *
     * @throws CommandFailure where one of them means nothing
     */
    TraceOptions file(TraceOptions base) {
        try {
            TraceOptions options = base;
            if (limit != null) {
                options = options.withLimitBytes(Amount.bytes("--limit", limit));
            }
            if (files != null) {
                options = options.withFiles(files);
            }
            return sync == null ? options : options.withForceMillis(sync);
        } catch (IllegalArgumentException e) {
            throw wrong("The trace: " + e.getMessage(), e);
        }
    }

    /**
     * As they are for one function that is recorded here.
     *
     * @throws CommandFailure where one of them means nothing
     */
    TraceOptions of(FunctionDescription function) {
        try {
            return RecordingOptions.of(arguments(), file(TraceOptions.DEFAULT), function);
        } catch (RefusedException e) {
            throw wrong(e.getMessage(), e);
        }
    }

    private static CommandFailure wrong(String sentence, Exception e) {
        return new CommandFailure(ExitCode.USAGE, sentence, e);
    }
}
