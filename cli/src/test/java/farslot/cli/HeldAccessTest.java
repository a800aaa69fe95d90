package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.sdk.AreaHandler;
import farslot.sdk.Device;
import farslot.sdk.DeviceFunction;
import farslot.sdk.FunctionBuilder;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * An access that the device holds for a minute: the link lives, and the user is told what waits.
 */
@Timeout(240)
@DisabledIfSystemProperty(
        named = "farslot.rounds",
        matches = "few",
        disabledReason = "what is held for a second is not told of before that second")
class HeldAccessTest {
    /** Much shorter than what is held, and long for a busy machine. */
    private static final LinkOptions OPTIONS =
            LinkOptions.named("test")
                    .withInsecure(true)
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(4));

    private static final long HELD_AT = 0x8;

    private final BlockingQueue<String> slotTalk = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> lenderTalk = new LinkedBlockingQueue<>();
    private final HoldingDevice device = new HoldingDevice();
    private Path runtime;
    private DeviceFunction function;
    private Lender lender;
    private Slot slot;

    /** Holds each access to one register until it is released. */
    private static final class HoldingDevice implements Device {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch release = new CountDownLatch(1);

        @Override
        public void assemble(FunctionBuilder function) {
            function.identity(new FunctionDescription.Identity(0x1234, 0x11f7, 0, 0, 0xff0000, 1));
            function.memoryBar(0, 0x1000)
                    .area(
                            0,
                            0x10,
                            new AreaHandler() {
                                @Override
                                public long read(long offset, int sizeBytes) {
                                    return hold(offset);
                                }

                                @Override
                                public void write(long offset, int sizeBytes, long value) {
                                    hold(offset);
                                }
                            });
        }

        private long hold(long offset) {
            try {
                if (offset == HELD_AT) {
                    begun.countDown();
                    release.await();
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return 0x77;
        }
    }

    /** The minute that the access is held. */
    private static long heldMillis() {
        return "full".equals(System.getProperty("farslot.rounds")) ? 60_000 : 6_000;
    }

    @BeforeEach
    void lendAndBorrow() throws Exception {
        // Short: socket paths have 107 bytes.
        runtime = Files.createTempDirectory("fs");
        System.setProperty("farslot.runtime", runtime.toString());
        RuntimeDirectory directory = RuntimeDirectory.at(runtime);
        function = DeviceFunction.of("holding", device);
        lender =
                Lender.open(
                        directory,
                        List.of(new Lender.Lendable("h0", function)),
                        List.of(new Address.Tcp("127.0.0.1", 0)),
                        OPTIONS,
                        lenderTalk::add,
                        () -> {});
        slot =
                Slot.open(
                        directory,
                        "s0",
                        new FunctionAddress("h0", lender.addresses().get(1)),
                        OPTIONS,
                        borrowed -> borrowed,
                        slotTalk::add,
                        () -> {});
        MemorySegment command = MemorySegment.ofArray(new byte[] {6, 0});
        slot.function().write(Region.CONFIGURATION, 4, command, 2, PciFunction.ALL_BYTES);
    }

    @AfterEach
    void end() throws IOException {
        device.release.countDown();
        slot.close();
        lender.close();
        function.close();
        System.clearProperty("farslot.runtime");
        try (var files = Files.walk(runtime)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static String farslot(String... arguments) {
        StringWriter out = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(new StringWriter()));
        assertEquals(ExitCode.OK, line.execute(arguments));
        return out.toString();
    }

    private static JsonNode process(String name) {
        for (JsonNode process : JsonMapper.shared().readTree(farslot("ps", "--json"))) {
            if (process.get("name").asString().equals(name)) {
                return process;
            }
        }
        throw new AssertionError("no " + name);
    }

    private static String said(BlockingQueue<String> talk, String what) throws Exception {
        String sentence = talk.poll(60, TimeUnit.SECONDS);
        while (sentence != null && !sentence.contains(what)) {
            sentence = talk.poll(60, TimeUnit.SECONDS);
        }
        return String.valueOf(sentence);
    }

    private CompletionStatus read(long offset) {
        return slot.function().read(0, offset, MemorySegment.ofArray(new byte[4]), 4);
    }

    /** Looks at it again and again until it has been held for the minute. */
    private void assertHeldAndAliveForLong(String atSlot, String atLender) throws Exception {
        String told = said(slotTalk, "is held at the lender since ");
        assertTrue(told.contains(atSlot), told);
        told = said(lenderTalk, "is held since ");
        assertTrue(told.startsWith("h0: " + atLender), told);
        long since = Long.parseLong(process("s0").get("held-since").asString());
        while (System.currentTimeMillis() - since < heldMillis()) {
            JsonNode inSlot = process("s0");
            assertEquals(atSlot, inSlot.get("held").asString());
            assertEquals("1", inSlot.get("attachments").asString(), "the link never ended");
            assertEquals(atLender + " of h0", process("h0").get("held").asString());
            assertTrue(farslot("ps").contains(", held: " + atSlot + " since "));
            assertTrue(farslot("list").contains("held: " + atLender));
            slotTalk.poll(500, TimeUnit.MILLISECONDS);
        }
    }

    private void assertOverWhenReleased() throws Exception {
        device.release.countDown();
        said(slotTalk, "is held no longer");
        assertEquals("", slot.status().held());
        assertFalse(farslot("ps").contains("held:"));
        CompletionStatus status = read(0);
        while (status == CompletionStatus.TIMED_OUT) {
            // Until the slot has seen that the function answers again.
            status = read(0);
        }
        assertEquals(CompletionStatus.SUCCESS, status);
        assertEquals(1, slot.status().attachments());
    }

    @Test
    void shouldReportAReadThatIsHeldAndKeepItsLink() throws Exception {
        CompletableFuture<CompletionStatus> reading =
                CompletableFuture.supplyAsync(
                        () -> read(HELD_AT), task -> new Thread(task).start());
        String what = "a read of BAR0 at offset 0x8";
        assertHeldAndAliveForLong(what, what);
        assertOverWhenReleased();
        // The driver was not kept for longer than QEMU bears.
        CompletionStatus status = reading.get(60, TimeUnit.SECONDS);
        assertTrue(
                status == CompletionStatus.TIMED_OUT || status == CompletionStatus.SUCCESS,
                status.toString());
    }

    @Test
    void shouldReportAPostedWriteThatIsHeldAndKeepItsLink() throws Exception {
        MemorySegment word = MemorySegment.ofArray(new int[1]);
        word.set(ValueLayout.JAVA_INT, 0, 1);
        slot.function().write(0, HELD_AT, word, 4, PciFunction.ALL_BYTES);
        assertHeldAndAliveForLong("a posted write", "a write to BAR0 at offset 0x8");
        assertOverWhenReleased();
    }
}
