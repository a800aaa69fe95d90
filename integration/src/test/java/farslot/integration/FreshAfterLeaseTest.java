package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.ConfigurationSpace;
import farslot.core.InProcessHost;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.devices.nvme.DriverRun;
import farslot.lender.HostedDevice;
import farslot.lender.Lender;
import farslot.lender.Specification;
import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.registers.RegisterMap;
import farslot.sdk.DeviceKinds;
import farslot.sdk.testbench.Freshness;
import farslot.slot.FunctionAddress;
import farslot.slot.HeldFunction;
import farslot.slot.Slot;
import farslot.slot.Supervision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** However a lease ends, the next borrower finds what a new device shows, register by register. */
@Timeout(300)
class FreshAfterLeaseTest {
    /** No session outlives its connection: a cut is the end. */
    private static final LinkOptions OPTIONS =
            LinkOptions.named("test")
                    .withInsecure(true)
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(60))
                    .withGrace(Duration.ZERO);

    private static final HeldFunction.Rules RULES = new HeldFunction.Rules(60_000, false);

    /** How a lease ends, and by which words of its lender that is known. */
    enum Ending {
        RETURNED("is returned by"),
        ABANDONED("is abandoned by"),
        BROKEN("who broke the protocol"),
        REVOKED("is taken back from");

        final String words;

        Ending(String words) {
            this.words = words;
        }
    }

    @TempDir Path folder;

    private final Queue<String> said = new ConcurrentLinkedQueue<>();
    private Path runtime;

    @BeforeEach
    void makeRuntime() throws IOException {
        runtime = Files.createTempDirectory("fs-");
    }

    @AfterEach
    void removeRuntime() throws IOException {
        Bench.remove(runtime);
    }

    private static Stream<Arguments> cases() {
        return Stream.of("edu", "nvme")
                .flatMap(kind ->
                        Stream.of(Ending.values()).map(ending -> Arguments.of(kind, ending)));
    }

    private HostedDevice device(String kind, String name) throws Exception {
        String disk = ",image=" + folder.resolve(name) + ",size=1M,queues=2";
        return HostedDevice.make(
                Specification.parse(kind + ",name=" + name + (kind.equals("nvme") ? disk : "")));
    }

    private static Freshness look(HostedDevice device) throws Exception {
        RegisterMap map = DeviceKinds.named(device.function().describe().kind()).registerMap();
        return Freshness.of(device.function(), map);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldBeAsNew(String kind, Ending ending) throws Exception {
        RuntimeDirectory directory = RuntimeDirectory.at(runtime);
        try (HostedDevice device = device(kind, "n0");
                HostedDevice fresh = device(kind, "n1");
                Lender lender =
                        Lender.open(
                                directory,
                                List.of(new Lender.Lendable("n0", device.function())),
                                List.of(new Address.Tcp("127.0.0.1", 0)),
                                OPTIONS,
                                said::add,
                                () -> {});
                Relay relay = new Relay(((Address.Tcp) lender.addresses().get(1)).port())) {
            Slot slot =
                    Slot.open(
                            directory,
                            "s0",
                            new FunctionAddress("n0", new Address.Tcp("127.0.0.1", relay.port())),
                            Duration.ZERO,
                            OPTIONS,
                            RULES,
                            Supervision.none(),
                            UnaryOperator.identity(),
                            said::add,
                            () -> {});
            try (slot) {
                use(kind, slot.function());
                assertFalse(look(device).differencesFrom(look(fresh)).isEmpty());
                switch (ending) {
                    case RETURNED -> slot.close();
                    case ABANDONED -> relay.cut();
                    case BROKEN -> relay.spoil();
                    case REVOKED -> takeBack(lender);
                }
                while (!lender.entries().getFirst().details().get("state").equals("free")) {
                    Thread.onSpinWait();
                }
            }
            String words = String.join("\n", said);
            assertTrue(words.contains(ending.words), words);
            assertEquals(List.of(), look(device).differencesFrom(look(fresh)));
        }
    }

    private static void takeBack(Lender lender) throws Exception {
        try (ControlLink link = ControlLink.connect(lender.addresses().getFirst(), OPTIONS)) {
            link.operate("return", Map.of());
        }
    }

    /** Everything that a driver can write, after some work; and work is left under way. */
    private static void use(String kind, PciFunction function) throws Exception {
        Random random = new Random(5);
        if (kind.equals("nvme")) {
            DriverInJava driver =
                    new DriverInJava(function, DriverRun.RAM_BYTES, DriverRun.VECTORS);
            DriverRun run = new DriverRun(driver, driver::reset, 5, note -> {});
            run.inOrder(5);
            run.crowded(2, true);
        } else {
            new InProcessHost(function, (interrupt, vector) -> {});
        }
        write(function, Region.CONFIGURATION, ConfigurationSpace.COMMAND, 0x0146);
        for (int at = ConfigurationSpace.BAR0; at < 0x40; at += 4) {
            write(function, Region.CONFIGURATION, at, random.nextInt());
        }
        if (kind.equals("nvme")) {
            for (int at = 0; at < 3 * 16; at += 4) {
                write(function, 4, at, random.nextInt());
            }
            write(function, 0, 0x0c, 0x55);
            write(function, 0, 0x24, 0x001f_001f);
            write(function, 0, 0x28, 0x10_0000);
            write(function, 0, 0x30, 0x20_0000);
            write(function, 0, 0x14, 0x0046_0001);
        } else {
            write(function, 0, 0x04, 7);
            write(function, 0, 0x20, 0x80);
            write(function, 0, 0x08, 12);
            write(function, 0, 0x60, 0x33);
            write(function, 0, 0x90, 0x100);
            write(function, 0, 0x98, 7);
        }
    }

    private static void write(PciFunction function, int region, long offset, int value) {
        MemorySegment from = MemorySegment.ofArray(new int[] {value});
        assertTrue(function.write(region, offset, from, 4, PciFunction.ALL_BYTES).isSuccess());
    }

    /** Stands between one slot and its lender. */
    private static final class Relay implements AutoCloseable {
        private final ServerSocket door = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        private final int lenderPort;
        private volatile Socket slot;
        private volatile Socket lender;

        Relay(int lenderPort) throws IOException {
            this.lenderPort = lenderPort;
            Thread.ofPlatform().daemon().start(this::relay);
        }

        int port() {
            return door.getLocalPort();
        }

        private void relay() {
            try {
                slot = door.accept();
                lender = new Socket(InetAddress.getLoopbackAddress(), lenderPort);
                Thread.ofPlatform().daemon().start(() -> pump(slot, lender));
                pump(lender, slot);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void pump(Socket from, Socket to) {
            try {
                from.getInputStream().transferTo(to.getOutputStream());
            } catch (IOException e) {
                // Cut.
            }
        }

        void cut() throws IOException {
            lender.close();
            slot.close();
        }

        /** No frame is of this length. */
        void spoil() throws IOException {
            lender.getOutputStream().write(new byte[0x1000]);
        }

        @Override
        public void close() throws IOException {
            door.close();
            if (slot != null) {
                cut();
            }
        }
    }
}
