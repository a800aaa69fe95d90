package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.posix.EventFd;
import farslot.posix.MappedMemory;
import farslot.posix.PeerCredentials;
import farslot.sdk.DeviceFunction;
import farslot.slot.BorrowException;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import farslot.vfiouser.RawClient;
import farslot.vfiouser.VfioUserServer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Borrowing and returning, and machines that come and go, leave nothing: lender, slot and driver
 * are all in this process, so that whichever of them keeps something, it is seen.
 */
@Timeout(value = 2, unit = TimeUnit.HOURS)
class LeakTest {
    private static final int FULL_BORROWS = 10_000;

    /** So many that 100 bytes in each would be found. */
    private static final int FULL_ATTACHES = 5000;

    private static final int FEW = 20;

    private static final String NAME = "n0";
    private static final int RAM_BYTES = 2 << 20;
    private static final int WORD_AT = 0x1000;
    private static final int BUS_MASTER_AND_MEMORY = 0x6;
    private static final int MSIX_ENABLE = 0x8000;

    /** A busy machine is no dead peer. */
    private static final LinkOptions OPTIONS =
            LinkOptions.named("test")
                    .withInsecure(true)
                    .withAccessTimeout(Duration.ofSeconds(60))
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(60));

    private Path runtime;
    private DeviceFunction device;
    private int msix;
    private Lender lender;

    @BeforeEach
    void lend() throws Exception {
        // Short: socket paths have 107 bytes.
        runtime = Files.createTempDirectory("fs");
        device = DeviceFunction.of(NAME, new CopyingDevice());
        msix = device.describe().capabilities().getFirst().offset();
        lender =
                Lender.open(
                        RuntimeDirectory.at(runtime),
                        List.of(new Lender.Lendable(NAME, device)),
                        List.of(new Address.Tcp("127.0.0.1", 0)),
                        OPTIONS,
                        sentence -> {},
                        () -> {});
    }

    @AfterEach
    void end() throws Exception {
        lender.close();
        device.close();
        Files.delete(runtime);
    }

    /** At "few" some, at "short" the hundredth part or some. */
    private static int cycles(int full) {
        return switch (System.getProperty("farslot.rounds", "short")) {
            case "full" -> full;
            case "few" -> FEW;
            default -> Math.max(full / 100, FEW);
        };
    }

    /** On a busy machine the return of before may still be on its way. */
    private Slot borrow(boolean byTcp) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            try {
                return borrowNow(byTcp);
            } catch (BorrowException e) {
                if (e.reason() != BorrowException.Reason.REFUSED
                        || System.nanoTime() - deadline > 0) {
                    throw e;
                }
                LockSupport.parkNanos(1_000_000);
            }
        }
    }

    private Slot borrowNow(boolean byTcp) throws Exception {
        return Slot.open(
                RuntimeDirectory.at(runtime),
                "s",
                FunctionAddress.parse(byTcp ? NAME + "@" + lender.addresses().getLast() : NAME),
                OPTIONS,
                UnaryOperator.identity(),
                sentence -> {},
                () -> {});
    }

    @ParameterizedTest(name = "by TCP: {0}")
    @ValueSource(booleans = {false, true})
    void shouldHaveWhatItHadBeforeWhenAFunctionWasBorrowedAndReturned(boolean byTcp)
            throws Exception {
        List<String> leaks =
                LeakCheck.of(
                        LeakCheck.PATIENCE,
                        cycles(FULL_BORROWS),
                        number -> {
                            try (Slot slot = borrow(byTcp);
                                    Arena arena = Arena.ofShared()) {
                                use(slot.function(), arena);
                            }
                        });
        assertEquals(List.of(), leaks);
    }

    /** As a driver in Java does: a map, an interrupt, and DMA there and back. */
    private void use(PciFunction function, Arena arena) throws Exception {
        LinkedBlockingQueue<InterruptKind> interrupts = new LinkedBlockingQueue<>();
        InProcessHost host =
                new InProcessHost(
                        function,
                        new InProcessHost.Listener() {
                            @Override
                            public void interrupt(InterruptKind kind, int vector) {
                                interrupts.add(kind);
                            }

                            @Override
                            public void event(FunctionEvent event) {}
                        });
        MemorySegment memory = arena.allocate(4096, 4096);
        memory.set(ValueLayout.JAVA_LONG, 0, 0x600df00d);
        host.map(WORD_AT, memory, Direction.READ_WRITE);
        function.interrupts(InterruptKind.MSIX, 0, 1, InterruptAction.ENABLE);
        write(function, Region.CONFIGURATION, 4, 2, BUS_MASTER_AND_MEMORY);
        write(function, Region.CONFIGURATION, msix + 2, 2, MSIX_ENABLE);
        MemorySegment identity = MemorySegment.ofArray(new byte[4]);
        assertTrue(function.read(Region.CONFIGURATION, 0, identity, 4).isSuccess());
        assertEquals(CopyingDevice.IDENTITY_WORD, identity.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
        write(function, 0, 0, 8, WORD_AT);
        assertEquals(InterruptKind.MSIX, interrupts.poll(60, TimeUnit.SECONDS));
        assertEquals(0x600df00d, memory.get(ValueLayout.JAVA_LONG, 8));
        function.attach(null);
    }

    private static void write(
            PciFunction function, int region, long offset, int bytes, long value) {
        MemorySegment data = MemorySegment.ofArray(new byte[8]);
        data.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        MemorySegment written = data.asSlice(0, bytes);
        assertTrue(
                function.write(region, offset, written, bytes, PciFunction.ALL_BYTES).isSuccess());
    }

    @ParameterizedTest(name = "by TCP: {0}")
    @ValueSource(booleans = {false, true})
    void shouldHaveWhatItHadBeforeWhenMachinesCameAndWent(boolean byTcp) throws Exception {
        LinkedBlockingQueue<String> gone = new LinkedBlockingQueue<>();
        try (Slot slot = borrow(byTcp);
                VfioUserServer server =
                        VfioUserServer.start(
                                slot.function(),
                                runtime.resolve("v"),
                                new VfioUserServer.ClientListener() {
                                    @Override
                                    public void clientGone(PeerCredentials peer, String why) {
                                        gone.add(why);
                                    }
                                })) {
            List<String> leaks =
                    LeakCheck.of(
                            LeakCheck.PATIENCE,
                            cycles(FULL_ATTACHES),
                            number -> {
                                attach(server.socket());
                                assertTrue(gone.poll(60, TimeUnit.SECONDS) != null);
                            });
            assertEquals(List.of(), leaks);
        }
    }

    /** As QEMU does, with memory that is shared and with interrupts; ends as when it is killed. */
    private void attach(Path socket) throws IOException {
        try (MappedMemory ram = MappedMemory.create("farslot-test", RAM_BYTES);
                EventFd event = EventFd.create();
                RawClient client = RawClient.start(socket)) {
            // Memory that was never written is taken for a private copy of the emulator's.
            ram.segment().set(ValueLayout.JAVA_LONG, WORD_AT, 0x600df00d);
            done(client.map(0, RAM_BYTES, 3, 0, ram.descriptor()));
            done(client.events(InterruptKind.MSIX.code(), 0, 1, event));
            done(client.write(Region.CONFIGURATION, 4, 2, BUS_MASTER_AND_MEMORY));
            done(client.write(Region.CONFIGURATION, msix + 2, 2, MSIX_ENABLE));
            assertEquals(CopyingDevice.IDENTITY_WORD, client.value(Region.CONFIGURATION, 0, 4));
            client.post(0, 0, 8, WORD_AT);
            assertTrue(event.await(60_000), "an interrupt");
            assertEquals(0x600df00d, ram.segment().get(ValueLayout.JAVA_LONG, WORD_AT + 8));
            assertEquals(1, event.drain());
        }
    }

    private static void done(RawClient.Received reply) {
        assertEquals(0, reply.errno());
    }
}
