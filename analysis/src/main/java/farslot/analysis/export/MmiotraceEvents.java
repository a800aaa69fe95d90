package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;
import farslot.recorder.TraceEvent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What stands in a trace as mark of ours, as the event that it was ({@link MmiotraceMark}). */
final class MmiotraceEvents {
    private MmiotraceEvents() {}

    /**
     * The event, or null where the mark is of no event that is known.
     *
     * @throws AnalysisException where a word is missing or wrong
     */
    static TraceEvent of(MmiotraceWords words, long nanos, int generation)
            throws AnalysisException {
        TraceEvent.Stamp stamp =
                new TraceEvent.Stamp(
                        0,
                        nanos,
                        Math.clamp(words.number("took", 0), 0, 0xFFFF_FFFFL),
                        generation,
                        words.truth("under-way"),
                        TraceEvent.Verification.SEALED,
                        0,
                        words.number("pc", 0));
        return switch (words.kind()) {
            case "read" -> access(words, stamp, false);
            case "write" -> access(words, stamp, true);
            case "dma-read" -> dma(words, stamp, false);
            case "dma-write" -> dma(words, stamp, true);
            case "irq" ->
                    new TraceEvent.Interrupt(
                            stamp, words.one("kind", InterruptKind.class), words.number("vector"));
            case "irq-ctl" ->
                    new TraceEvent.InterruptControl(
                            stamp,
                            words.one("kind", InterruptKind.class),
                            words.one("action", InterruptAction.class),
                            words.number("first"),
                            words.number("count"));
            case "reset" ->
                    new TraceEvent.Reset(
                            stamp,
                            words.one("kind", ResetKind.class),
                            status(words, stamp),
                            words.number("begins"));
            case "map" -> mapped(words, stamp);
            case "unmap" ->
                    new TraceEvent.Unmapped(
                            stamp,
                            words.number("address"),
                            words.number("length"),
                            status(words, stamp));
            case "event" -> told(words, stamp);
            case "mark" ->
                    new TraceEvent.Mark(
                            stamp, words.text(), words.has("guest") && words.truth("guest"));
            case "attach" -> new TraceEvent.Attached(stamp, words.truth("host"));
            case "state" ->
                    new TraceEvent.State(
                            stamp,
                            words.one("operation", TraceEvent.State.Operation.class),
                            words.number("bytes"),
                            status(words, stamp));
            case "near" ->
                    new TraceEvent.Near(
                            stamp,
                            words.number("address"),
                            words.number("length"),
                            words.one("direction", Direction.class),
                            words.truth("given"));
            case "lost" -> new TraceEvent.Lost(stamp, words.number("count"));
            case "lease" -> lease(words, stamp);
            case "changed" -> changed(words, stamp);
            case "counted" ->
                    new TraceEvent.Counted(
                            stamp,
                            words.region(),
                            words.number("first"),
                            words.number("last"),
                            words.number("reads"),
                            words.number("writes"));
            case "setting" -> new TraceEvent.Setting(stamp, words.text());
            default -> null;
        };
    }

    private static TraceEvent access(MmiotraceWords words, TraceEvent.Stamp stamp, boolean write)
            throws AnalysisException {
        return new TraceEvent.Access(
                stamp,
                write,
                words.region(),
                words.number("offset"),
                words.number("width", 0, 0xFF),
                write ? words.number("enables") : -1,
                status(words, stamp),
                data(words));
    }

    private static TraceEvent dma(MmiotraceWords words, TraceEvent.Stamp stamp, boolean write)
            throws AnalysisException {
        return new TraceEvent.Dma(
                stamp, write, words.number("address"), status(words, stamp), data(words));
    }

    private static TraceEvent.Data data(MmiotraceWords words) throws AnalysisException {
        long length = words.number("length");
        byte[] kept = words.data();
        if (length < kept.length || length > 0xFFFF_FFFFL) {
            throw words.wrong("length", "not that of the data that follow");
        }
        return new TraceEvent.Data(
                length, kept, words.has("xxh64") ? Long.valueOf(words.number("xxh64")) : null);
    }

    private static CompletionStatus status(MmiotraceWords words, TraceEvent.Stamp stamp)
            throws AnalysisException {
        if (stamp.underWay()) {
            return null;
        }
        return words.has("status")
                ? words.one("status", CompletionStatus.class)
                : CompletionStatus.SUCCESS;
    }

    private static TraceEvent mapped(MmiotraceWords words, TraceEvent.Stamp stamp)
            throws AnalysisException {
        return new TraceEvent.Mapped(
                stamp,
                words.number("address"),
                words.number("length"),
                words.one("direction", Direction.class),
                words.truth("near"),
                words.truth("while-waiting"));
    }

    private static TraceEvent told(MmiotraceWords words, TraceEvent.Stamp stamp)
            throws AnalysisException {
        FunctionEvent event =
                switch (words.word("event")) {
                    case "Error" -> new FunctionEvent.Error(words.truth("fatal"), words.text());
                    case "PowerManagement" -> new FunctionEvent.PowerManagement();
                    case "Presence" -> new FunctionEvent.Presence(words.truth("present"));
                    case "DescriptionChanged" -> new FunctionEvent.DescriptionChanged();
                    case "GoingAway" -> new FunctionEvent.GoingAway(words.text());
                    case "NewGeneration" ->
                            new FunctionEvent.NewGeneration(
                                    words.number("begins", Integer.MIN_VALUE, Integer.MAX_VALUE),
                                    words.one("kind", ResetKind.class));
                    case "DmaRefused" ->
                            new FunctionEvent.DmaRefused(
                                    words.number("address"),
                                    words.number("length"),
                                    words.one("direction", Direction.class),
                                    words.text());
                    default -> throw words.wrong("event", "not one that is known");
                };
        return new TraceEvent.Told(stamp, event);
    }

    private static TraceEvent lease(MmiotraceWords words, TraceEvent.Stamp stamp)
            throws AnalysisException {
        String[] names = words.text().split("\0", 3);
        if (names.length < 3) {
            throw words.wrong("data", "not a slot, an identity and a reason");
        }
        return new TraceEvent.Lease(
                stamp, words.truth("begun"), words.number("epoch"), names[0], names[1], names[2]);
    }

    private static TraceEvent changed(MmiotraceWords words, TraceEvent.Stamp stamp)
            throws AnalysisException {
        byte[] data = words.data();
        int tap = words.number("tap", 0, Math.min(0xFF, data.length));
        int each = (data.length - tap) / 2;
        boolean memory = words.word("region").equals(MmiotraceMark.MEMORY);
        return new TraceEvent.Changed(
                stamp,
                new String(data, 0, tap, StandardCharsets.UTF_8),
                memory ? TraceEvent.Changed.MEMORY : words.region(),
                words.number("offset"),
                Arrays.copyOfRange(data, tap, tap + each),
                Arrays.copyOfRange(data, tap + each, tap + 2 * each));
    }
}
