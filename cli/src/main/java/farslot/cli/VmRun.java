package farslot.cli;

import farslot.lab.Accelerator;
import farslot.lab.Lab;
import farslot.lab.LabException;
import farslot.lab.PreparedLab;
import farslot.lab.TemporaryFolder;
import farslot.lab.Vm;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.LinkServer;
import farslot.link.ObservedEvent;
import farslot.link.Offer;
import farslot.link.Peer;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory;
import farslot.slot.FunctionAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * One machine on the terminal, with a slot process for each function that it borrows, and a control
 * socket by which others see and stop it.
 */
final class VmRun {
    private static final Duration SLOT_START = Duration.ofSeconds(60);

    private final String name;
    private final boolean insecure;
    private final HoldOptions holding;
    private final int memoryMiB;
    private final boolean sharedMemory;
    private final Consumer<String> say;
    private final Instant since = Instant.now();

    VmRun(
            String name,
            boolean insecure,
            HoldOptions holding,
            int memoryMiB,
            boolean sharedMemory,
            Consumer<String> say) {
        this.name = name;
        this.insecure = insecure;
        this.holding = holding;
        this.memoryMiB = memoryMiB;
        this.sharedMemory = sharedMemory;
        this.say = say;
    }

    /** Runs until the machine ends; returns the exit code. */
    int run(LabOptions options, List<String> addresses, Path trace, List<String> arguments)
            throws IOException {
        RuntimeDirectory directory = RuntimeDirectory.ofUser();
        refuseTakenName(directory);
        Lab ofUser = Lab.ofUser();
        PreparedLab lab = options.open(ofUser, say);
        Accelerator accelerator = ofUser.accelerator(lab, say);
        List<FarslotProcess> slots = new ArrayList<>();
        try (TemporaryFolder folder = TemporaryFolder.create("farslot-run-")) {
            try {
                Vm.Builder builder = Vm.builder(lab, accelerator).name(name).memoryMiB(memoryMiB);
                builder.sharedMemory(sharedMemory).onTerminal().arguments(arguments);
                if (holding.isLong()) {
                    builder.waitingForSlots();
                }
                for (String address : addresses) {
                    Path socket = folder.path().resolve("slot" + slots.size());
                    slots.add(borrow(address, socket, trace));
                    builder.vfioUser(socket);
                }
                return run(builder, directory, accelerator, addresses);
            } finally {
                slots.reversed().forEach(FarslotProcess::close);
            }
        }
    }

    private int run(
            Vm.Builder builder,
            RuntimeDirectory directory,
            Accelerator accelerator,
            List<String> addresses)
            throws IOException {
        Address control = new Address.Unix(directory.socket(name, RuntimeDirectory.Role.VM));
        try (Vm vm = builder.start();
                // SIGTERM too closes it, and waits until its socket's file is gone.
                Foreground foreground = new Foreground(say)) {
            LinkServer server =
                    foreground.own(
                            LinkServer.open(
                                    LinkOptions.named(name),
                                    new Control(vm, accelerator, addresses),
                                    List.of(control)));
            while (!vm.await(Duration.ofHours(1))) {
                // It runs as long as its user likes.
            }
            server.close("The machine " + name + " ended.");
            return vm.exitCode() == 0 ? ExitCode.OK : ExitCode.FAILED;
        }
    }

    private void refuseTakenName(RuntimeDirectory directory) {
        Path socket = directory.socket(name, RuntimeDirectory.Role.VM);
        RuntimeDirectory.Place place =
                new RuntimeDirectory.Place(name, RuntimeDirectory.Role.VM, socket, false);
        if (directory.isAlive(place)) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "A machine called \""
                            + name
                            + "\" runs here already. Choose another --name, or end it: farslot vm"
                            + " stop "
                            + name
                            + ".");
        }
    }

    private FarslotProcess borrow(String address, Path socket, Path trace) {
        String slotName = name + "-" + FunctionAddress.parse(address).name();
        List<String> words = new ArrayList<>(List.of("borrow", address, "--name", slotName));
        words.addAll(List.of("--vfio-user", socket.toString()));
        words.addAll(holding.words());
        if (insecure) {
            words.add("--insecure");
        }
        if (trace != null) {
            words.addAll(List.of("--trace", trace.toString()));
        }
        FarslotProcess slot = FarslotProcess.start("the slot of " + address, words);
        try {
            slot.console().await("vfio-user-pci", SLOT_START);
            slot.console().copyTo(System.err);
            return slot;
        } catch (LabException e) {
            boolean ended = !slot.process().isAlive();
            slot.close();
            throw ended ? slot.failure() : e;
        }
    }

    /** What comes over the control socket. */
    private final class Control implements Offer {
        private final Vm vm;
        private final Accelerator accelerator;
        private final List<String> addresses;

        Control(Vm vm, Accelerator accelerator, List<String> addresses) {
            this.vm = vm;
            this.accelerator = accelerator;
            this.addresses = addresses;
        }

        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) throws RefusedException {
            return switch (action) {
                case "status" -> List.of(status());
                case "stop" -> {
                    // On a thread of its own: the answer goes out before all ends.
                    Thread.ofPlatform().name("stop").start(vm::close);
                    yield List.of();
                }
                default ->
                        throw new RefusedException(
                                RefusedException.Reason.NOT_FOUND,
                                "A machine has no action \""
                                        + action
                                        + "\"; it has status and stop.");
            };
        }

        @Override
        public AutoCloseable observe(Peer peer, Consumer<ObservedEvent> observer)
                throws RefusedException {
            throw new RefusedException(
                    RefusedException.Reason.UNSUPPORTED,
                    "A machine tells nothing of itself; its slots do.");
        }

        private Map<String, String> status() {
            Map<String, String> row = new LinkedHashMap<>();
            row.put("name", name);
            row.put("role", "vm");
            row.put("pid", Long.toString(ProcessHandle.current().pid()));
            row.put("since", Long.toString(since.toEpochMilli()));
            row.put("state", vm.isAlive() ? "running" : "ended");
            row.put("qemuPid", Long.toString(vm.pid()));
            row.put("memoryMiB", Integer.toString(memoryMiB));
            row.put("accelerator", accelerator.word());
            row.put("functions", String.join(" ", addresses));
            return row;
        }
    }
}
