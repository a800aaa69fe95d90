package farslot.cli;

import farslot.lender.Conditions;
import farslot.lender.HostedDevice;
import farslot.lender.Lender;
import farslot.lender.LendingException;
import farslot.lender.PolicyFile;
import farslot.lender.Specification;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.link.Trust;
import farslot.posix.OwnProcess;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOrigin;
import farslot.watch.Recordings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes devices and lends them until Ctrl-C. */
@Command(
        name = "lend",
        header = "Lend a device to others",
        description = {
            "%nMakes devices and lends their functions, each to one slot at a time, until Ctrl-C or"
                    + " \"farslot stop NAME\".",
            "A device is KIND[,name=NAME][,KEY=VALUE]...; \"farslot lend nvme,help\" tells a kind's"
                    + " options. Slots of this machine find it by its name; for other machines"
                    + " listen on a port."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot lend nvme,name=n0,image=disk.img,size=1G",
            "  farslot lend nvme,name=n0,image=disk.img --listen 0.0.0.0:6727"
        })
final class LendCommand extends Verb {
    @Parameters(
            arity = "1..*",
            paramLabel = "DEVICE",
            description = "What to lend: KIND[,name=NAME][,KEY=VALUE]...")
    List<String> devices;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description =
                    "Listen for other machines there; port 0 takes a free one. Default port: "
                            + Address.DEFAULT_PORT
                            + ".")
    List<String> listen = List.of();

    @Option(
            names = "--insecure",
            description = "Use TCP as it is: nothing proves who borrows, nothing is encrypted.")
    boolean insecure;

    @Option(
            names = "--grace",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description =
                    "For how long a function whose borrower's connection broke is kept for it;"
                            + " default ${DEFAULT-VALUE}. 0 takes it back at once.")
    double grace;

    @Option(
            names = "--policy",
            paramLabel = "FILE",
            description =
                    "Who may borrow, observe and operate what (docs/security.md). Default:"
                            + " $XDG_CONFIG_HOME/farslot/policy.toml if there is one; without any,"
                            + " this user alone. Changes hold at once.")
    Path policy;

    @Option(
            names = "--audit",
            paramLabel = "FILE|none",
            description =
                    "Write every grant, refusal and end there, a JSON object a line. Default:"
                            + " $XDG_STATE_HOME/farslot/audit/NAME.jsonl.")
    String audit;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description =
                    "Record everything into this .fst file, which must not exist, from the beginning. With"
                            + " several devices each has its own: FILE-NAME.fst. \"farslot trace"
                            + " record\" records while it is lent.")
    Path trace;

    @Mixin RecordOptions recording;

    @Option(
            names = "--no-handover",
            description =
                    "Begin anew, whatever the last lender of this name has left by \"farslot stop"
                            + " --handover\".")
    boolean noHandover;

    @Option(names = "--detach", description = "Go on in the background; \"farslot stop\" ends it.")
    boolean detach;

    @Mixin JsonOption output;

    /** What {@code --json} prints. */
    record Report(String name, long pid, List<Lent> functions, List<String> addresses) {}

    /** One function of the report. */
    record Lent(String name, String kind, String trace) {}

    @Override
    public Integer call() {
        for (String device : devices) {
            if (device.endsWith(",help")) {
                DeviceHelp.print(out(), device.substring(0, device.length() - ",help".length()));
                return ExitCode.OK;
            }
        }
        if (trace == null && recording.any()) {
            throw usage(
                    "--dma, --mode, --where, --until, --ring, --limit, --files and --sync say how a trace is recorded, so --trace FILE.fst must be given too.");
        }
        HoldOptions.checkSeconds(this, "--grace", grace, 0);
        RuntimeDirectory directory = Processes.runtimeDirectory();
        List<Address> addresses = addresses();
        Trust trust = trust(addresses);
        if (detach) {
            return Background.start("lend", directory.path(), out(), spec.commandLine().getErr());
        }
        try (Foreground foreground = new Foreground(this::say)) {
            giveUpRights();
            PolicyFile rules = policyFile();
            List<Lent> lent = new ArrayList<>();
            List<Lender.Lendable> lendables = make(specifications(directory), lent, foreground);
            if (noHandover) {
                dropHandover(directory.handover(lendables.getFirst().name()));
            }
            Lender lender =
                    foreground.own(
                            Lender.open(
                                    directory,
                                    lendables,
                                    addresses,
                                    LinkOptions.named(lendables.getFirst().name())
                                            .withInsecure(insecure)
                                            .withTrust(trust)
                                            .withGrace(HoldOptions.millis(grace)),
                                    new Conditions(
                                            rules,
                                            AuditLog.forLender(
                                                    lendables.getFirst().name(),
                                                    audit,
                                                    foreground,
                                                    this::say)),
                                    this::say,
                                    foreground::stop));
            report(lender, lent);
            Background.ready();
            foreground.await();
        } catch (LendingException e) {
            throw new CommandFailure(
                    e.fault() == LendingException.Fault.BAD_INPUT
                            ? ExitCode.USAGE
                            : ExitCode.FAILED,
                    e.getMessage(),
                    e);
        }
        Background.ended();
        return ExitCode.OK;
    }

    /** What a lender does not need, before anybody can talk to it: docs/security.md. */
    private void giveUpRights() {
        try {
            OwnProcess.keepFilesPrivate();
            OwnProcess.gainNoRights();
            if (!Program.debugging()) {
                OwnProcess.hideMemory();
            }
        } catch (IOException e) {
            say("This lender keeps rights that it does not need: " + e.getMessage());
        }
    }

    /** The file that was named, or the usual one if it is there, or null. */
    private PolicyFile policyFile() throws LendingException {
        Path usual = UserFolders.settings().resolve("policy.toml");
        Path file = policy != null ? policy : usual;
        if (policy == null && !Files.exists(usual)) {
            return null;
        }
        PolicyFile read = PolicyFile.open(file.toAbsolutePath());
        say("The policy file " + read.path() + " says who may do what.");
        return read;
    }

    /** What proves over TCP who lends; null where there is no TCP, or none that is proven. */
    private Trust trust(List<Address> addresses) {
        Optional<Address> tcp =
                addresses.stream().filter(address -> address instanceof Address.Tcp).findFirst();
        if (tcp.isEmpty() || insecure) {
            return null;
        }
        Trust trust = Processes.trust(tcp.get(), false);
        if (trust == null) {
            throw usage(
                    "--listen opens TCP, and this user has no certificate that proves who lends:"
                            + " \"farslot trust init\" makes a site's first, \"farslot trust"
                            + " import\" takes one that was issued for you. Or add --insecure, if"
                            + " nothing need be proven and nothing encrypted.");
        }
        return trust;
    }

    private void dropHandover(Path file) {
        try {
            if (Files.deleteIfExists(file)) {
                say("--no-handover: what the last lender has handed over is dropped.");
            }
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "The file " + file + " cannot be removed: " + e, e);
        }
    }

    private List<Address> addresses() {
        List<Address> addresses = new ArrayList<>();
        for (String text : listen) {
            try {
                addresses.add(Address.parse(text));
            } catch (IllegalArgumentException e) {
                throw usage(e.getMessage());
            }
        }
        return addresses;
    }

    /** The specifications, each with a name: where none is given, the kind and a free number. */
    private List<Specification> specifications(RuntimeDirectory directory) throws LendingException {
        List<Specification> specifications = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (String device : devices) {
            Specification specification = Specification.parse(device);
            if (specification.name() != null && !names.add(specification.name())) {
                throw usage("Two devices are named \"" + specification.name() + "\".");
            }
            specifications.add(specification);
        }
        Set<String> taken = new HashSet<>(names);
        try {
            directory.places().forEach(place -> taken.add(place.name()));
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "The control sockets cannot be read: " + e, e);
        }
        specifications.replaceAll(specification -> {
            if (specification.name() != null) {
                return specification;
            }
            int number = 0;
            while (!taken.add(specification.kind() + number)) {
                number++;
            }
            return specification.named(specification.kind() + number);
        });
        return specifications;
    }

    private List<Lender.Lendable> make(
            List<Specification> specifications, List<Lent> lent, Foreground foreground)
            throws LendingException {
        List<Lender.Lendable> lendables = new ArrayList<>();
        for (Specification specification : specifications) {
            HostedDevice device = foreground.own(HostedDevice.make(specification));
            Recordings recordings =
                    foreground.own(
                            new Recordings(
                                    device.name(),
                                    TraceOrigin.At.LENDER,
                                    device.function(),
                                    UserFolders.traces(),
                                    this::say));
            Path file = traceFile(specification.name(), specifications.size());
            if (file != null) {
                try {
                    recordings.keep(file, recording.of(device.function().describe()));
                } catch (TraceException e) {
                    throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
                }
            }
            lendables.add(new Lender.Lendable(device.name(), device.function(), recordings));
            lent.add(
                    new Lent(
                            device.name(),
                            specification.kind(),
                            file == null ? null : file.toString()));
        }
        return lendables;
    }

    private Path traceFile(String name, int devicesCount) {
        if (trace == null || devicesCount == 1) {
            return trace;
        }
        String file = trace.getFileName().toString();
        String base = file.endsWith(".fst") ? file.substring(0, file.length() - 4) : file;
        return trace.resolveSibling(base + "-" + name + ".fst");
    }

    private void report(Lender lender, List<Lent> lent) {
        List<String> addresses = lender.addresses().stream().map(Address::toString).toList();
        if (output.json) {
            Json.print(
                    out(),
                    new Report(lender.name(), ProcessHandle.current().pid(), lent, addresses));
        } else {
            addresses.forEach(address -> out().println(address));
            out().flush();
        }
        if (insecure && !listen.isEmpty()) {
            say(
                    "--insecure: whoever reaches the port can read what passes, and borrow"
                            + (policy == null ? "." : " what the policy allows \"anybody\"."));
        }
        for (Lent function : lent) {
            say("Lending " + function.name() + " (" + function.kind() + "). Ctrl-C ends it.");
        }
    }
}
