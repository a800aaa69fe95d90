package farslot.cli;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceStatistics;
import farslot.recorder.TraceText;
import farslot.registers.RegisterMapException;
import farslot.registers.RegisterMapLoader;
import farslot.sdk.Nearest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows and counts the events of a trace file. */
@Command(
        name = "trace",
        header = "Read what a recorder wrote",
        description = "%nShows and counts the events of a trace file.",
        subcommands = {TraceCommand.Show.class, TraceCommand.Stats.class},
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExample:%n",
        footer = {
            "  farslot trace show demo.fst --only write,irq",
            "  farslot trace stats demo.fst"
        })
final class TraceCommand extends Verb {
    @Override
    public Integer call() {
        throw usage("trace wants one of show, stats.");
    }

    /** What both take: the file, and names from elsewhere. */
    static final class Source {
        @Parameters(index = "0", paramLabel = "FILE.fst", description = "The trace.")
        Path file;

        @Option(
                names = "--map",
                paramLabel = "FILE.xml",
                description =
                        "Name registers by this rules-ng-ng file, whose domains are called BAR0 to"
                                + " BAR5, ROM and CFG, instead of by the device's own map.")
        Path map;

        TraceReader open() {
            if (!Files.exists(file)) {
                throw new CommandFailure(ExitCode.NOT_FOUND, "There is no trace " + file + ".");
            }
            try {
                return TraceReader.open(file);
            } catch (TraceException e) {
                throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
            }
        }

        TraceNames names(TraceReader reader) {
            if (map == null) {
                return TraceNames.of(reader.description());
            }
            try {
                return TraceNames.of(reader.description(), RegisterMapLoader.lenient().load(map));
            } catch (RegisterMapException e) {
                throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
            }
        }

        static CommandFailure unreadable(TraceException e) {
            return new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
        }
    }

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
    static final class Show extends Verb {
        /** How many lines are printed before looking whether anybody still reads. */
        private static final int LINES_UNCHECKED = 1024;

        @Mixin Source source;
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
            Set<String> kinds = kinds();
            if (count < 0 || !(sinceSeconds >= 0)) {
                throw usage("--count and --since cannot be negative.");
            }
            try (TraceReader reader = source.open()) {
                TraceText text = new TraceText(source.names(reader));
                show(reader, text, kinds);
                reader.remarks().forEach(this::say);
                return ExitCode.OK;
            } catch (TraceException e) {
                throw Source.unreadable(e);
            }
        }

        private void show(TraceReader reader, TraceText text, Set<String> kinds)
                throws TraceException {
            long sinceNanos = (long) (sinceSeconds * 1e9);
            long shown = 0;
            for (TraceEvent event = reader.next();
                    event != null && shown < count;
                    event = reader.next()) {
                if (event.stamp().nanos() < sinceNanos || !kinds.contains(TraceText.kind(event))) {
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

    @Command(
            name = "stats",
            header = "Count by register, interrupt and DMA",
            description = "%nCounts a trace by register, interrupt vector and DMA.%n",
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExample:%n",
            footer = "  farslot trace stats demo.fst")
    static final class Stats extends Verb {
        @Mixin Source source;
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
                throw Source.unreadable(e);
            }
        }
    }
}
