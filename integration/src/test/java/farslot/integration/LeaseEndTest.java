package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.FunctionDescription;
import farslot.devices.nvme.DriverRun;
import farslot.devices.nvme.NvmeKind;
import farslot.lab.ChildProcess;
import farslot.lab.Console;
import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.LinkException;
import farslot.link.LinkOptions;
import farslot.link.RefusedException;
import farslot.link.RemoteFunction;
import farslot.link.RuntimeDirectory;
import farslot.link.Wish;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import farslot.vfiouser.VfioUserServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * However a lease ends in the middle of I/O, the next has the function without a wait for any
 * time-out, and every register is as after power-on. How long it took is printed.
 */
@Timeout(value = 2, unit = TimeUnit.HOURS)
class LeaseEndTest {
    private static final String ROUNDS = System.getProperty("farslot.rounds", "short");

    /** So long that a lease which ends by it fails the test by its own words, and by its time. */
    private static final LinkOptions LENDING =
            LinkOptions.named("n0").withInsecure(true).withGrace(Duration.ofMinutes(30));

    /** Returns once something was read; goes on behind. */
    private static final String READ_WITHOUT_END =
            """
            (while dd if=/dev/nvme0n1 of=/dev/null bs=64k iflag=direct 2>/dev/null; do
                touch /tmp/busy
            done) &
            until [ -e /tmp/busy ]; do sleep 0.1; done
            """;

    @TempDir Path folder;

    private final BlockingQueue<String> talk = new LinkedBlockingQueue<>();
    private final List<Long> nanos = new ArrayList<>();
    private final List<Long> supervisorKib = new ArrayList<>();
    private Path runtime;
    private DeviceFunction device;
    private Lender lender;
    private PowerOnState fresh;

    private static int rounds(int few, int some, int full) {
        return ROUNDS.equals("few") ? few : ROUNDS.equals("full") ? full : some;
    }

    @BeforeEach
    void lend() throws Exception {
        // Sockets' paths are short.
        runtime = Files.createTempDirectory("fs-");
        try (DeviceFunction unused = device("new")) {
            fresh = PowerOnState.of(unused);
        }
        device = device("disk");
        lender =
                Lender.open(
                        RuntimeDirectory.at(runtime),
                        List.of(new Lender.Lendable("n0", device)),
                        List.of(new Address.Tcp("127.0.0.1", 0)),
                        LENDING,
                        talk::add,
                        () -> {});
    }

    @AfterEach
    void end() throws Exception {
        lender.close();
        device.close();
        Bench.remove(runtime);
    }

    private DeviceFunction device(String image) throws Exception {
        NvmeKind kind = new NvmeKind();
        Map<String, String> options =
                Map.of(
                        "image",
                        folder.resolve(image).toString(),
                        "size",
                        Integer.toString(DriverRun.DISK_BYTES),
                        "queues",
                        Integer.toString(DriverRun.QUEUES));
        return DeviceFunction.of("nvme", kind.create(Options.check(kind, options)));
    }

    private Address near() {
        return lender.addresses().get(0);
    }

    private Address far() {
        return lender.addresses().get(1);
    }

    /** A process of this test's class path. */
    private static Bench.Running start(Class<?> program, String... words) {
        List<String> command = new ArrayList<>(Bench.program());
        command.set(command.size() - 1, program.getName());
        command.addAll(List.of(words));
        return started(program.getSimpleName(), command);
    }

    private static Bench.Running started(String role, List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        ChildProcess process = ChildProcess.start(builder);
        return new Bench.Running(process, Console.of(role, process, null), command);
    }

    private String said(String words) throws Exception {
        while (true) {
            String said = talk.poll(60, TimeUnit.SECONDS);
            assertTrue(said != null, "The lender never said: " + words);
            if (said.contains(words)) {
                return said;
            }
        }
    }

    /** Ends it, borrows as soon as can be, looks at each register and returns the function. */
    private void endAndBorrow(Runnable end) throws Exception {
        long begin = System.nanoTime();
        end.run();
        try (RemoteFunction next = borrow()) {
            nanos.add(System.nanoTime() - begin);
            fresh.assertIsThatOf(next);
        }
    }

    private RemoteFunction borrow() throws LinkException {
        while (true) {
            try {
                return RemoteFunction.borrow(
                        far(),
                        new Wish("n0"),
                        LinkOptions.named("next").withInsecure(true),
                        why -> {});
            } catch (RefusedException taken) {
                assertEquals(RefusedException.Reason.TAKEN, taken.reason(), taken.getMessage());
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    private void report(String what) {
        long[] sorted = nanos.stream().mapToLong(Long::longValue).sorted().toArray();
        System.out.printf(
                Locale.ROOT,
                "%s: %d, lent to the next after %.1f ms (median), %.1f ms (worst);"
                        + " %d registers as new each time%n",
                what,
                sorted.length,
                sorted[sorted.length / 2] / 1e6,
                sorted[sorted.length - 1] / 1e6,
                fresh.size());
        if (!supervisorKib.isEmpty()) {
            System.out.printf(
                    "supervisor: %d KiB of memory (proportional set size, most)%n",
                    Collections.max(supervisorKib));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aKilledBorrowersFunctionIsTheNextOnesAtOnceAndAsNew(boolean byTcp) throws Exception {
        Address address = byTcp ? far() : near();
        for (int round = 0; round < rounds(1, 5, 500); round++) {
            try (Bench.Running borrower =
                    start(NvmeBorrower.class, runtime.toString(), "b", "n0@" + address)) {
                borrower.console().await(NvmeBorrower.BUSY, Bench.START);
                if (byTcp) {
                    awaitSupervisor(borrower);
                }
                endAndBorrow(borrower::kill);
                String ended = said("n0 is abandoned by");
                assertEquals(byTcp, ended.contains("supervisor"), ended);
                said("n0 is returned by \"next\"");
            }
        }
        report("borrowers killed, " + (byTcp ? "TCP" : "UNIX"));
    }

    /**
     * Waits until the slot's supervisor has its connection to the lender: else the time that Java
     * takes to start is what is measured.
     */
    private void awaitSupervisor(Bench.Running slot) throws IOException {
        long deadline = System.nanoTime() + Bench.START.toNanos();
        while (true) {
            Set<String> links = linksToLender();
            for (ProcessHandle process : slot.process().process().descendants().toList()) {
                if (sockets(process).stream().anyMatch(links::contains)) {
                    supervisorKib.add(proportionalKib(process));
                    return;
                }
            }
            assertTrue(System.nanoTime() - deadline < 0, slot.console()::text);
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** The sockets that are connected to the lender's port, as "socket:[INODE]". */
    private Set<String> linksToLender() throws IOException {
        String port = String.format(":%04X", ((Address.Tcp) far()).port());
        Set<String> links = new HashSet<>();
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            for (String line : Files.readAllLines(Path.of(table))) {
                String[] columns = line.strip().split(" +", 11);
                if (columns[2].endsWith(port) && columns[3].equals("01")) {
                    links.add("socket:[" + columns[9] + "]");
                }
            }
        }
        return links;
    }

    private static List<String> sockets(ProcessHandle process) {
        List<String> sockets = new ArrayList<>();
        Path folder = Path.of("/proc", Long.toString(process.pid()), "fd");
        try (Stream<Path> descriptors = Files.list(folder)) {
            for (Path descriptor : descriptors.toList()) {
                sockets.add(Files.readSymbolicLink(descriptor).toString());
            }
        } catch (IOException e) {
            // Closed or ended since.
        }
        return sockets;
    }

    /** Its memory, with what it shares with others counted in part (proc(5), smaps_rollup). */
    private static long proportionalKib(ProcessHandle process) throws IOException {
        Path file = Path.of("/proc", Long.toString(process.pid()), "smaps_rollup");
        return Files.readAllLines(file).stream()
                .filter(line -> line.startsWith("Pss:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .sum();
    }

    @Test
    void aKilledSlotsFunctionIsTheNextOnesAtOnceAndAsNew() throws Exception {
        FunctionDescription description = device.describe();
        for (int round = 0; round < rounds(1, 3, 200); round++) {
            Path socket = runtime.resolve("v" + round);
            List<String> words = new ArrayList<>(Bench.program());
            words.add(1, "-Dfarslot.runtime=" + runtime);
            words.addAll(List.of("borrow", "n0@" + far(), "--insecure", "--name", "s"));
            words.addAll(List.of("--vfio-user", socket.toString()));
            try (Bench.Running slot = started("the slot", words)) {
                slot.console().await("vfio-user-pci", Bench.START);
                Thread driver = drive(socket, description);
                awaitSupervisor(slot);
                endAndBorrow(slot::kill);
                String ended = said("n0 is abandoned by");
                assertTrue(ended.contains("supervisor"), ended);
                driver.join();
            }
        }
        report("slots killed");
    }

    /** An emulator's driver without end, which fails when its slot is killed. */
    private static Thread drive(Path socket, FunctionDescription description) throws Exception {
        DriverByVfioUser driver =
                new DriverByVfioUser(
                        socket, description, DriverRun.RAM_BYTES, DriverRun.VECTORS, true);
        CountDownLatch busy = new CountDownLatch(1);
        Thread thread =
                Thread.ofPlatform()
                        .daemon()
                        .start(() -> {
                            try (driver) {
                                new DriverRun(driver, driver::reset, 1, note -> {})
                                        .withoutEnd(busy::countDown);
                            } catch (RuntimeException | AssertionError gone) {
                                // As an emulator's guest would find.
                                busy.countDown();
                            }
                        });
        busy.await();
        return thread;
    }

    @Test
    void aKilledEmulatorsFunctionIsReturnedAtOnceAndAsNew() throws Exception {
        try (Slot slot = slot();
                VfioUserServer server = server(slot)) {
            for (int round = 0; round < rounds(1, 5, 50); round++) {
                try (Bench.Running emulator =
                        start(
                                NvmeEmulator.class,
                                server.socket().toString(),
                                folder.resolve("like" + round).toString())) {
                    emulator.console().await(NvmeBorrower.BUSY, Bench.START);
                    endAndBorrow(emulator::kill);
                    said("n0 is returned by \"s\"");
                    said("n0 is returned by \"next\"");
                }
            }
        }
        report("emulators killed");
    }

    @Test
    @Tag("qemu")
    void aKilledQemusFunctionIsReturnedAtOnceAndAsNew() throws Exception {
        try (Slot slot = slot();
                VfioUserServer server = server(slot)) {
            for (int round = 0; round < rounds(1, 1, 50); round++) {
                try (Vm machine =
                        Vm.builder(Bench.lab(), Bench.accelerator())
                                .vfioUser(server.socket())
                                .start()) {
                    machine.guest().awaitReady(Bench.BOOT);
                    GuestDisk.bind(machine.guest());
                    machine.guest().sh(READ_WITHOUT_END);
                    ProcessHandle qemu = ProcessHandle.of(machine.pid()).orElseThrow();
                    endAndBorrow(qemu::destroyForcibly);
                    said("n0 is returned by \"s\"");
                    said("n0 is returned by \"next\"");
                }
            }
        }
        report("QEMUs killed under Linux");
    }

    private Slot slot() throws Exception {
        return Slot.open(
                RuntimeDirectory.at(runtime),
                "s",
                new FunctionAddress("n0", far()),
                LinkOptions.named("s").withInsecure(true),
                UnaryOperator.identity(),
                sentence -> {},
                () -> {});
    }

    private VfioUserServer server(Slot slot) throws IOException {
        return VfioUserServer.start(
                slot.function(), runtime.resolve("v"), VfioUserServer.ClientListener.NONE);
    }
}
