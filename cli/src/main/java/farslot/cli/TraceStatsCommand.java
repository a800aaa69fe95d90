package farslot.cli;

import farslot.analysis.SummaryText;
import farslot.analysis.TraceStatistics;
import farslot.analysis.TraceSummary;
import farslot.recorder.Condition;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Counts what traces hold. */
@Command(
        name = "stats",
        header = "Count by register, interrupt and DMA",
        description = {
            "",
            "Counts traces by register, interrupt vector and direction of DMA, with the times that"
                    + " accesses took, and draws where each region was accessed. Several files are"
                    + " counted together, as parts of one long trace; times are since the first"
                    + " one began.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace stats demo.fst --count 20",
            "  farslot trace stats demo.fst --where \"time in 1s..2s and not CFG\""
        })
final class TraceStatsCommand extends Verb {
    @Parameters(
            index = "0..*",
            arity = "0..*",
            paramLabel = "FILE.fst",
            description = "Traces of one function.")
    List<Path> files = List.of();

    @Mixin MapOption maps;
    @Mixin WhereOption where;
    @Mixin JsonOption output;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Show this many registers, the busiest first; all by default.")
    int count = Integer.MAX_VALUE;

    private TraceStatistics statistics;
    private String kind;

    @Override
    public Integer call() {
        if (where.explained(out())) {
            return ExitCode.OK;
        }
        if (count < 0) {
            throw usage("--count cannot be negative.");
        }
        if (files.isEmpty()) {
            throw usage("Which trace? Name a file, as in n0.fst.");
        }
        files.forEach(this::count);
        TraceSummary summary = statistics.summary();
        if (output.json) {
            Json.print(out(), summary);
        } else {
            SummaryText.lines(summary, count).forEach(out()::println);
        }
        return ExitCode.OK;
    }

    private void count(Path file) {
        try (TraceReader reader = TraceSource.open(file)) {
            TraceNames names = TraceSource.names(reader, maps);
            if (statistics == null) {
                statistics = new TraceStatistics(names);
                kind = names.kind();
            } else if (!names.kind().equals(kind)) {
                throw usage(
                        file
                                + " is of the kind "
                                + names.kind()
                                + ", and those before it of the kind "
                                + kind
                                + "; count one function at a time.");
            }
            count(reader, where.condition(names));
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        }
    }

    private void count(TraceReader reader, Condition condition) throws TraceException {
        statistics.begin(reader);
        for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
            if (condition == null || condition.test(event)) {
                statistics.add(event);
            }
        }
        statistics.end(reader);
    }
}
