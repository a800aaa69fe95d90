package farslot.cli;

import farslot.core.PciFunction;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.link.RuntimeDirectory.Role;
import farslot.link.Wish;
import farslot.posix.PeerCredentials;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOrigin;
import farslot.slot.BorrowException;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import farslot.slot.Supervision;
import farslot.vfiouser.QemuDevice;
import farslot.vfiouser.VfioUserServer;
import farslot.watch.Recordings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Stack;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Borrows a function and holds its slot until Ctrl-C. */
@Command(
        name = "borrow",
        header = "Borrow a function and give it to a driver",
        description = {
            "%nBorrows a function and makes it a vfio-user device for QEMU, until Ctrl-C or"
                    + " \"farslot stop NAME\". Prints the -device argument that QEMU needs.",
            "When the emulator ends, the function is returned at once; for the next emulator it is"
                    + " borrowed anew.",
            "When the connection breaks, accesses wait for another, and nothing is lost. One that"
                    + " waits for longer than --hold is answered all-ones, and so are all after it"
                    + " until there is a connection; then the function has been reset. When the"
                    + " lender itself goes, the function is borrowed again once it is back, freshly"
                    + " reset."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot borrow n0@machine --vfio-user /tmp/n0.sock")
final class BorrowCommand extends Verb {
    @Parameters(paramLabel = "NAME[@MACHINE[:PORT]]", description = "What to borrow, and where.")
    String what;

    @Option(
            names = "--vfio-user",
            required = true,
            paramLabel = "PATH",
            description = "Make the function a vfio-user device at this UNIX socket.")
    Path socket;

    @Option(
            names = "--name",
            description = "The slot's name, which the lender is told. Default: NAME-slot.")
    String name;

    @Option(
            names = "--wait",
            arity = "0..1",
            preprocessor = OnlyAttached.class,
            paramLabel = "SECONDS",
            description =
                    "Where others have the function, wait until it is this slot's turn, for so long"
                            + " at most. Those who wait are served in the order of asking.")
    String wait;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description =
                    "Record everything into this .fst file, which must not exist, from the beginning."
                            + " \"farslot trace record\" records while it is borrowed.")
    Path trace;

    @Mixin RecordOptions recording;

    @Option(
            names = "--insecure",
            description = "Use TCP as it is: nothing proves who lends, nothing is encrypted.")
    boolean insecure;

    @Mixin HoldOptions holding;

    @Option(
            names = "--emulator-waits",
            description =
                    "Needed for a --hold of more than 4 s: the emulator is told to wait too, by"
                            + " x-msg-timeout as in the -device argument that is printed.")
    boolean emulatorWaits;

    @Option(names = "--detach", description = "Go on in the background; \"farslot stop\" ends it.")
    boolean detach;

    @Mixin JsonOption output;

    /**
     * What {@code --json} prints.
     *
     * @param device the value for QEMU's -device
     */
    record Report(
            String name,
            long pid,
            String function,
            String kind,
            String socket,
            String device,
            String trace) {}

    private volatile Recordings recordings;

    @Override
    public Integer call() {
        FunctionAddress address;
        try {
            address = FunctionAddress.parse(what);
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
        if (trace == null && recording.any()) {
            throw usage(
                    "--dma, --mode, --where, --until, --ring, --limit, --files and --sync say how a trace is recorded, so --trace FILE.fst must be given too.");
        }
        if (wait != null && !wait.isEmpty() && !wait.matches("[0-9]{1,9}")) {
            throw usage("--wait=" + wait + ": a number of seconds is wanted, or --wait alone.");
        }
        holding.check(this);
        if (holding.isLong() && !emulatorWaits) {
            throw usage(
                    "--hold of more than 4 s: QEMU gives up on a slot that does not answer for 5 s,"
                            + " for good, unless its -device has x-msg-timeout. Add"
                            + " --emulator-waits, and give QEMU the -device argument that is"
                            + " printed then.");
        }
        RuntimeDirectory directory = Processes.runtimeDirectory();
        if (detach) {
            return Background.start("borrow", directory.path(), out(), spec.commandLine().getErr());
        }
        try (Foreground foreground = new Foreground(this::say)) {
            Slot slot = serve(address, directory, foreground);
            Background.ready();
            foreground.await();
            if (slot.status().state().equals("gone")) {
                throw new CommandFailure(
                        ExitCode.FAILED,
                        what
                                + " is lost, and with --no-rejoin it is not borrowed again: "
                                + slot.status().sentence());
            }
        } catch (BorrowException e) {
            throw failure(e);
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        }
        Background.ended();
        return ExitCode.OK;
    }

    private Slot serve(FunctionAddress address, RuntimeDirectory directory, Foreground foreground)
            throws BorrowException, InterruptedException, IOException {
        String slotName = name != null ? name : freeName(address.name() + "-slot", directory);
        Slot slot =
                foreground.own(
                        Slot.open(
                                directory,
                                slotName,
                                address,
                                patience(),
                                LinkOptions.named(toldName(address, slotName))
                                        .withInsecure(insecure)
                                        .withTrust(Processes.trust(address.address(), insecure))
                                        .withGrace(holding.graceTime()),
                                holding.rules(),
                                new Supervision(Program.supervisor(), this::sayAndMark),
                                function -> recorded(slotName, function, foreground),
                                this::sayAndMark,
                                foreground::stop));
        slot.offer(recordings);
        VfioUserServer server =
                foreground.own(
                        VfioUserServer.start(
                                slot.function(),
                                socket.toAbsolutePath(),
                                new Clients(),
                                Duration.ofMillis(holding.holdMillis())));
        if (insecure && !address.isHere()) {
            slot.detail("insecure", "yes");
        }
        slot.detail("vfio-user", server.socket().toString());
        report(slot, server);
        return slot;
    }

    private Duration patience() {
        if (wait == null) {
            return Duration.ZERO;
        }
        return wait.isEmpty() ? Wish.FOREVER : Duration.ofSeconds(Integer.parseInt(wait));
    }

    /**
     * What the lender is told. A slot takes over what one of the same user and name has still, so
     * the usual names of two machines must differ.
     */
    private String toldName(FunctionAddress address, String slotName) throws IOException {
        return name != null || address.isHere()
                ? slotName
                : slotName + "@" + Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    }

    /** The function where it can be recorded, from now on if that is wanted. */
    private PciFunction recorded(String slotName, PciFunction function, Foreground foreground) {
        Recordings of =
                foreground.own(
                        new Recordings(
                                slotName,
                                TraceOrigin.At.SLOT,
                                function,
                                UserFolders.traces(),
                                this::say));
        try {
            if (trace != null) {
                of.keep(trace, recording.of(function.describe()));
            }
        } catch (TraceException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
        recordings = of;
        return of.function();
    }

    /** Traces say too when the function was lost and when it came back. */
    private void sayAndMark(String sentence) {
        say(sentence);
        Recordings of = recordings;
        if (of != null) {
            of.mark(sentence);
        }
    }

    private static String freeName(String wanted, RuntimeDirectory directory) {
        String free = wanted;
        for (int number = 2; Files.exists(directory.socket(free, Role.SLOT)); number++) {
            free = wanted + number;
        }
        return free;
    }

    private void report(Slot slot, VfioUserServer server) {
        String kind = slot.function().describe().kind();
        String device =
                holding.isLong() ? QemuDevice.patient(server.socket()) : server.qemuDevice();
        if (output.json) {
            Json.print(
                    out(),
                    new Report(
                            slot.name(),
                            ProcessHandle.current().pid(),
                            what,
                            kind,
                            server.socket().toString(),
                            device,
                            trace == null ? null : trace.toString()));
        } else {
            out().println(QemuDevice.shellWords(device));
            out().flush();
        }
        say("Borrowed " + what + " (" + kind + ") as " + slot.name() + ". Ctrl-C returns it.");
        say(
                "Give QEMU that argument, and memory that is shared (share=on): "
                        + QemuDevice.sharedMemoryWords("SIZE")
                        + ". Without it DMA is slow, and a read does not push it.");
    }

    static CommandFailure failure(BorrowException e) {
        int exitCode =
                switch (e.reason()) {
                    case BAD_INPUT -> ExitCode.USAGE;
                    case REFUSED -> ExitCode.REFUSED;
                    case NOT_FOUND -> ExitCode.NOT_FOUND;
                    case FAILED -> ExitCode.FAILED;
                };
        return new CommandFailure(exitCode, e.getMessage(), e);
    }

    /** Takes as SECONDS only what follows a "=": in {@code --wait n0} the name is no number. */
    static final class OnlyAttached implements CommandLine.IParameterPreprocessor {
        @Override
        public boolean preprocess(
                Stack<String> words,
                CommandSpec command,
                ArgSpec option,
                Map<String, Object> found) {
            if (!"=".equals(found.get("separator"))) {
                words.push("");
            }
            return false;
        }
    }

    /** Says who comes and goes; the slot itself notices by its function's host. */
    private final class Clients implements VfioUserServer.ClientListener {
        @Override
        public void clientArrived(PeerCredentials peer) {
            say("An emulator has connected: process " + peer.pid() + ".");
        }

        @Override
        public void clientGone(PeerCredentials peer, String why) {
            say(
                    "The emulator, process "
                            + peer.pid()
                            + ", is gone: "
                            + why
                            + " The function is returned; for the next emulator it is borrowed"
                            + " anew.");
        }
    }
}
