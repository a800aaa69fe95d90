package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.ForwardingHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Tap;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.sdk.DeviceFunction;
import farslot.slot.FunctionAddress;
import farslot.slot.HeldFunction;
import farslot.slot.LenderSource;
import farslot.vfiouser.VfioUserServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;

/**
 * INTx with a millisecond each way: each event interrupts, none does twice. Many functions at once,
 * each with its own link, since each round of one takes two milliseconds at least.
 */
@Timeout(3600)
class IntxOverDistanceTest {
    /** A busy machine is no dead peer. */
    private static final LinkOptions OPTIONS =
            LinkOptions.named("test")
                    .withInsecure(true)
                    .withAccessTimeout(Duration.ofSeconds(60))
                    .withKeepAlive(Duration.ofSeconds(2), Duration.ofSeconds(60));

    private static final long WAY_NANOS = 1_000_000;

    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private Path runtime;

    /** How a function's driver hears of it. */
    private enum Kind {
        JAVA,
        LOOKS_FIRST,
        RESAMPLE
    }

    private record Scale(int functions, long rounds) {
        static Scale ofRun() {
            return switch (System.getProperty("farslot.rounds", "short")) {
                case "full" -> new Scale(64, 1_000_000);
                case "few" -> new Scale(8, 200);
                default -> new Scale(32, 10_000);
            };
        }
    }

    /** Between device and link: counts the assertions that were sent. */
    private static class CountingTap extends Tap {
        final AtomicLong assertions = new AtomicLong();

        CountingTap(PciFunction next) {
            super(next);
        }

        void forward(PciHost host, int generation) {
            host.interrupt(generation, InterruptKind.INTX, 0);
        }

        @Override
        protected PciHost around(PciHost host) {
            return new ForwardingHost(host) {
                @Override
                public void interrupt(int generation, InterruptKind kind, int vector) {
                    forward(host, generation);
                    // Counted when it is sent, so that a later answer comes behind it.
                    assertions.incrementAndGet();
                }
            };
        }
    }

    /** A lender's function, and what was counted of it. */
    private record Lent(String name, IntxDevice device, CountingTap tap) {}

    @BeforeEach
    void makeRuntime() throws IOException {
        // Sockets' paths are short: a test's own folder may not be.
        runtime = Files.createTempDirectory("fs-");
    }

    @AfterEach
    void closeAll() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
        try (var left = Files.list(runtime)) {
            for (Path file : left.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(runtime);
    }

    private <T extends AutoCloseable> T own(T resource) {
        open.push(resource);
        return resource;
    }

    private List<Lent> lend(int count, UnaryOperator<PciFunction> fault) {
        List<Lent> lent = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            IntxDevice device = new IntxDevice();
            DeviceFunction function = own(DeviceFunction.of("intx", device));
            lent.add(new Lent("f" + number, device, new CountingTap(fault.apply(function))));
        }
        return lent;
    }

    /** Where the functions are to be borrowed: a millisecond away. */
    private Address lenderOf(List<Lent> lent) throws Exception {
        Lender lender =
                own(
                        Lender.open(
                                RuntimeDirectory.at(runtime),
                                lent.stream()
                                        .map(one -> new Lender.Lendable(one.name(), one.tap()))
                                        .toList(),
                                List.of(new Address.Tcp("127.0.0.1", 0)),
                                OPTIONS,
                                sentence -> {},
                                () -> {}));
        Address.Tcp near = (Address.Tcp) lender.addresses().get(1);
        DelayingProxy proxy =
                own(new DelayingProxy(new InetSocketAddress(near.host(), near.port()), WAY_NANOS));
        return new Address.Tcp("127.0.0.1", proxy.port());
    }

    private IntxDriver driver(
            Lent lent, Address lender, Kind kind, UnaryOperator<PciFunction> fault)
            throws Exception {
        LenderSource source =
                new LenderSource(
                        new FunctionAddress(lent.name(), lender),
                        RuntimeDirectory.at(runtime),
                        OPTIONS);
        PciFunction held =
                fault.apply(
                        own(
                                HeldFunction.borrow(
                                        source,
                                        HeldFunction.Rules.DEFAULT,
                                        sentence -> {},
                                        () -> {})));
        if (kind != Kind.RESAMPLE) {
            return own(new IntxDriver.InJava(held));
        }
        Path socket = runtime.resolve(lent.name() + ".sock");
        VfioUserServer server =
                own(VfioUserServer.start(held, socket, VfioUserServer.ClientListener.NONE));
        return own(new IntxDriver.ByResample(server.socket()));
    }

    /** What must hold of every function whose driver acknowledges before it unmasks. */
    private static void assertOneInterruptEach(long rounds, Lent lent, IntxDriver driver) {
        assertEquals(rounds, lent.device().raised(), "events");
        assertEquals(rounds, lent.tap().assertions.get(), "assertions");
        assertEquals(rounds, driver.delivered, "interrupts delivered");
        assertEquals(0, lent.device().idle(), "interrupts for nothing");
    }

    @Test
    void shouldInterruptOnceForEachEventWhenTheDriverIsAMillisecondAway(TestReporter reporter)
            throws Exception {
        Scale scale = Scale.ofRun();
        long each = Math.ceilDiv(scale.rounds(), scale.functions());
        List<Lent> lent = lend(scale.functions(), UnaryOperator.identity());
        Address lender = lenderOf(lent);
        List<IntxDriver> drivers = new ArrayList<>();
        List<CompletableFuture<Void>> driving = new ArrayList<>();
        for (int number = 0; number < scale.functions(); number++) {
            Kind kind = kindOf(number);
            Lent one = lent.get(number);
            IntxDriver driver = driver(one, lender, kind, UnaryOperator.identity());
            drivers.add(driver);
            driving.add(
                    CompletableFuture.runAsync(
                            () -> drive(driver, each, kind, one),
                            task -> new Thread(task).start()));
        }
        for (CompletableFuture<Void> one : driving) {
            one.get(3000, TimeUnit.SECONDS);
        }
        long delivered = 0;
        long spurious = 0;
        long assertions = 0;
        for (int number = 0; number < scale.functions(); number++) {
            Lent one = lent.get(number);
            IntxDriver driver = drivers.get(number);
            delivered += driver.delivered;
            spurious += driver.spurious;
            assertions += one.tap().assertions.get();
            if (kindOf(number) == Kind.LOOKS_FIRST) {
                assertEquals(each, one.device().raised(), "events");
                assertEquals(0, one.device().idle(), "acknowledgements for nothing");
                assertEquals(one.tap().assertions.get(), driver.delivered);
                assertTrue(driver.delivered <= 2 * each + 1, driver.delivered + " interrupts");
            } else {
                assertOneInterruptEach(each, one, driver);
            }
        }
        reporter.publishEntry(
                String.format(
                        "%d functions, %d rounds: %d assertions, %d delivered, %d spurious (all of"
                                + " drivers that look first)",
                        scale.functions(),
                        each * scale.functions(),
                        assertions,
                        delivered,
                        spurious));
    }

    private static Kind kindOf(int number) {
        return switch (number % 4) {
            case 1 -> Kind.LOOKS_FIRST;
            case 3 -> Kind.RESAMPLE;
            default -> Kind.JAVA;
        };
    }

    private static void drive(IntxDriver driver, long rounds, Kind kind, Lent lent) {
        try {
            driver.drive(rounds, kind == Kind.LOOKS_FIRST, lent.tap().assertions::get);
        } catch (IOException | InterruptedException | IntxDriver.Lost failed) {
            throw new IllegalStateException(lent.name() + ", " + kind, failed);
        }
    }

    // What the counting must catch.

    /** Drops the tenth interrupt, on the slot's side. */
    private static final class Losing extends Tap {
        private final AtomicLong seen = new AtomicLong();

        Losing(PciFunction next) {
            super(next);
        }

        @Override
        protected PciHost around(PciHost host) {
            return new ForwardingHost(host) {
                @Override
                public void interrupt(int generation, InterruptKind kind, int vector) {
                    if (seen.incrementAndGet() != 10) {
                        super.interrupt(generation, kind, vector);
                    }
                }
            };
        }
    }

    /** Swallows the tenth unmask: the function never asserts again. */
    private static final class Forgetting extends Tap {
        private final AtomicLong seen = new AtomicLong();

        Forgetting(PciFunction next) {
            super(next);
        }

        @Override
        protected PciHost around(PciHost host) {
            return host;
        }

        @Override
        public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
            if (action != InterruptAction.UNMASK || seen.incrementAndGet() != 10) {
                super.interrupts(kind, first, count, action);
            }
        }
    }

    /** Remembers the level at the slot, and fires again from it when it is unmasked. */
    private static final class Remembering extends Tap {
        private volatile PciHost driver;
        private volatile int generation;

        Remembering(PciFunction next) {
            super(next);
        }

        @Override
        protected PciHost around(PciHost host) {
            return new ForwardingHost(host) {
                @Override
                public void interrupt(int now, InterruptKind kind, int vector) {
                    driver = host;
                    generation = now;
                    super.interrupt(now, kind, vector);
                }
            };
        }

        @Override
        public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
            PciHost asserted = driver;
            if (action == InterruptAction.UNMASK && asserted != null) {
                asserted.interrupt(generation, InterruptKind.INTX, 0);
            }
            super.interrupts(kind, first, count, action);
        }
    }

    private record Planted(Lent lent, IntxDriver driver) {}

    private Planted planted(UnaryOperator<PciFunction> fault) throws Exception {
        List<Lent> lent = lend(1, UnaryOperator.identity());
        IntxDriver driver = driver(lent.getFirst(), lenderOf(lent), Kind.JAVA, fault);
        return new Planted(lent.getFirst(), driver);
    }

    @Test
    void shouldNoticeAnInterruptThatIsLost() throws Exception {
        Planted with = planted(Losing::new);
        IntxDriver.Lost lost =
                assertThrows(
                        IntxDriver.Lost.class,
                        () -> with.driver().drive(20, false, with.lent().tap().assertions::get));
        assertEquals("10 assertions were sent, and 9 came", lost.getMessage());
    }

    @Test
    void shouldNoticeAnUnmaskThatIsLost() throws Exception {
        Planted with = planted(Forgetting::new);
        IntxDriver.Lost lost =
                assertThrows(
                        IntxDriver.Lost.class,
                        () -> with.driver().drive(20, false, with.lent().tap().assertions::get));
        assertTrue(lost.getMessage().contains("says nothing"), lost.getMessage());
    }

    @Test
    void shouldNoticeAStormFromARememberedLevel() throws Exception {
        Planted with = planted(Remembering::new);
        with.driver().drive(20, false, with.lent().tap().assertions::get);
        assertThrows(
                AssertionError.class, () -> assertOneInterruptEach(20, with.lent(), with.driver()));
        assertTrue(with.driver().delivered > with.lent().tap().assertions.get());
    }
}
