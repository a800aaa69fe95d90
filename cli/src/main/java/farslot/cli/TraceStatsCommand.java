package farslot.cli;

import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceStatistics;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Counts what a trace holds. */
@Command(
        name = "stats",
        header = "Count by register, interrupt and DMA",
        description = "%nCounts a trace by register, interrupt vector and DMA.%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace stats demo.fst")
final class TraceStatsCommand extends Verb {
    @Mixin TraceSource source;
    @Mixin JsonOption output;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Show this many registers, the busiest first; all by default.")
    int count = Integer.MAX_VALUE;

    @Override
    public Integer call() {
        if (count < 0) {
            throw usage("--count cannot be negative.");
        }
        try (TraceReader reader = source.open()) {
            TraceStatistics.Summary summary = TraceStatistics.of(reader, source.names(reader));
            if (output.json) {
                Json.print(out(), summary);
            } else {
                summary.lines(count).forEach(out()::println);
            }
            return ExitCode.OK;
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        }
    }
}
