package farslot.cli;

import farslot.lab.LabException;
import farslot.link.ControlLink;
import farslot.link.LinkException;
import farslot.link.LinkOptions;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory;
import farslot.registers.Nearest;
import farslot.slot.FunctionAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs, lists and stops virtual machines of the lab. */
@Command(
        name = "vm",
        header = "Run virtual machines with borrowed functions",
        description = {
            "",
            "Runs, lists and stops virtual machines of the lab: Debian's kernel and a small shell,"
                    + " with borrowed functions as PCI devices."
        },
        subcommands = {VmCommand.Run.class, VmCommand.ListMachines.class, VmCommand.Stop.class},
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot vm run --name v1 --borrow n0@machine")
final class VmCommand extends Verb {
    @Override
    public Integer call() {
        throw usage("vm wants one of run, list, stop.");
    }

    @Command(
            name = "run",
            header = "Run a machine with its console on this terminal",
            description = {
                "",
                "Starts a slot for each borrowed function, then the machine, whose serial console is"
                        + " this terminal. All of it ends with the machine (\"poweroff -f\", or"
                        + " \"exit\" in its shell) or with Ctrl-C.",
                "With --watch-crash a guest that panics is started again, with functions that were"
                        + " returned and borrowed anew."
            },
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExample:%n",
            footer = "  farslot vm run --name v1 --borrow n0@machine -- -smp 2")
    static final class Run extends Verb {
        @Option(
                names = "--name",
                paramLabel = "NAME",
                defaultValue = "vm",
                description = "What others call this machine: \"farslot vm stop NAME\".")
        String name;

        @Option(
                names = "--borrow",
                paramLabel = "NAME[@MACHINE[:PORT]]",
                description = "A function to plug in; may be given several times.")
        List<String> borrow = new ArrayList<>();

        @Option(
                names = "--insecure",
                description = "Borrow over TCP though nothing is encrypted and nobody proven.")
        boolean insecure;

        @Mixin HoldOptions holding;

        @Mixin CrashOptions crashes;

        @Option(
                names = "--trace",
                paramLabel = "FILE",
                description = "Record all accesses of the one borrowed function.")
        Path trace;

        @Option(
                names = "--memory",
                paramLabel = "SIZE",
                defaultValue = "512M",
                description = "The machine's memory, as 512M or 2G; default ${DEFAULT-VALUE}.")
        String memory;

        @Option(
                names = "--share",
                paramLabel = "on|off",
                defaultValue = "on",
                description =
                        "Whether slots map the machine's memory (on, the default), or move its"
                                + " bytes by messages, which is slower and less strict.")
        String share;

        @Mixin LabOptions lab;

        @Parameters(paramLabel = "QEMU-ARGUMENT", description = "After --: more for QEMU.")
        List<String> arguments = new ArrayList<>();

        @Override
        public Integer call() {
            if (!share.equals("on") && !share.equals("off")) {
                throw usage("--share is on or off, not \"" + share + "\".");
            }
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) {
                throw usage(
                        "--name is letters, digits, dots and dashes, 63 at most, not \""
                                + name
                                + "\".");
            }
            if (trace != null && borrow.size() != 1) {
                throw usage(
                        "--trace records one function, and --borrow names " + borrow.size() + ".");
            }
            holding.check(this);
            crashes.check(this);
            borrow.forEach(this::check);
            VmRun run =
                    new VmRun(
                            name,
                            insecure,
                            holding,
                            crashes,
                            memoryMiB(),
                            share.equals("on"),
                            this::say);
            try {
                return run.run(lab, borrow, trace, arguments);
            } catch (LabException e) {
                throw new CommandFailure(ExitCode.LACKING, e.getMessage(), e);
            } catch (IOException e) {
                throw new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
            }
        }

        private void check(String address) {
            try {
                FunctionAddress.parse(address);
            } catch (IllegalArgumentException e) {
                throw usage("--borrow: " + e.getMessage());
            }
        }

        private int memoryMiB() {
            if (!memory.matches("[0-9]{1,6}[MG]")) {
                throw usage("--memory is a number with M or G, as 512M, not \"" + memory + "\".");
            }
            int count = Integer.parseInt(memory.substring(0, memory.length() - 1));
            int memoryMiB = memory.endsWith("G") ? count * 1024 : count;
            if (memoryMiB < 192) {
                throw usage("--memory: Linux and its programs need 192M here at least.");
            }
            return memoryMiB;
        }
    }

    @Command(
            name = "list",
            header = "List the machines that run",
            optionListHeading = "%nOptions:%n")
    static final class ListMachines extends Verb {
        @Mixin JsonOption output;

        @Override
        public Integer call() {
            List<Map<String, String>> rows = new ArrayList<>();
            for (RuntimeDirectory.Place place : places()) {
                try {
                    rows.addAll(operate(place, "status"));
                } catch (LinkException | RefusedException e) {
                    say(place.name() + " does not answer: " + e.getMessage());
                }
            }
            if (output.json) {
                Json.print(out(), rows);
                return ExitCode.OK;
            }
            Table table = new Table("NAME", "PID", "QEMU", "MEMORY", "ACCELERATOR", "FUNCTIONS");
            rows.forEach(row ->
                    table.row(
                            row.get("name"),
                            row.get("pid"),
                            row.get("qemuPid"),
                            row.get("memoryMiB") + "M",
                            row.get("accelerator"),
                            row.get("functions")));
            table.print(out());
            return ExitCode.OK;
        }
    }

    @Command(
            name = "stop",
            header = "Stop a machine, as pulling its plug does",
            optionListHeading = "%nOptions:%n",
            footerHeading = "%nExample:%n",
            footer = "  farslot vm stop v1")
    static final class Stop extends Verb {
        @Parameters(
                paramLabel = "NAME",
                description = "The machine's, as \"farslot vm list\" shows.")
        String name;

        @Override
        public Integer call() {
            List<RuntimeDirectory.Place> places = places();
            RuntimeDirectory.Place place =
                    places.stream()
                            .filter(candidate -> candidate.name().equals(name))
                            .findFirst()
                            .orElseThrow(() -> notFound(places));
            try {
                operate(place, "stop");
                return ExitCode.OK;
            } catch (RefusedException e) {
                throw new CommandFailure(ExitCode.REFUSED, e.getMessage(), e);
            } catch (LinkException e) {
                throw new CommandFailure(ExitCode.NOT_FOUND, e.getMessage(), e);
            }
        }

        private CommandFailure notFound(List<RuntimeDirectory.Place> places) {
            List<String> names = places.stream().map(RuntimeDirectory.Place::name).toList();
            return new CommandFailure(
                    ExitCode.NOT_FOUND,
                    "No machine called \"" + name + "\" runs here" + Nearest.question(name, names));
        }
    }

    private static List<RuntimeDirectory.Place> places() {
        try {
            RuntimeDirectory directory = RuntimeDirectory.ofUser();
            List<RuntimeDirectory.Place> places = new ArrayList<>();
            for (RuntimeDirectory.Place place : directory.places()) {
                if (place.role() == RuntimeDirectory.Role.VM && !directory.removeIfDead(place)) {
                    places.add(place);
                }
            }
            return places;
        } catch (IOException e) {
            throw new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
        }
    }

    private static List<Map<String, String>> operate(RuntimeDirectory.Place place, String action)
            throws LinkException, RefusedException {
        try (ControlLink link =
                ControlLink.connect(place.address(), LinkOptions.named("farslot vm"))) {
            return link.operate(action, Map.of());
        }
    }
}
