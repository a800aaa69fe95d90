package farslot.cli;

import farslot.recorder.Condition;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceText;
import farslot.registers.Nearest;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints the events of a trace. */
@Command(
        name = "show",
        header = "Print one line an event",
        description = {
            "",
            "Prints one line an event: seconds since the trace began, kind, where, register,"
                    + " value, fields. With --json one JSON object a line.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace show demo.fst --only write,dma --since 0.5 --count 100")
final class TraceShowCommand extends Verb {
    /** How many lines are printed before looking whether anybody still reads. */
    private static final int LINES_UNCHECKED = 1024;

    @Mixin TraceSource source;
    @Mixin WhereOption where;
    @Mixin JsonOption output;

    @Option(
            names = "--since",
            paramLabel = "SECONDS",
            description = "Begin with events of this time, in seconds since the beginning.")
    double sinceSeconds;

    @Option(names = "--count", paramLabel = "N", description = "Stop after this many events.")
    long count = Long.MAX_VALUE;

    @Option(
            names = "--only",
            paramLabel = "KIND",
            split = ",",
            description =
                    "Only these kinds, as the second column has them; \"dma\" and \"irq\" take"
                            + " all that begins so.")
    List<String> only = List.of();

    @Override
    public Integer call() {
        if (where.explained(out())) {
            return ExitCode.OK;
        }
        Set<String> kinds = kinds();
        if (count < 0 || !(sinceSeconds >= 0)) {
            throw usage("--count and --since cannot be negative.");
        }
        try (TraceReader reader = source.open()) {
            TraceNames names = source.names(reader);
            show(reader, new TraceText(names), kinds, where.condition(names));
            reader.remarks().forEach(this::say);
            return ExitCode.OK;
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        }
    }

    private void show(TraceReader reader, TraceText text, Set<String> kinds, Condition condition)
            throws TraceException {
        long sinceNanos = (long) (sinceSeconds * 1e9);
        long shown = 0;
        for (TraceEvent event = reader.next();
                event != null && shown < count;
                event = reader.next()) {
            if (event.stamp().nanos() < sinceNanos
                    || !kinds.contains(TraceText.kind(event))
                    || (condition != null && !condition.test(event))) {
                continue;
            }
            out().println(output.json ? text.json(event) : text.line(event));
            if (++shown % LINES_UNCHECKED == 0 && out().checkError()) {
                return;
            }
        }
    }

    private Set<String> kinds() {
        if (only.isEmpty()) {
            return Set.copyOf(TraceText.KINDS);
        }
        Set<String> kinds = new LinkedHashSet<>();
        for (String wanted : only) {
            List<String> matching =
                    TraceText.KINDS.stream()
                            .filter(k -> k.equals(wanted) || k.startsWith(wanted + "-"))
                            .toList();
            if (matching.isEmpty()) {
                throw usage(
                        "There is no kind of event \""
                                + wanted
                                + "\""
                                + Nearest.question(wanted, TraceText.KINDS));
            }
            kinds.addAll(matching);
        }
        return kinds;
    }
}
