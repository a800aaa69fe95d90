package farslot.cli;

import farslot.analysis.AnalysisException;
import farslot.analysis.Decoders;
import farslot.analysis.Divergence;
import farslot.analysis.TraceReplay;
import farslot.core.PciFunction;
import farslot.lender.HostedDevice;
import farslot.lender.LendingException;
import farslot.lender.Specification;
import farslot.link.LinkOptions;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import farslot.sdk.DeviceKinds;
import farslot.slot.BorrowException;
import farslot.slot.FunctionAddress;
import farslot.slot.LenderSource;
import farslot.slot.Source;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Does to a function what a trace's driver did, and compares. */
@Command(
        name = "replay",
        header = "Do what a trace's driver did, and compare the answers",
        description = {
            "",
            "Feeds the driver's accesses of a trace to a function, one that is lent or a new one of"
                    + " a kind, and compares what it answers: registers, DMA, completions,"
                    + " interrupts. Registers that were polled are polled until they have their"
                    + " last recorded value; volatile bits of the register map are not compared"
                    + " otherwise. Ends at the first divergence, with exit code 1; 0 where there"
                    + " is none.",
            "",
            "The function should be as it was when the recording began: fresh, and with the same"
                    + " disk image behind it. DMA is compared where the trace has its data (record"
                    + " with --dma whole).",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace replay boot.fst --against nvme,image=copy.img",
            "  farslot trace replay boot.fst --against n0@lab3:6727 --registers-only"
        })
final class TraceReplayCommand extends Verb {
    private static final int MOST_PATIENCE_SECONDS = 3600;

    @Mixin TraceSource source;
    @Mixin JsonOption output;

    @Option(
            names = "--against",
            paramLabel = "NAME|KIND,...",
            required = true,
            description =
                    "A lent function, as NAME[@MACHINE[:PORT]], or a device to make, as"
                            + " \"farslot lend\" takes it. What is a kind is taken for one.")
    String against;

    @Option(
            names = "--registers-only",
            description = "Compare registers alone, without DMA and interrupts.")
    boolean registersOnly;

    @Option(
            names = "--most",
            paramLabel = "N",
            defaultValue = "1",
            description = "End after so many divergences. Default: ${DEFAULT-VALUE}.")
    int most;

    @Option(
            names = "--patience",
            paramLabel = "SECONDS",
            defaultValue = "5",
            description =
                    "How long the function may take for what it did at once. Default:"
                            + " ${DEFAULT-VALUE}.")
    int patienceSeconds;

    @Option(names = "--insecure", description = "Borrow over TCP without proof of who is who.")
    boolean insecure;

    @Override
    public Integer call() {
        if (most < 1 || patienceSeconds < 0 || patienceSeconds > MOST_PATIENCE_SECONDS) {
            throw usage("--most is at least 1, and --patience 0 to 3600.");
        }
        try {
            TraceReplay.Report report = isKind() ? againstNewDevice() : againstLent();
            print(report);
            return report.divergences().isEmpty() ? ExitCode.OK : ExitCode.FAILED;
        } catch (AnalysisException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        }
    }

    /** Before a comma stands a kind; alone it is one where there is one of this name. */
    private boolean isKind() {
        String begin = against.split(",", 2)[0];
        return against.indexOf(',') >= 0
                || DeviceKinds.all().stream().anyMatch(kind -> kind.kind().equals(begin));
    }

    private TraceReplay.Report againstNewDevice() throws TraceException, AnalysisException {
        try (HostedDevice device =
                HostedDevice.make(Specification.parse(against).named("replayed"))) {
            return replay(device.function());
        } catch (LendingException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
    }

    private TraceReplay.Report againstLent()
            throws TraceException, AnalysisException, InterruptedException {
        FunctionAddress address;
        try {
            address = FunctionAddress.parse(against);
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
        LinkOptions options =
                LinkOptions.named("replay")
                        .withInsecure(insecure)
                        .withTrust(Processes.trust(address.address(), insecure));
        Source.Borrow borrow;
        try {
            borrow =
                    new LenderSource(address, Processes.runtimeDirectory(), options)
                            .borrow(why -> say(against + " is lost: " + why));
        } catch (BorrowException e) {
            throw BorrowCommand.failure(e);
        }
        try {
            return replay(borrow.function());
        } finally {
            borrow.giveBack();
        }
    }

    private TraceReplay.Report replay(PciFunction target) throws TraceException, AnalysisException {
        try (TraceReader first = source.open();
                TraceReader again = source.open()) {
            TraceReplay.Rules rules =
                    new TraceReplay.Rules(registersOnly, most, patienceSeconds * 1_000_000_000L);
            return TraceReplay.replay(
                    first,
                    again,
                    source.names(again),
                    target,
                    () -> Decoders.completions(again.description()),
                    rules);
        }
    }

    /** A divergence as JSON has it. */
    private record Found(long number, double seconds, String where, String what) {}

    private record Result(
            boolean whole,
            long steps,
            long reads,
            long polls,
            long volatileReads,
            long transfers,
            List<Found> divergences) {}

    private void print(TraceReplay.Report report) {
        if (output.json) {
            List<Found> found =
                    report.divergences().stream()
                            .map(one ->
                                    new Found(
                                            one.number(),
                                            one.nanos() / 1e9,
                                            one.where(),
                                            one.what()))
                            .toList();
            Json.print(
                    out(),
                    new Result(
                            report.whole(),
                            report.steps(),
                            report.reads(),
                            report.polls(),
                            report.volatileReads(),
                            report.transfers(),
                            found));
            return;
        }
        for (Divergence one : report.divergences()) {
            out().printf(
                            Locale.ROOT,
                            "#%d %.6f %s: %s%n",
                            one.number(),
                            one.nanos() / 1e9,
                            one.where(),
                            one.what());
        }
        out().printf(
                        Locale.ROOT,
                        "%s: %,d steps, %,d reads compared (%,d polls, %,d differ in volatile bits"
                                + " only), %,d transfers and interrupts as recorded%n",
                        report.divergences().isEmpty()
                                ? "no divergence"
                                : report.divergences().size() + " divergences",
                        report.steps(),
                        report.reads(),
                        report.polls(),
                        report.volatileReads(),
                        report.transfers());
    }
}
