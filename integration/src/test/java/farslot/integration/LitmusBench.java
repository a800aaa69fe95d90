package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.core.PciFunction;
import farslot.lender.Lender;
import farslot.link.Address;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.sdk.DeviceFunction;
import farslot.slot.FunctionAddress;
import farslot.slot.HeldFunction;
import farslot.slot.Slot;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * A {@link LitmusDevice} and its driver at the two ends of a path: both in this process, and
 * everything between them as it is for users, the lender with its fence, the link, the slot.
 * Closing ends it and sees that nothing was lost on the way.
 */
final class LitmusBench implements AutoCloseable {
    private static final String NAME = "litmus";

    /** Nothing here is to be taken for dead because the machine is busy. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Deque<Closeable> open = new ArrayDeque<>();
    private final LitmusPath path;
    private final long seed;
    private ReorderingTap tap;
    private LitmusDriver driver;

    private LitmusBench(LitmusPath path, long seed) {
        this.path = path;
        this.seed = seed;
    }

    /** Where a reordering is planted. */
    enum Place {
        SLOT,
        LENDER
    }

    static LitmusBench open(LitmusPath path, long seed, Path folder) throws Exception {
        return open(path, seed, folder, null, 0, Place.SLOT);
    }

    /** With a rule broken in one round. */
    static LitmusBench open(
            LitmusPath path, long seed, Path folder, LitmusPlant plant, long round, Place place)
            throws Exception {
        LitmusBench bench = new LitmusBench(path, seed);
        UnaryOperator<PciFunction> planting =
                function -> {
                    bench.tap = new ReorderingTap(function, plant, round);
                    return bench.tap;
                };
        boolean atSlot = plant != null && place == Place.SLOT;
        boolean atLender = plant != null && place == Place.LENDER;
        try {
            bench.open(
                    folder,
                    atSlot ? planting : UnaryOperator.identity(),
                    atLender ? planting : UnaryOperator.identity());
            return bench;
        } catch (Exception | Error e) {
            bench.close();
            throw e;
        }
    }

    private void open(
            Path folder, UnaryOperator<PciFunction> atSlot, UnaryOperator<PciFunction> atLender)
            throws Exception {
        LitmusDevice device = new LitmusDevice();
        DeviceFunction function = DeviceFunction.of(NAME, device);
        open.push(function::close);
        PciFunction tapped = atLender.apply(function);
        PciFunction near = path == LitmusPath.DIRECT ? tapped : slot(lend(tapped, folder), folder);
        driver = new LitmusDriver(atSlot.apply(near), device, tap, path, seed);
        open.push(driver::close);
        driver.attach();
    }

    private Address lend(PciFunction function, Path folder) throws Exception {
        Lender lender =
                Lender.open(
                        RuntimeDirectory.at(folder.resolve("l")),
                        List.of(new Lender.Lendable(NAME, function)),
                        path.isTcp() ? List.of(new Address.Tcp("127.0.0.1", 0)) : List.of(),
                        options("lender"),
                        sentence -> {},
                        () -> {});
        open.push(lender::close);
        return lender.addresses().getLast();
    }

    private LinkOptions options(String name) {
        return LinkOptions.named(name)
                .withInsecure(true)
                .withPassDescriptors(path != LitmusPath.UNIX_UNMAPPED)
                .withAccessTimeout(PATIENCE)
                .withKeepAlive(Duration.ofMillis(250), PATIENCE);
    }

    private PciFunction slot(Address lender, Path folder) throws Exception {
        Slot slot =
                Slot.open(
                        RuntimeDirectory.at(folder.resolve(path.isTcp() ? "s" : "l")),
                        "slot",
                        path.isTcp()
                                ? new FunctionAddress(NAME, tcp((Address.Tcp) lender))
                                : FunctionAddress.parse(NAME),
                        options("slot"),
                        UnaryOperator.identity(),
                        sentence -> {},
                        () -> {});
        open.push(() -> {
            HeldFunction.Status status = slot.status();
            slot.close();
            assertEquals("idle", status.state(), status.sentence());
            assertEquals(1, status.attachments(), "attachments: " + status.sentence());
            assertEquals(0, status.dropped(), "posted writes dropped");
            assertEquals(0, status.unanswered(), "accesses unanswered");
        });
        return slot.function();
    }

    private Address tcp(Address.Tcp lender) throws Exception {
        InetSocketAddress target =
                new InetSocketAddress(InetAddress.getByName(lender.host()), lender.port());
        int port = lender.port();
        if (path == LitmusPath.SHUFFLED) {
            ShufflingProxy proxy = new ShufflingProxy(target, seed);
            open.push(proxy::close);
            port = proxy.port();
        } else if (path == LitmusPath.FAR) {
            DelayingProxy proxy = new DelayingProxy(target, TimeUnit.MILLISECONDS.toNanos(1));
            open.push(proxy::close);
            port = proxy.port();
        }
        return new Address.Tcp("127.0.0.1", port);
    }

    LitmusDriver driver() {
        return driver;
    }

    /** What breaks the rule. */
    ReorderingTap tap() {
        return tap;
    }

    @Override
    public void close() throws IOException {
        Throwable failed = null;
        while (!open.isEmpty()) {
            try {
                open.pop().close();
            } catch (IOException | AssertionError e) {
                failed = failed == null ? e : failed;
            }
        }
        if (failed != null) {
            throw new AssertionError(failed.getMessage(), failed);
        }
    }
}
