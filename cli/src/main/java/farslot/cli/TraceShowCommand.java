package farslot.cli;

import farslot.analysis.FoldedRow;
import farslot.analysis.FoldedText;
import farslot.analysis.Folding;
import farslot.recorder.Condition;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceText;
import java.util.Locale;
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
                    + " value, fields. Polling loops are one line (\"poll\"), and so is what repeats"
                    + " the lines above it (\"repeat\"). An offset with \"?\" is in no register that"
                    + " the map has. With --json one JSON object a line, nothing folded.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace show demo.fst --since 0.5 --count 100",
            "  farslot trace show demo.fst --where \"write or irq\"",
            "  farslot trace show demo.fst --where \"reg == CSTS and took > 1ms\" --no-fold",
            "  farslot trace show n0@machine --follow"
        })
final class TraceShowCommand extends Verb {
    /** How many events are read before looking whether anybody still reads what is printed. */
    private static final int EVENTS_UNCHECKED = 1024;

    @Mixin TraceSource source;
    @Mixin WhereOption where;
    @Mixin ColorOption color;
    @Mixin JsonOption output;

    @Option(
            names = "--since",
            paramLabel = "SECONDS",
            description = "Begin with events of this time, in seconds since the beginning.")
    double sinceSeconds;

    @Option(
            names = {"-f", "--follow"},
            description =
                    "Go on with what is recorded from now on: of FILE.fst while it grows, or of NAME, a"
                            + " function that is lent (NAME@MACHINE) or a slot of this machine.")
    boolean follow;

    @Option(
            names = "--insecure",
            description = "With NAME: allow TCP where nothing proves who answers.")
    boolean insecure;

    @Option(names = "--count", paramLabel = "N", description = "Stop after this many events.")
    long count = Long.MAX_VALUE;

    @Option(names = "--no-fold", description = "A line for every event.")
    boolean unfolded;

    @Option(
            names = "--numbers",
            description =
                    "Begin each line with its event's number, as \"number >= 1000\" and other"
                            + " verbs' --at take it.")
    boolean numbers;

    private boolean painted;
    private Folding folding;
    private boolean outputTakesNoMore;

    @Override
    public Integer call() {
        if (where.explained(out())) {
            return ExitCode.OK;
        }
        if (count < 0 || !(sinceSeconds >= 0)) {
            throw usage("--count and --since cannot be negative.");
        }
        painted = color.wanted();
        if (follow) {
            return follow();
        }
        try (TraceReader reader = source.open()) {
            TraceNames names = source.names(reader);
            show(reader::next, names, where.condition(names));
            reader.remarks().forEach(this::say);
            return ExitCode.OK;
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        }
    }

    private int follow() {
        if (source.file == null) {
            throw usage("--follow: which trace? Name a file, or what is lent.");
        }
        try (LiveTrace live = open()) {
            TraceNames names = source.names(live.reader());
            show(live::next, names, where.condition(names));
            live.remarks().forEach(this::say);
            return ExitCode.OK;
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        }
    }

    private LiveTrace open() throws TraceException {
        String what = source.file.toString();
        return LiveTrace.isFile(what)
                ? LiveTrace.of(source.existing(), this::pause)
                : LiveTrace.of(Recorder.find(what, null), insecure, this, this::pause);
    }

    /** Nothing comes at this moment: what is there is shown, folded or not. */
    private void pause() {
        if (folding != null) {
            folding.flush();
        }
        outputTakesNoMore = out().checkError();
    }

    /** Where events come from: a trace that is whole, or one that grows. */
    @FunctionalInterface
    private interface Events {
        TraceEvent next() throws TraceException;
    }

    private void show(Events events, TraceNames names, Condition condition) throws TraceException {
        TraceText json = new TraceText(names);
        FoldedText text = new FoldedText(names);
        folding = new Folding(row -> print(text, row));
        long sinceNanos = (long) (sinceSeconds * 1e9);
        long shown = 0;
        while (shown < count) {
            TraceEvent event = events.next();
            if (event == null || outputTakesNoMore) {
                break;
            }
            if (event.stamp().nanos() < sinceNanos
                    || (condition != null && !condition.test(event))) {
                continue;
            }
            if (output.json) {
                out().println(json.json(event));
            } else if (unfolded) {
                print(text, new FoldedRow.Single(event));
            } else {
                folding.add(event);
            }
            if (++shown % EVENTS_UNCHECKED == 0 && out().checkError()) {
                return;
            }
        }
        folding.flush();
    }

    private void print(FoldedText text, FoldedRow row) {
        String line = text.line(row);
        if (painted) {
            line = TracePaint.paint(line);
        }
        if (numbers) {
            line = String.format(Locale.ROOT, "%9d%s", row.begin().number(), line);
        }
        out().println(line);
    }
}
