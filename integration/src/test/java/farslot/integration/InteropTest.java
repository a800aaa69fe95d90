package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import farslot.devices.edu.EduKind;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.Entry;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What was written from docs/protocol.md alone, and what was written with it, use each other. */
@Timeout(300)
class InteropTest {
    private static final LinkOptions OPTIONS =
            LinkOptions.named("test")
                    .withInsecure(true)
                    .withAccessTimeout(Duration.ofSeconds(60))
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(60));

    private static final boolean FEW = "few".equals(System.getProperty("farslot.rounds"));

    private static final int GOODBYE = 0x04;
    private static final int BORROWED = 0x11;

    @TempDir static Path shared;
    private static Path client;

    @TempDir Path folder;
    private Path runtime;

    @BeforeEach
    void makeRuntime() throws Exception {
        // Sockets' paths are short: a test's own folder may not be.
        runtime = Files.createTempDirectory("fs-");
    }

    @AfterEach
    void removeRuntime() throws Exception {
        try (var all = Files.walk(runtime)) {
            for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static synchronized String client() throws Exception {
        if (client == null) {
            client = Interop.client(shared);
        }
        return client.toString();
    }

    /** All that the client checks is right. */
    private void assertPasses(Interop.Ended run) {
        assertEquals(0, run.code(), run.out() + run.err());
        assertTrue(run.out().contains("e0 is borrowed: kind edu"), run.out());
        for (String way : List.of("by INTx:", "by MSI:")) {
            String part = run.out().substring(run.out().indexOf(way));
            assertTrue(part.contains("DMA to the device and back: right"), run.out());
            assertTrue(part.contains("interrupt status after acknowledgement: right"), run.out());
        }
        assertTrue(run.out().endsWith("e0 is returned\n"), run.out());
        assertEquals("", run.err());
    }

    private Lender javaLender(DeviceFunction device) throws Exception {
        return Lender.open(
                RuntimeDirectory.at(runtime),
                List.of(new Lender.Lendable("e0", device)),
                List.of(new Address.Tcp("127.0.0.1", 0)),
                OPTIONS,
                sentence -> {},
                () -> {});
    }

    private static DeviceFunction edu() throws Exception {
        EduKind kind = new EduKind();
        return DeviceFunction.of("edu", kind.create(Options.check(kind, Map.of())));
    }

    @Test
    void shouldPassTheChecksOfTheClientInCWhenTheLenderIsOurs() throws Exception {
        String program = client();
        try (DeviceFunction device = edu();
                Lender lender = javaLender(device)) {
            Address.Unix near = (Address.Unix) lender.addresses().get(0);
            Address.Tcp far = (Address.Tcp) lender.addresses().get(1);
            String address = "127.0.0.1:" + far.port();
            assertPasses(Interop.run(folder, program, "--insecure", address, "e0"));
            if (!FEW) {
                assertPasses(Interop.run(folder, program, near.path().toString(), "e0"));
            }
            Interop.Ended refused = Interop.run(folder, program, "--insecure", address, "e1");
            assertEquals(3, refused.code());
            assertTrue(refused.err().contains("did you mean \"e0\""), refused.err());
        }
    }

    @Test
    void shouldPassTheChecksOfTheClientInCWhenTheLenderIsInPython() throws Exception {
        String program = client();
        try (Interop.PythonLender far = new Interop.PythonLender(folder);
                Interop.PythonLender near = new Interop.PythonLender(folder, runtime + "/s")) {
            assertPasses(Interop.run(folder, program, "--insecure", far.address, "e0"));
            // The second borrower meets a function that was reset.
            if (!FEW) {
                assertPasses(Interop.run(folder, program, "--insecure", far.address, "e0"));
                assertPasses(Interop.run(folder, program, near.address, "e0"));
            }
            Interop.Ended refused = Interop.run(folder, program, "--insecure", far.address, "e1");
            assertEquals(3, refused.code());
            assertTrue(refused.err().contains("The lender refuses: There is no"), refused.err());
        }
    }

    @Test
    void shouldBeListedAndLentByOurSlotWhenTheLenderIsInPython() throws Exception {
        try (Interop.PythonLender python = new Interop.PythonLender(folder)) {
            Address address = new Address.Tcp("127.0.0.1", python.port());
            try (ControlLink control = ControlLink.connect(address, OPTIONS);
                    Slot slot = slot(address)) {
                PciFunction function = slot.function();
                assertEquals("edu", function.describe().kind());
                write(function, 4, 0x12345678);
                assertEquals(0xedcba987, read(function, 0, 4));
                assertEquals(0x11e81234, read(function, 7, 0));
                Entry entry = control.list().getFirst();
                assertEquals("e0", entry.name());
                assertEquals(1, control.list().size());
                assertTrue(entry.borrower().contains("'test'"), entry.borrower());
            }
        }
    }

    private Slot slot(Address address) throws Exception {
        return Slot.open(
                RuntimeDirectory.at(runtime),
                "s0",
                new FunctionAddress("e0", address),
                OPTIONS,
                UnaryOperator.identity(),
                sentence -> {},
                () -> {});
    }

    private static int read(PciFunction function, int region, long offset) {
        MemorySegment into = Arena.ofAuto().allocate(4, 4);
        assertEquals(CompletionStatus.SUCCESS, function.read(region, offset, into, 4));
        return into.get(ValueLayout.JAVA_INT, 0);
    }

    private static void write(PciFunction function, long offset, int value) {
        MemorySegment from = Arena.ofAuto().allocate(4, 4);
        from.set(ValueLayout.JAVA_INT, 0, value);
        function.write(0, offset, from, 4, PciFunction.ALL_BYTES);
    }

    @Test
    void shouldSayGoodbyeAndLeaveNothingWhenTheLenderIsEnded() throws Exception {
        Path path = runtime.resolve("s");
        try (Interop.PythonLender near = new Interop.PythonLender(folder, path.toString());
                Interop.PythonLender far = new Interop.PythonLender(folder);
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), far.port())) {
            List<byte[]> greeting = List.of(RawFrames.hello(1), RawFrames.borrow("e0"));
            socket.getOutputStream().write(RawFrames.stream(RawFrames.inSequence(greeting)));
            InputStream in = socket.getInputStream();
            assertArrayEquals(RawFrames.PREAMBLE, in.readNBytes(RawFrames.PREAMBLE.length));
            while (RawFrames.type(RawFrames.next(in)) != BORROWED) {}
            far.ask();
            byte[] last = null;
            for (byte[] frame = RawFrames.next(in); frame != null; frame = RawFrames.next(in)) {
                last = frame;
            }
            assertEquals(GOODBYE, RawFrames.type(last));
            socket.shutdownOutput();
            assertEquals(0, far.stop());
            assertEquals(0, near.stop());
            assertFalse(Files.exists(path));
        }
    }

    @Test
    void shouldExplainThemselvesWhenTheyAreStartedWrongly() throws Exception {
        Interop.assumePython(folder);
        String program = client();
        String python = Interop.FOLDER.resolve("edu_lender.py").toString();
        Interop.Ended help = Interop.run(folder, "python3", "-B", python, "--help");
        assertEquals(0, help.code());
        assertTrue(help.out().contains("--listen"), help.out());
        Interop.Ended insecure = Interop.run(folder, "python3", "-B", python);
        assertEquals(2, insecure.code());
        assertTrue(insecure.err().contains("say --insecure"), insecure.err());
        assertEquals(2, Interop.run(folder, program).code());
        Interop.Ended alone = Interop.run(folder, program, "127.0.0.1:1", "e0");
        assertEquals(2, alone.code());
        assertTrue(alone.err().contains("say --insecure"), alone.err());
        assertEquals(3, Interop.run(folder, program, runtime + "/none", "e0").code());
    }
}
