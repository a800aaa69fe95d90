package farslot.cli;

import farslot.link.FollowRequest;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.watch.RemoteTrace;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
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
                            + " where NAME is.")
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

    /** Guarded by this. */
    private boolean ended;

    /** What {@code --json} prints, in the end. */
    record Report(String file, long records, long bytes, long missed, long lost, String ended) {}

    @Override
    public Integer call() {
        TraceOptions keep = recording.file(KEEP);
        Duration howLong = time == null ? null : Amount.time(this, "--for", time);
        Map<String, String> arguments = recording.arguments();
        Recorder recorder = Recorder.find(name, at);
        try (Foreground foreground = new Foreground(this::say)) {
            RemoteTrace trace =
                    RemoteTrace.follow(
                            recorder.connect(insecure),
                            new FollowRequest(recorder.function(), true, arguments),
                            file,
                            keep);
            foreground.own((AutoCloseable) () -> end(trace));
            say(begun());
            await(trace, howLong);
            end(trace);
            return trace.isOrderly() ? ExitCode.OK : ExitCode.FAILED;
        } catch (LinkException e) {
            throw Processes.failure(e);
        } catch (RefusedException e) {
            throw Processes.failure(e);
        } catch (TraceException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
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

    private void await(RemoteTrace trace, Duration howLong) throws InterruptedException {
        long end = howLong == null ? Long.MAX_VALUE : howLong.toNanos();
        long begun = System.nanoTime();
        Progress progress = new Progress(spec.commandLine().getErr());
        while (!trace.awaitOver(LOOK_MILLIS) && System.nanoTime() - begun < end) {
            progress.show(words(trace.figures()));
        }
        progress.end();
    }

    private static String words(RemoteTrace.Figures figures) {
        return figures.records()
                + " records, "
                + Amount.words(figures.bytes())
                + (figures.missed() == 0 ? "" : ", " + figures.missed() + " missed here")
                + (figures.lost() == 0 ? "" : ", " + figures.lost() + " events lost there");
    }

    /** Whichever end comes first: its user is told what was missed after Ctrl-C too. */
    private synchronized void end(RemoteTrace trace) throws TraceException, InterruptedException {
        if (!ended) {
            ended = true;
            finish(trace);
            report(trace);
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

    private void report(RemoteTrace trace) {
        RemoteTrace.Figures figures = trace.figures();
        if (output.json) {
            Json.print(
                    out(),
                    new Report(
                            file.toString(),
                            figures.records(),
                            figures.bytes(),
                            figures.missed(),
                            figures.lost(),
                            trace.why()));
            out().flush();
        }
        say(trace.why() + " " + file + " has " + words(figures) + ".");
    }
}
