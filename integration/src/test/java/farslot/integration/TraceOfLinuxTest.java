package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.analysis.Decoders;
import farslot.analysis.Divergence;
import farslot.analysis.TraceReplay;
import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Tap;
import farslot.devices.nvme.NvmeKind;
import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.recorder.RecorderTap;
import farslot.recorder.RecordingRules;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import farslot.vfiouser.VfioUserServer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Linux boots, makes a file system on a far nvme and uses it, while all is recorded; then the trace
 * is asked everything that one can ask a trace.
 */
@Tag("qemu")
@Timeout(900)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TraceOfLinuxTest {
    private static final String SIZE = "64M";

    private Path folder;

    private Path runtime;
    private Bench bench;
    private Path trace;

    private DeviceFunction nvme() throws Exception {
        NvmeKind kind = new NvmeKind();
        Map<String, String> options =
                Map.of("image", folder.resolve("disk").toString(), "size", SIZE);
        return DeviceFunction.of("nvme", kind.create(Options.check(kind, options)));
    }

    @BeforeAll
    void record(@TempDir Path shared) throws Exception {
        folder = shared;
        bench = Bench.in(folder);
        // Sockets' paths are short.
        runtime = Files.createTempDirectory("fs-");
        trace = folder.resolve("linux.fst");
        TraceOptions options =
                TraceOptions.DEFAULT
                        .withDmaData(TraceOptions.DmaData.FULL)
                        .withRules(RecordingRules.ALL.withGuestMarks(true));
        try (DeviceFunction device = nvme();
                RecorderTap tap = RecorderTap.recording(device, trace, options);
                Lender lender =
                        Lender.open(
                                RuntimeDirectory.at(runtime),
                                List.of(new Lender.Lendable("n0", tap)),
                                List.of(new Address.Tcp("127.0.0.1", 0)),
                                LinkOptions.named("n0").withInsecure(true),
                                sentence -> {},
                                () -> {});
                Slot slot =
                        Slot.open(
                                RuntimeDirectory.at(runtime),
                                "s",
                                new FunctionAddress("n0", lender.addresses().get(1)),
                                LinkOptions.named("s").withInsecure(true),
                                UnaryOperator.identity(),
                                sentence -> {},
                                () -> {});
                VfioUserServer server =
                        VfioUserServer.start(
                                slot.function(),
                                runtime.resolve("v"),
                                VfioUserServer.ClientListener.NONE);
                Vm vm =
                        Vm.builder(Bench.lab(), Bench.accelerator())
                                .vfioUser(server.socket())
                                .start()) {
            vm.guest().awaitReady(Bench.BOOT);
            GuestDisk disk = GuestDisk.bind(vm.guest());
            mark(vm.guest(), "begin of mkfs");
            disk.format();
            mark(vm.guest(), "done");
            disk.mount();
            vm.guest().sh("cp -r /etc /mnt; sync; ls -lR /mnt > /dev/null", GuestDisk.LONG);
            disk.unmount();
        }
        // A disk's name for the world is made of where its image is.
        Files.move(folder.resolve("disk"), folder.resolve("disk.used"));
    }

    /** From inside the guest, as docs/traces.md says it. */
    private static void mark(Guest guest, String text) throws Exception {
        Path page = Path.of(System.getProperty("farslot.home"), "docs", "traces.md");
        String function =
                Files.readAllLines(page).stream()
                        .map(String::strip)
                        .filter(line -> line.startsWith("mark() {"))
                        .findFirst()
                        .orElseThrow();
        String place = "$(basename $(readlink -f /sys/class/nvme/nvme0/device))";
        guest.sh(function + "\nmark " + place + " '" + text + "'");
    }

    @Test
    void shouldHaveTheMarksThatTheGuestMade() throws Exception {
        String shown = said("trace", "show", trace.toString(), "--where", "mark");
        List<String> marks = shown.lines().filter(line -> line.contains("guest: ")).toList();
        assertEquals(2, marks.size(), shown);
        assertTrue(marks.get(0).endsWith("guest: begin of mkfs"), shown);
        assertTrue(marks.get(1).endsWith("guest: done"), shown);
    }

    @AfterAll
    void end() throws Exception {
        bench.close();
        Bench.remove(runtime);
    }

    private String said(String... words) {
        return bench.said(words);
    }

    @Test
    void shouldShowNothingDivergentInANewDeviceWithAnEqualImage() throws Exception {
        String text =
                said(
                        "trace",
                        "replay",
                        trace.toString(),
                        "--against",
                        "nvme,image=" + folder.resolve("disk") + ",size=" + SIZE);
        assertTrue(text.contains("no divergence: "), text);
        System.out.println(text);
        Files.delete(folder.resolve("disk"));
    }

    @Test
    void shouldAnswerWhateverOneAsksOfIt() throws Exception {
        String file = trace.toString();
        String shown = said("trace", "show", file, "--where", "reg == CC and write");
        assertTrue(shown.contains("EN=1"), shown);
        String polled = said("trace", "show", file, "--where", "reg == CSTS or reg == CC");
        assertTrue(polled.contains("CSTS"), polled);
        String counted = said("trace", "stats", file);
        assertTrue(counted.contains("SQ1TDBL"), counted);
        String commands = said("trace", "decode", file, "--only", "nvme");
        for (String command : List.of("IDENTIFY", "CREATE_IO_SQ", "WRITE", "FLUSH")) {
            assertTrue(commands.contains(command), command + " is not in " + commands);
        }
        String configuration = said("trace", "config", file);
        assertTrue(
                configuration.contains("MSIX") || configuration.contains("MSI-X"), configuration);
        String sql =
                "SELECT region, offset, count(*) AS n FROM events WHERE kind = 'write'"
                        + " GROUP BY ALL ORDER BY n DESC LIMIT 3";
        String rows = said("trace", "query", file, sql, "--json");
        assertTrue(rows.contains("BAR0"), rows);
        for (String format : List.of("mmiotrace", "pcapng", "perfetto")) {
            Path out = folder.resolve("linux." + format);
            said("trace", "export", file, "--to", format, "-o", out.toString());
            assertTrue(Files.size(out) > 10_000, out + " has " + Files.size(out) + " bytes");
        }
    }

    /** One bit of one register is another: CAP.TO is twice as long. */
    @Test
    void shouldNameTheRegisterAndFieldThatDifferInAnotherBuild() throws Exception {
        Files.deleteIfExists(folder.resolve("disk"));
        try (DeviceFunction device = nvme();
                TraceReader first = TraceReader.open(trace);
                TraceReader again = TraceReader.open(trace)) {
            TraceReplay.Report report =
                    TraceReplay.replay(
                            first,
                            again,
                            TraceNames.of(again),
                            new OtherTimeout(device),
                            () -> Decoders.completions(again.description()),
                            new TraceReplay.Rules(false, 1, 1_000_000_000L));
            Divergence found = report.divergences().getFirst();
            assertTrue(found.where().startsWith("BAR0 CAP"), found::toString);
            assertTrue(found.what().matches(".*now: TO \\S+ is \\S+\\."), found::toString);
        } finally {
            Files.delete(folder.resolve("disk"));
        }
    }

    private static final class OtherTimeout extends Tap {
        OtherTimeout(PciFunction next) {
            super(next);
        }

        @Override
        protected PciHost around(PciHost host) {
            return host;
        }

        @Override
        public CompletionStatus read(int region, long offset, MemorySegment into, int width) {
            CompletionStatus status = super.read(region, offset, into, width);
            if (region == 0 && offset == 0) {
                byte timeout = into.get(ValueLayout.JAVA_BYTE, 3);
                into.set(ValueLayout.JAVA_BYTE, 3, (byte) (2 * timeout));
            }
            return status;
        }
    }
}
