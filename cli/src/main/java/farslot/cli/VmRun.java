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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * One machine on the terminal, with a slot process for each function that it borrows, and a control
 * socket by which others see and stop it.
 */
final class VmRun {
    private static final Duration SLOT_START = Duration.ofSeconds(60);
    private static final long FIRST_PAUSE_MILLIS = 1000;
    private static final long LAST_PAUSE_MILLIS = 60_000;

    /** A machine that ran for so long does not crash again and again. */
    private static final Duration LASTING = Duration.ofMinutes(10);

    private final String name;
    private final boolean insecure;
    private final HoldOptions holding;
    private final CrashOptions crashes;
    private final int memoryMiB;
    private final boolean sharedMemory;
    private final Consumer<String> say;
    private final Instant since = Instant.now();

    VmRun(
            String name,
            boolean insecure,
            HoldOptions holding,
            CrashOptions crashes,
            int memoryMiB,
            boolean sharedMemory,
            Consumer<String> say) {
        this.name = name;
        this.insecure = insecure;
        this.holding = holding;
        this.crashes = crashes;
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
                if (crashes.areWatched()) {
                    builder.device("pvpanic-pci").kernelWords("farslot.modules=pvpanic-pci");
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
        Address address = new Address.Unix(directory.socket(name, RuntimeDirectory.Role.VM));
        Control control = new Control(accelerator, addresses);
        // SIGTERM too closes it, and waits until its socket's file is gone.
        try (Foreground foreground = new Foreground(say)) {
            LinkServer server = null;
            long pauseMillis = FIRST_PAUSE_MILLIS;
            while (true) {
                long began = System.nanoTime();
                CrashWatch watch = new CrashWatch(crashes.compiled());
                if (crashes.pattern != null) {
                    builder.consoleCopy(watch.console());
                }
                try (Vm vm = builder.start()) {
                    control.runs(vm);
                    if (server == null) {
                        server =
                                foreground.own(
                                        LinkServer.open(
                                                LinkOptions.named(name),
                                                control,
                                                List.of(address)));
                    }
                    String crash = awaitEnd(vm, watch);
                    if (crash == null || control.isStopped()) {
                        server.close("The machine " + name + " ended.");
                        return vm.exitCode() == 0 ? ExitCode.OK : ExitCode.FAILED;
                    }
                    say.accept(name + " has crashed: " + crash + ".");
                }
                boolean lasted = System.nanoTime() - began > LASTING.toNanos();
                pauseMillis = lasted ? FIRST_PAUSE_MILLIS : pauseMillis;
                if (!control.startsAgain(pauseMillis)) {
                    server.close("The machine " + name + " crashed.");
                    return ExitCode.FAILED;
                }
                pauseMillis = Math.min(2 * pauseMillis, LAST_PAUSE_MILLIS);
            }
        }
    }

    /** Waits as long as the user likes it to run; tells why its guest crashed, or null. */
    private String awaitEnd(Vm vm, CrashWatch watch) {
        if (crashes.areWatched()) {
            watch.begin(vm);
        }
        while (!vm.await(Duration.ofHours(1))) {
            // It runs on.
        }
        return crashes.areWatched() ? watch.verdict() : null;
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
        private final Accelerator accelerator;
        private final List<String> addresses;
        private final CountDownLatch stopped = new CountDownLatch(1);
        private volatile Vm vm;
        private final AtomicInteger restarts = new AtomicInteger();

        Control(Accelerator accelerator, List<String> addresses) {
            this.accelerator = accelerator;
            this.addresses = addresses;
        }

        void runs(Vm started) {
            vm = started;
            if (isStopped()) {
                started.close();
            }
        }

        boolean isStopped() {
            return stopped.getCount() == 0;
        }

        /** Whether a crashed machine is to be started again; then after a pause. */
        boolean startsAgain(long pauseMillis) {
            if (crashes.restarts != null && restarts.get() >= crashes.restarts) {
                say.accept(name + " is not started again: --restarts " + crashes.restarts + ".");
                return false;
            }
            int number = restarts.incrementAndGet();
            say.accept(
                    name
                            + " is started again (number "
                            + number
                            + ") in "
                            + pauseMillis / 1000
                            + " s, with its functions returned and borrowed anew.");
            try {
                return !stopped.await(pauseMillis, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }

        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) throws RefusedException {
            return switch (action) {
                case "status" -> List.of(status());
                case "stop" -> {
                    stopped.countDown();
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
            row.put("restarts", Integer.toString(restarts.get()));
            row.put("qemuPid", Long.toString(vm.pid()));
            row.put("memoryMiB", Integer.toString(memoryMiB));
            row.put("accelerator", accelerator.word());
            row.put("functions", String.join(" ", addresses));
            return row;
        }
    }
}
