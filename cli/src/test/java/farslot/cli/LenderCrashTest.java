package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A driver in Java, a lender in another process, and what happens between them. */
@Tag("processes")
@Timeout(120)
class LenderCrashTest {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

    private static final int ID = 0x010000ed;
    private static final int LIVENESS = 0x04;
    private static final int DMA_SOURCE = 0x80;
    private static final int DMA_TARGET = 0x88;
    private static final int DMA_COUNT = 0x90;
    private static final int DMA_COMMAND = 0x98;
    private static final long DEVICE_BUFFER = 0x40000;

    private final BlockingQueue<Integer> vectors = new LinkedBlockingQueue<>();
    private final BlockingQueue<FunctionEvent> events = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> talk = new LinkedBlockingQueue<>();
    private final Arena arena = Arena.ofShared();
    private Path runtime;
    private Slot slot;
    private InProcessHost host;

    @BeforeEach
    void makeFolder() throws Exception {
        // Short: socket paths have 107 bytes.
        runtime = Files.createTempDirectory("fs");
    }

    @AfterEach
    void clean() throws Exception {
        if (slot != null) {
            slot.close();
        }
        arena.close();
        try (var files = Files.walk(runtime)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private VerbProcess lend(String... more) throws Exception {
        String[] arguments = new String[3 + more.length];
        arguments[0] = "lend";
        arguments[1] = "edu,name=e0";
        arguments[2] = "--json";
        System.arraycopy(more, 0, arguments, 3, more.length);
        return VerbProcess.start(runtime, arguments);
    }

    private void borrow(FunctionAddress address) throws Exception {
        slot =
                Slot.open(
                        RuntimeDirectory.at(runtime),
                        "v1",
                        address,
                        LinkOptions.named("v1").withInsecure(true),
                        UnaryOperator.identity(),
                        talk::add,
                        () -> {});
        host =
                new InProcessHost(
                        slot.function(),
                        new InProcessHost.Listener() {
                            @Override
                            public void interrupt(InterruptKind kind, int vector) {
                                vectors.add(vector);
                            }

                            @Override
                            public void event(FunctionEvent event) {
                                events.add(event);
                            }
                        });
    }

    private int read(int region, long offset) {
        MemorySegment data = MemorySegment.ofArray(new byte[4]);
        CompletionStatus status = slot.function().read(region, offset, data, 4);
        return status.isSuccess() ? data.get(INT, 0) : -1;
    }

    private void write(int region, long offset, int value, int width) {
        MemorySegment data = MemorySegment.ofArray(new byte[4]);
        data.set(INT, 0, value);
        assertEquals(
                CompletionStatus.SUCCESS,
                slot.function()
                        .write(
                                region,
                                offset,
                                data.asSlice(0, width),
                                width,
                                PciFunction.ALL_BYTES));
    }

    private void enable() {
        write(Region.CONFIGURATION, 4, 0x6, 2);
    }

    private void awaitPresence(boolean present) throws Exception {
        FunctionEvent event;
        do {
            event = events.poll(60, TimeUnit.SECONDS);
            assertTrue(event != null, "said: " + talk);
        } while (!(event instanceof FunctionEvent.Presence presence)
                || presence.present() != present);
    }

    /** Copies a word by the device's own DMA, there and back, and waits for its interrupt. */
    private void checkDma(MemorySegment memory, int value) throws Exception {
        memory.set(INT, 0, value);
        memory.set(INT, 64, 0);
        write(0, DMA_SOURCE, 0x1000, 4);
        write(0, DMA_TARGET, (int) DEVICE_BUFFER, 4);
        write(0, DMA_COUNT, 4, 4);
        write(0, DMA_COMMAND, 0x5, 4);
        assertEquals(0, vectors.poll(60, TimeUnit.SECONDS));
        write(0, DMA_SOURCE, (int) DEVICE_BUFFER, 4);
        write(0, DMA_TARGET, 0x1040, 4);
        write(0, DMA_COMMAND, 0x7, 4);
        assertEquals(0, vectors.poll(60, TimeUnit.SECONDS));
        assertEquals(value, memory.get(INT, 64));
    }

    @Test
    void theDriverReadsAllOnesWhileTheLenderIsGoneAndGoesOnWhenItIsBack() throws Exception {
        MemorySegment memory = arena.allocate(0x1000, 0x1000);
        try (VerbProcess lender = lend()) {
            lender.report();
            borrow(FunctionAddress.parse("e0"));
            host.map(0x1000, memory, Direction.READ_WRITE);
            slot.function().interrupts(InterruptKind.MSI, 0, 1, InterruptAction.ENABLE);
            enable();
            assertEquals(ID, read(0, 0));
            write(0, LIVENESS, 0x12345678, 4);
            assertEquals(~0x12345678, read(0, LIVENESS));
            lender.kill();
            // Held first, answered all-ones then; posted writes are dropped.
            assertEquals(-1, read(0, 0));
            assertEquals("suspended", slot.status().state());
            write(0, LIVENESS, 1, 4);
            assertEquals(1, slot.status().dropped());
            assertEquals(-1, read(Region.CONFIGURATION, 0));
        }
        int generation = slot.function().generation();
        try (VerbProcess lender = lend()) {
            lender.report();
            awaitPresence(true);
            assertEquals(0x11e81234, read(Region.CONFIGURATION, 0));
            assertEquals(-1, read(0, 0), "a fresh function has its memory disabled");
            enable();
            assertEquals(ID, read(0, 0));
            assertTrue(slot.function().generation() >= generation);
            // The maps and interrupts of before are there without having been asked again.
            checkDma(memory, 0x600df00d);
        }
    }

    @Test
    void anAccessThatMeetsAShortAbsenceIsHeld() throws Exception {
        try (VerbProcess lender = lend()) {
            lender.report();
            borrow(FunctionAddress.parse("e0"));
            // Started before the first one goes: what is held waits for 4 s at most.
            lender.terminate();
        }
        awaitPresence(false);
        try (VerbProcess lender = lend()) {
            lender.report();
            awaitPresence(true);
            assertEquals(0x11e81234, read(Region.CONFIGURATION, 0));
            assertEquals(0, slot.status().unanswered());
            assertEquals(143, lender.terminate());
            assertFalse(Files.exists(runtime.resolve("e0.lender.sock")), "leaves cleanly");
        }
    }

    @Test
    void theSameOverTcp() throws Exception {
        int port;
        try (VerbProcess lender = lend("--listen", "127.0.0.1:0", "--insecure")) {
            String tcp = lender.report().get("addresses").get(1).asString();
            port = ((Address.Tcp) Address.parse(tcp)).port();
            borrow(FunctionAddress.parse("e0@" + tcp));
            enable();
            assertEquals(ID, read(0, 0));
            lender.kill();
            assertEquals(-1, read(0, 0));
        }
        try (VerbProcess lender = lend("--listen", "127.0.0.1:" + port, "--insecure")) {
            lender.report();
            awaitPresence(true);
            enable();
            assertEquals(ID, read(0, 0));
        }
    }

    @Test
    void aKilledBorrowerLosesItsLease() throws Exception {
        try (VerbProcess lender = lend();
                VerbProcess borrower = startBorrower(lender)) {
            borrower.report();
            borrower.kill();
            while (!lender.talk().contains("e0 is reset and free")) {
                Thread.onSpinWait();
            }
            borrow(FunctionAddress.parse("e0"));
            enable();
            assertEquals(ID, read(0, 0));
            assertTrue(lender.talk().contains("is abandoned by \"b\""), lender.talk());
        }
    }

    private VerbProcess startBorrower(VerbProcess lender) throws Exception {
        lender.report();
        return VerbProcess.start(
                runtime,
                "borrow",
                "e0",
                "--name",
                "b",
                "--vfio-user",
                runtime.resolve("b.vfio").toString(),
                "--json");
    }

    @Test
    void theDriversEndIsTheLeasesEnd() throws Exception {
        try (VerbProcess lender = lend()) {
            lender.report();
            borrow(FunctionAddress.parse("e0"));
            slot.function().attach(null);
            assertEquals("idle", slot.status().state());
            try (VerbProcess borrower = startOther()) {
                assertEquals("edu", borrower.report().get("kind").asString());
            }
        }
    }

    private VerbProcess startOther() throws Exception {
        return VerbProcess.start(
                runtime,
                "borrow",
                "e0",
                "--name",
                "other",
                "--vfio-user",
                runtime.resolve("o.vfio").toString(),
                "--json");
    }
}
