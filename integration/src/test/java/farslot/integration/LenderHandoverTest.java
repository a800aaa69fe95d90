package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.FunctionDescription;
import farslot.core.InProcessHost;
import farslot.core.PciFunction;
import farslot.devices.edu.EduKind;
import farslot.devices.nvme.DriverRun;
import farslot.lender.HostedDevice;
import farslot.lender.Lender;
import farslot.lender.Specification;
import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.LinkOptions;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory;
import farslot.sdk.Device;
import farslot.sdk.DeviceFunction;
import farslot.sdk.testbench.Freshness;
import farslot.slot.FunctionAddress;
import farslot.slot.HeldFunction;
import farslot.slot.Slot;
import farslot.slot.Supervision;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A lender hands over to the next one while its function is in use; both in this process. */
@Timeout(600)
class LenderHandoverTest {
    private static final String ROUNDS = System.getProperty("farslot.rounds", "short");
    private static final int HANDOVERS = ROUNDS.equals("few") ? 2 : ROUNDS.equals("full") ? 20 : 4;

    /** A busy machine is no dead peer. */
    private static final LinkOptions OPTIONS =
            LinkOptions.named("test")
                    .withInsecure(true)
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(60))
                    .withGrace(Duration.ofMinutes(5));

    private static final HeldFunction.Rules PATIENT = new HeldFunction.Rules(60_000, true);

    @TempDir Path folder;

    private final Queue<String> said = new ConcurrentLinkedQueue<>();
    private Path runtime;
    private RuntimeDirectory directory;
    private Lending lending;

    @BeforeEach
    void makeRuntime() throws IOException {
        runtime = Files.createTempDirectory("fs-");
        directory = RuntimeDirectory.at(runtime);
    }

    @AfterEach
    void close() throws IOException {
        if (lending != null) {
            lending.close();
        }
        Bench.remove(runtime);
    }

    /** One lender after the other, with the same device on the same addresses. */
    private final class Lending implements AutoCloseable {
        private final String specification;
        private HostedDevice device;
        private Lender lender;
        private CountDownLatch stopped;

        Lending(String specification) throws Exception {
            this.specification = specification;
            open(specification, 0, OPTIONS);
        }

        private void open(String what, int port, LinkOptions options) throws Exception {
            device = HostedDevice.make(Specification.parse(what));
            stopped = new CountDownLatch(1);
            lender =
                    Lender.open(
                            directory,
                            List.of(new Lender.Lendable("n0", device.function())),
                            List.of(new Address.Tcp("127.0.0.1", port)),
                            options,
                            said::add,
                            stopped::countDown);
        }

        int port() {
            return ((Address.Tcp) lender.addresses().get(1)).port();
        }

        void handOver() throws Exception {
            int port = port();
            leave();
            open(specification, port, OPTIONS);
        }

        /** Hands over, and ends. */
        void leave() throws Exception {
            try (ControlLink link = ControlLink.connect(lender.addresses().get(0), OPTIONS)) {
                link.operate("handover", Map.of());
                link.operate("stop", Map.of());
            }
            stopped.await();
            close();
        }

        Map<String, String> details() {
            return lender.entries().getFirst().details();
        }

        @Override
        public void close() {
            lender.close();
            device.close();
        }
    }

    private Slot slot(boolean byTcp) throws Exception {
        Address address = lending.lender.addresses().get(byTcp ? 1 : 0);
        return Slot.open(
                directory,
                "s0",
                new FunctionAddress("n0", address),
                Duration.ZERO,
                OPTIONS,
                PATIENT,
                Supervision.none(),
                UnaryOperator.identity(),
                said::add,
                () -> {});
    }

    private String nvme(String more) {
        return "nvme,name=n0,image=" + folder.resolve("disk") + ",size=1M,queues=2" + more;
    }

    private String words() {
        return String.join("\n", said);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotBeSeenByADriverAtWork(boolean byTcp) throws Exception {
        lending = new Lending(nvme(""));
        try (Slot slot = slot(byTcp);
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            String epoch = lending.details().get("epoch");
            CountDownLatch done = new CountDownLatch(1);
            Future<Integer> driver =
                    threads.submit(() -> {
                        try (DriverInJava place =
                                new DriverInJava(
                                        slot.function(), DriverRun.RAM_BYTES, DriverRun.VECTORS)) {
                            DriverRun run =
                                    new DriverRun(place, place::reset, HANDOVERS, note -> {});
                            int runs = 0;
                            do {
                                run.inOrder(20);
                                run.crowded(2, true);
                                runs++;
                            } while (done.getCount() > 0);
                            assertEquals(epoch, lending.details().get("epoch"), words());
                            assertEquals(1, slot.status().attachments(), words());
                            assertTrue(slot.status().resumes() >= HANDOVERS, words());
                            assertEquals(0, slot.status().unanswered(), words());
                            assertEquals(0, slot.status().dropped(), words());
                            return runs;
                        }
                    });
            for (int i = 0; i < HANDOVERS && !driver.isDone(); i++) {
                lending.handOver();
                while (slot.status().resumes() <= i && !driver.isDone()) {
                    Thread.onSpinWait();
                }
            }
            done.countDown();
            assertTrue(driver.get() > 0);
        }
    }

    private static void writeLiveness(Slot slot) {
        byte[] busMaster = {7, 0};
        assertTrue(write(slot, 7, 4, busMaster));
        assertTrue(write(slot, 0, 4, new byte[] {1, 2, 3, 4}));
    }

    private static boolean write(Slot slot, int region, long offset, byte[] bytes) {
        MemorySegment from = MemorySegment.ofArray(bytes);
        return slot.function()
                .write(region, offset, from, bytes.length, PciFunction.ALL_BYTES)
                .isSuccess();
    }

    /** What the LIVENESS register of edu holds. */
    private static int liveness(Slot slot) {
        MemorySegment into = MemorySegment.ofArray(new int[1]);
        assertTrue(slot.function().read(0, 4, into, 4).isSuccess());
        return into.get(ValueLayout.JAVA_INT, 0);
    }

    @Test
    void shouldKeepRegistersAndTheLease() throws Exception {
        lending = new Lending("edu,name=n0");
        try (Slot slot = slot(true)) {
            new InProcessHost(slot.function(), (kind, vector) -> {});
            writeLiveness(slot);
            int before = liveness(slot);
            Map<String, String> lease = lending.details();
            lending.handOver();
            assertEquals(before, liveness(slot), words());
            assertEquals(lease, lending.details());
            assertFalse(Files.exists(directory.handover("n0")), "it is used once");
            assertEquals(1, slot.function().generation());
        }
    }

    /** The next lender begins anew, and says why; the slot hears that its session is over. */
    @ParameterizedTest
    @ValueSource(strings = {"other options", "spoilt", "stale"})
    void shouldBeginAnewWhereWhatWasLeftDoesNotFit(String how) throws Exception {
        lending = new Lending("edu,name=n0");
        try (Slot slot = slot(true)) {
            new InProcessHost(slot.function(), (kind, vector) -> {});
            writeLiveness(slot);
            int port = lending.port();
            lending.leave();
            Path file = directory.handover("n0");
            assertEquals(
                    "rw-------",
                    PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            byte[] left = Files.readAllBytes(file);
            if (how.equals("spoilt")) {
                left[left.length / 2] ^= 1;
                Files.write(file, left);
            }
            LinkOptions options = how.equals("stale") ? OPTIONS.withGrace(Duration.ZERO) : OPTIONS;
            lending.open(
                    how.equals("other options") ? "edu,name=n0,dma_mask=0xff" : "edu,name=n0",
                    port,
                    options);
            String reason =
                    switch (how) {
                        case "spoilt" -> "checksum";
                        case "stale" -> "grace time";
                        default -> "dma_mask was 0xfffffff and is 0xff";
                    };
            assertTrue(said.stream().anyMatch(one -> one.contains(reason)), words());
            assertFalse(Files.exists(file), "it is not tried again");
            while (slot.status().attachments() < 2) {
                Thread.onSpinWait();
            }
            assertTrue(said.stream().anyMatch(one -> one.contains("it has been reset")), words());
            Freshness now = Freshness.of(slot.function(), new EduKind().registerMap());
            try (HostedDevice fresh = HostedDevice.make(Specification.parse("edu,name=f"))) {
                assertEquals(
                        List.of(),
                        now.differencesFrom(
                                Freshness.of(fresh.function(), new EduKind().registerMap())));
            }
        }
    }

    @Test
    void shouldRefuseWhatCannotBeSavedAndLendOn() throws Exception {
        Device unsavable =
                builder ->
                        builder.identity(
                                        new FunctionDescription.Identity(
                                                0x1234, 1, 0, 0, 0xff0000, 0))
                                .memoryBar(0, 0x1000);
        try (DeviceFunction function = DeviceFunction.of("plain", unsavable);
                Lender lender =
                        Lender.open(
                                directory,
                                List.of(new Lender.Lendable("n0", function)),
                                List.of(new Address.Tcp("127.0.0.1", 0)),
                                OPTIONS,
                                said::add,
                                () -> said.add("stopped"))) {
            Address control = lender.addresses().getFirst();
            try (Slot slot =
                            Slot.open(
                                    directory,
                                    "s0",
                                    new FunctionAddress("n0", lender.addresses().get(1)),
                                    Duration.ZERO,
                                    OPTIONS,
                                    PATIENT,
                                    Supervision.none(),
                                    UnaryOperator.identity(),
                                    said::add,
                                    () -> {});
                    ControlLink link = ControlLink.connect(control, OPTIONS)) {
                RefusedException refused =
                        assertThrows(
                                RefusedException.class, () -> link.operate("handover", Map.of()));
                assertEquals(
                        "n0 cannot be handed over: a device of the kind plain cannot be saved."
                                + " Nothing has changed.",
                        refused.getMessage());
                assertTrue(write(slot, 7, 4, new byte[] {7, 0}));
                assertEquals(0, slot.status().resumes());
            }
            assertFalse(said.contains("stopped"), words());
            assertFalse(Files.exists(directory.handover("n0")));
        }
    }

    @Test
    void shouldLeaveNothingWhereNothingIsBorrowed() throws Exception {
        lending = new Lending("edu,name=n0");
        lending.leave();
        assertFalse(Files.exists(directory.handover("n0")), words());
        lending.open("edu,name=n0", 0, OPTIONS);
    }
}
