package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.FunctionEvent;
import farslot.core.InProcessHost;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.FollowRequest;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import farslot.watch.RemoteTrace;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an access of the mode flush-remote is answered for is with the follower, come what may. */
@Tag("processes")
@Timeout(600)
class FlushRemoteTest {
    private static final int LIVENESS = 0x04;
    private static final int ACCESSES = 20;

    private Path runtime;

    @BeforeEach
    void makeFolder() throws Exception {
        // Short: socket paths have 107 bytes.
        runtime = Files.createTempDirectory("fs");
    }

    @AfterEach
    void removeIt() throws Exception {
        try (var files = Files.walk(runtime)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Test
    void whatWasAnsweredIsKeptWhenTheLenderIsKilledAtOnce() throws Exception {
        int rounds = "full".equals(System.getProperty("farslot.rounds")) ? 100 : 3;
        for (int round = 1; round <= rounds; round++) {
            killAfterAnAnswer(round);
        }
    }

    private void killAfterAnAnswer(int round) throws Exception {
        Path file = runtime.resolve("t" + round + ".fst");
        Path policy = runtime.resolve("policy.toml");
        Files.writeString(
                policy, "[[allow]]\nwho = \"anybody\"\nmay = [\"borrow\", \"operate\"]\n");
        List<Integer> written = new ArrayList<>();
        try (VerbProcess lender =
                VerbProcess.start(
                        runtime,
                        "lend",
                        "edu,name=e0",
                        "--json",
                        "--listen",
                        "127.0.0.1:0",
                        "--insecure",
                        "--policy",
                        policy.toString())) {
            String tcp = lender.report().get("addresses").get(1).asString();
            LinkOptions options = LinkOptions.named("v1").withInsecure(true);
            ControlLink link = ControlLink.connect(Address.parse(tcp), options);
            try (RemoteTrace trace =
                            RemoteTrace.follow(
                                    link,
                                    new FollowRequest(
                                            "e0", true, Map.of("mode", "BAR0:4-7=flush-remote")),
                                    file,
                                    TraceOptions.DEFAULT);
                    Slot slot = borrow(options)) {
                for (int i = 0; i < ACCESSES; i++) {
                    written.add(round << 8 | i);
                    access(slot.function(), written.getLast());
                }
                lender.kill();
                assertTrue(trace.awaitOver(20_000));
            }
        }
        assertEquals(written, inTrace(file));
        Files.delete(file);
    }

    private Slot borrow(LinkOptions options) throws Exception {
        Slot slot =
                Slot.open(
                        RuntimeDirectory.at(runtime),
                        "v1",
                        FunctionAddress.parse("e0"),
                        options,
                        UnaryOperator.identity(),
                        sentence -> {},
                        () -> {});
        new InProcessHost(
                slot.function(),
                new InProcessHost.Listener() {
                    @Override
                    public void interrupt(InterruptKind kind, int vector) {}

                    @Override
                    public void event(FunctionEvent event) {}
                });
        MemorySegment command = MemorySegment.ofArray(new byte[] {6, 0});
        slot.function().write(Region.CONFIGURATION, 4, command, 2, PciFunction.ALL_BYTES);
        return slot;
    }

    /** A write, which is posted, and a read, which is answered when both are done. */
    private static void access(PciFunction function, int value) {
        MemorySegment data = MemorySegment.ofArray(new byte[4]);
        data.set(ValueLayout.JAVA_INT_UNALIGNED, 0, value);
        function.write(0, LIVENESS, data, 4, PciFunction.ALL_BYTES);
        assertTrue(function.read(0, LIVENESS, data, 4).isSuccess());
        assertEquals(~value, data.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
    }

    /** The values that were written, each with the read behind it. */
    private static List<Integer> inTrace(Path file) throws Exception {
        List<Integer> values = new ArrayList<>();
        int reads = 0;
        try (TraceReader reader = TraceReader.open(file)) {
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                if (event instanceof TraceEvent.Access access
                        && access.region() == 0
                        && access.offset() == LIVENESS) {
                    if (access.write()) {
                        values.add((int) access.data().value());
                    } else {
                        reads++;
                    }
                }
            }
        }
        assertEquals(values.size(), reads);
        return values;
    }
}
