package farslot.cli;

import farslot.analysis.AnalysisException;
import farslot.analysis.SeenRegisters;
import farslot.analysis.TraceClone;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes the beginnings of a device of what a trace showed. */
@Command(
        name = "clone",
        header = "Begin an emulated device from what a trace shows",
        description = {
            "",
            "Writes a device project of what a trace shows of a function: identity, capabilities,"
                    + " BARs, interrupts, and a register map of everything that its driver used,"
                    + " with widths, directions and values. It builds, can be lent, and a driver"
                    + " finds it; its behaviour is yours to write. README.md in it says what to do"
                    + " next, and what the trace does not show.",
            "",
            "Instead of a trace there may be the NAME of a function that is lent (NAME@MACHINE), or"
                    + " of a slot of this machine: what its driver does is watched, by the recording"
                    + " that is there or by one for this alone, until --for or Ctrl-C, and cloned.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace clone unknown.fst -o devices/mine --name mine",
            "  farslot trace clone n0@machine --for 1m -o devices/mine --name mine"
        })
final class TraceCloneCommand extends Verb {
    /** After Ctrl-C, for what is on its way still, and for writing. */
    private static final long LONGEST_SECONDS = 10;

    @Mixin TraceSource source;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            required = true,
            description = "The folder to make, in Farslot's checkout.")
    Path folder;

    @Option(
            names = "--name",
            paramLabel = "KIND",
            description = "What the kind of device is called; made of its ids by default.")
    String name;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            description = "With NAME: watch for this long, as in 10s, 5m; until Ctrl-C by default.")
    String time;

    @Option(
            names = "--insecure",
            description = "With NAME: allow TCP where nothing proves who answers.")
    boolean insecure;

    @Override
    public Integer call() {
        try {
            if (source.file != null && !LiveTrace.isFile(source.file.toString())) {
                watch(source.file.toString());
                return ExitCode.OK;
            }
            if (time != null || insecure) {
                throw usage(
                        (time != null ? "--for" : "--insecure")
                                + " is for a NAME, which is watched; a file has what it has.");
            }
            try (TraceReader reader = source.open()) {
                String from = source.file.getFileName().toString();
                write(from, reader, SeenRegisters.of(reader), source.names(reader));
                reader.remarks().forEach(this::say);
            }
            return ExitCode.OK;
        } catch (AnalysisException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "The project cannot be written: " + e + ".", e);
        }
    }

    /** Sees what is recorded of a function from now on; Ctrl-C ends that, and not the cloning. */
    private void watch(String function) throws AnalysisException, IOException {
        long nanos = time == null ? Long.MAX_VALUE : Amount.time(this, "--for", time).toNanos();
        TraceClone.check(name, folder, checkout());
        Recorder recorder = Recorder.find(function, null);
        long begun = System.nanoTime();
        CountDownLatch written = new CountDownLatch(1);
        AtomicReference<LiveTrace> watched = new AtomicReference<>();
        Runnable look =
                () -> {
                    if (System.nanoTime() - begun >= nanos) {
                        watched.get().stop();
                    }
                };
        try (LiveTrace live = LiveTrace.of(recorder, insecure, this, look)) {
            watched.set(live);
            live.whenEnded(() -> {
                live.stop();
                await(written);
            });
            say("Watching " + function + ". Ctrl-C ends that, and makes the clone.");
            SeenRegisters seen = new SeenRegisters();
            for (TraceEvent event = live.next(); event != null; event = live.next()) {
                seen.add(event);
                look.run();
            }
            write(function, live.reader(), seen, source.names(live.reader()));
            live.remarks().forEach(this::say);
        } finally {
            written.countDown();
        }
    }

    private static Path checkout() {
        return Path.of(System.getProperty("farslot.home", ""));
    }

    private static void await(CountDownLatch written) {
        try {
            written.await(LONGEST_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(String from, TraceReader reader, SeenRegisters seen, TraceNames names)
            throws AnalysisException, IOException {
        TraceClone clone =
                TraceClone.of(
                        name, from, reader.description(), reader.configuration(), seen, names);
        clone.write(folder, checkout()).forEach(this::say);
        say(
                "The kind \""
                        + clone.name()
                        + "\" is in "
                        + folder
                        + "; its README.md says how to build it.");
    }
}
