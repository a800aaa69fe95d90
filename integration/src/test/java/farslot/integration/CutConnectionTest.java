package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.PciFunction;
import farslot.devices.nvme.DriverRun;
import farslot.devices.nvme.NvmeKind;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.slot.HeldFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A driver in Java keeps a disk controller busy while the connection to it is cut again and again:
 * no wrong byte, no completion lost or twice, no access that waits longer than the slot holds it.
 */
@Timeout(value = 2, unit = TimeUnit.HOURS)
class CutConnectionTest {
    /** As users have them: peers are dead after 1 s. */
    private static final LinkOptions OPTIONS = LinkOptions.named("test").withInsecure(true);

    private static final HeldFunction.Rules RULES =
            new HeldFunction.Rules(HeldFunction.HOLD_MILLIS, false);

    /** Held here so that it stays as it is set: each cut would be said at both ends. */
    private static final Logger LINK = Logger.getLogger("farslot.link");

    @TempDir Path folder;
    private CuttingProxy proxy;

    @BeforeAll
    static void sayLess() {
        LINK.setLevel(Level.WARNING);
    }

    @AfterAll
    static void sayAllAgain() {
        LINK.setLevel(null);
    }

    private static int cuts() {
        return switch (System.getProperty("farslot.rounds", "short")) {
            case "few" -> 30;
            case "full" -> 10_000;
            default -> 100;
        };
    }

    private static DeviceFunction nvme(Path image) throws Exception {
        NvmeKind kind = new NvmeKind();
        Map<String, String> options =
                Map.of(
                        "image",
                        image.toString(),
                        "size",
                        Integer.toString(DriverRun.DISK_BYTES),
                        "queues",
                        Integer.toString(DriverRun.QUEUES));
        return DeviceFunction.of("nvme", kind.create(Options.check(kind, options)));
    }

    private Address.Tcp throughProxy(Lender lender, long seed) throws IOException {
        Address.Tcp far = (Address.Tcp) lender.addresses().get(1);
        proxy = CuttingProxy.cutting(far.port(), cuts(), seed);
        return new Address.Tcp("127.0.0.1", proxy.port());
    }

    private static PciFunction tally(List<Tally> tallies, PciFunction function) {
        tallies.add(new Tally(function));
        return tallies.getLast();
    }

    @Test
    void shouldLoseNothingAndDoNothingTwiceWhenConnectionsAreCutUnderLoad() throws Exception {
        long seed = CuttingProxy.seed();
        Path runtime = Files.createTempDirectory("fs-");
        List<Tally> atDevice = new ArrayList<>();
        List<Tally> atDriver = new ArrayList<>();
        try (DeviceFunction device = nvme(folder.resolve("disk"));
                Linked linked =
                        new Linked(
                                tally(atDevice, device),
                                runtime,
                                OPTIONS,
                                lender -> throughProxy(lender, seed),
                                RULES,
                                function -> tally(atDriver, function));
                DriverInJava driver =
                        new DriverInJava(
                                linked.function(), DriverRun.RAM_BYTES, DriverRun.VECTORS)) {
            proxy.begin();
            new DriverRun(driver, driver::reset, seed, note -> {}).steady(() -> proxy.left() > 0);
            System.out.println(proxy.report());
            System.out.println(atDriver.getFirst().sums());
            assertEquals(atDevice.getFirst().sums(), atDriver.getFirst().sums());
            HeldFunction.Status status = linked.status();
            assertEquals(cuts(), proxy.done());
            assertTrue(proxy.bothWays() * 100L >= cuts() * 95L, proxy.report());
            assertEquals(1, status.attachments(), status.toString());
            // One that is cut while it resumes needs one resume less.
            assertTrue(status.resumes() * 100L >= cuts() * 90L, status.toString());
            System.out.println(status);
            assertEquals(0, status.unanswered(), status.toString());
            assertEquals(0, status.dropped(), status.toString());
        } finally {
            if (proxy != null) {
                proxy.close();
            }
            Bench.remove(runtime);
        }
    }
}
