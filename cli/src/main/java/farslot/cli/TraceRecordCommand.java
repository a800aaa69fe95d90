package farslot.cli;

import farslot.analysis.LinkMerge;
import farslot.link.FollowRequest;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.watch.RemoteTrace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Records a function that is lent or borrowed, from here, into a file here. */
@Command(
        name = "record",
        header = "Record a lent function into a file here",
        description = {
            "%nRecords what passes a function, here or on another machine, until Ctrl-C. The function"
                    + " need not be disturbed for it, and nobody waits for this recorder: what it is"
                    + " too slow for is missing, counted, and marked in the file. The right to"
                    + " operate the function is needed."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace record n0 -o n0.fst",
            "  farslot trace record n0@machine -o n0.fst --dma whole --for 10s",
            "  farslot trace record n0 -o n0.fst --at both",
            "  farslot trace record n0 -o n0.fst --where \"write or irq\" --mode CFG=off",
            "  farslot trace record n0 -o n0.fst --ring 64M --until \"CSTS.CFS == 1\""
        })
final class TraceRecordCommand extends Verb {
    private static final long LOOK_MILLIS = 200;

    /** How the file is kept where nothing else is said. */
    private static final TraceOptions KEEP = TraceOptions.DEFAULT.withLimitBytes(16L << 30);

    /** After an end that was asked for, as long as nothing comes of what is there still. */
    private static final long REST_MILLIS = 10_000;

    @Parameters(
            paramLabel = "NAME[@MACHINE[:PORT]]",
            description = "A function that is lent, or a slot of this machine.")
    String name;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "FILE.fst",
            description = "The trace, which must not exist.")
    Path file;

    @Option(
            names = "--at",
            paramLabel = "END",
            description =
                    "Record at this end of the function's link: ${COMPLETION-CANDIDATES}. Default:"
                            + " where NAME is. With both, the lender's accesses, DMA and interrupts"
                            + " in FILE say how long the link took with them; NAME is of a slot of"
                            + " this machine.")
    Recorder.At at;

    @Mixin RecordOptions recording;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            description = "End after this time, as in 10s, 5m, 2h.")
    String time;

    @Option(names = "--insecure", description = "Allow TCP where nothing proves who answers.")
    boolean insecure;

    @Mixin JsonOption output;

    /** Of the slot and of the lender where both ends are recorded. */
    private final List<RemoteTrace> traces = new CopyOnWriteArrayList<>();

    /** Guarded by this. */
    private boolean ended;

    /**
     * What {@code --json} prints, in the end.
     *
     * @param both null where one end was recorded
     */
    record Report(
            String file,
            long records,
            long bytes,
            long missed,
            long lost,
            String ended,
            LinkMerge.Report both) {}

    @Override
    public Integer call() {
        TraceOptions keep = recording.file(KEEP);
        Duration howLong = time == null ? null : Amount.time(this, "--for", time);
        Map<String, String> arguments = recording.arguments();
        List<Recorder> recorders = recorders();
        try (Foreground foreground = new Foreground(this::say)) {
            foreground.own((AutoCloseable) this::end);
            begin(recorders, arguments, keep);
            say(begun());
            await(howLong);
            end();
            return traces.stream().allMatch(RemoteTrace::isOrderly) ? ExitCode.OK : ExitCode.FAILED;
        } catch (LinkException e) {
            throw Processes.failure(e);
        } catch (RefusedException e) {
            throw Processes.failure(e);
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        }
    }

    /** Ctrl-C waits meanwhile: what has begun there is to be whole here. */
    private synchronized void begin(
            List<Recorder> recorders, Map<String, String> arguments, TraceOptions keep)
            throws RefusedException, LinkException, TraceException {
        for (Recorder recorder : recorders) {
            FollowRequest request = new FollowRequest(recorder.function(), true, arguments);
            Path to = recorders.size() == 1 ? file : part(traces.size());
            traces.add(RemoteTrace.follow(recorder.connect(insecure), request, to, keep));
        }
    }

    private String begun() {
        if (recording.ring == null) {
            return "Recording " + name + " into " + file + ". Ctrl-C ends it.";
        }
        return "The last "
                + recording.ring
                + " of "
                + name
                + " are kept where it is; they come into "
                + file
                + (recording.until == null ? "" : " once --until holds, or")
                + " on Ctrl-C.";
    }

    /** One end, or the slot and then its lender. */
    private List<Recorder> recorders() {
        boolean both = at == Recorder.At.BOTH;
        if (both && (recording.ring != null || recording.files != null)) {
            throw usage("--at both needs all of both ends: --ring and --files are for one.");
        }
        if (both && Files.exists(file)) {
            throw usage("The trace " + file + " cannot be made: the file exists.");
        }
        return Recorder.all(name, at);
    }

    /** Where one end is kept until it is merged with the other. */
    private Path part(int index) {
        return file.resolveSibling(file.getFileName() + (index == 0 ? ".slot" : ".lender"));
    }

    private void await(Duration howLong) throws InterruptedException {
        long end = howLong == null ? Long.MAX_VALUE : howLong.toNanos();
        long begun = System.nanoTime();
        Progress progress = new Progress(spec.commandLine().getErr());
        while (!traces.getLast().awaitOver(LOOK_MILLIS)
                && traces.getFirst().why() == null
                && System.nanoTime() - begun < end) {
            progress.show(words(figures()));
        }
        progress.end();
    }

    /** Of all that is kept. */
    private RemoteTrace.Figures figures() {
        RemoteTrace.Figures sum = new RemoteTrace.Figures(0, 0, 0, 0);
        for (RemoteTrace trace : traces) {
            RemoteTrace.Figures more = trace.figures();
            sum =
                    new RemoteTrace.Figures(
                            sum.records() + more.records(),
                            sum.bytes() + more.bytes(),
                            sum.missed() + more.missed(),
                            sum.lost() + more.lost());
        }
        return sum;
    }

    private static String words(RemoteTrace.Figures figures) {
        return figures.records()
                + " records, "
                + Amount.words(figures.bytes())
                + (figures.missed() == 0 ? "" : ", " + figures.missed() + " missed here")
                + (figures.lost() == 0 ? "" : ", " + figures.lost() + " events lost there");
    }

    /** Whichever end comes first: its user is told what was missed after Ctrl-C too. */
    private synchronized void end() throws IOException, InterruptedException {
        if (ended) {
            return;
        }
        ended = true;
        // The lender's first: what it has, the slot has seen before.
        for (RemoteTrace trace : traces.reversed()) {
            finish(trace);
        }
        boolean both = at == Recorder.At.BOTH;
        if (traces.size() == (both ? 2 : 1)) {
            report(both ? merge() : null);
        } else if (both && traces.size() == 1) {
            Files.delete(part(0)); // the other could not be begun
        }
    }

    private LinkMerge.Report merge() throws IOException {
        try {
            LinkMerge.Report merged = LinkMerge.merge(part(1), part(0), file);
            Files.delete(part(0));
            Files.delete(part(1));
            return merged;
        } catch (TraceException e) {
            throw new TraceException(
                    e.getMessage()
                            + " What was recorded is in "
                            + part(1)
                            + " and "
                            + part(0)
                            + ".",
                    e);
        }
    }

    /** Takes what is there still, and makes the file whole; also when this program is ended. */
    private static void finish(RemoteTrace trace) throws TraceException, InterruptedException {
        trace.stop();
        long before;
        do {
            before = trace.figures().records();
        } while (!trace.awaitOver(REST_MILLIS) && trace.figures().records() > before);
        trace.close();
    }

    /**
     * @param merged null where one end was recorded
     */
    private void report(LinkMerge.Report merged) {
        RemoteTrace.Figures figures = figures();
        String why = traces.getLast().why();
        if (output.json) {
            Json.print(
                    out(),
                    new Report(
                            file.toString(),
                            figures.records(),
                            figures.bytes(),
                            figures.missed(),
                            figures.lost(),
                            why,
                            merged));
            out().flush();
        }
        if (merged == null) {
            say(why + " " + file + " has " + words(figures) + ".");
            return;
        }
        say(why + " " + file + " was made of " + words(figures) + ": " + merged);
    }
}
