package farslot.integration;

import farslot.core.PciFunction;
import farslot.devices.nvme.DriverRun;
import farslot.devices.nvme.NvmeKind;
import farslot.lender.Lender;
import farslot.link.LinkOptions;
import farslot.link.RuntimeDirectory;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.slot.FunctionAddress;
import farslot.slot.Slot;
import farslot.vfiouser.VfioUserServer;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** What can lie between a driver and an nvme device. */
enum Route {
    /** Nothing. */
    DIRECT,
    /** A link whose memory's descriptor was passed, so that DMA is a copy. */
    UNIX,
    TCP,
    /** A client that shares its memory; the device is in the slot's process. */
    VFIO_USER,
    /** A client that does not. */
    VFIO_USER_BY_MESSAGES,
    VFIO_USER_THEN_UNIX,
    VFIO_USER_THEN_TCP;

    private static final LinkOptions OPTIONS =
            LinkOptions.named("test")
                    .withInsecure(true)
                    .withAccessTimeout(Duration.ofSeconds(60))
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(60));

    private boolean isLinked() {
        return this == UNIX || this == TCP || name().contains("THEN");
    }

    private boolean isByTcp() {
        return this == TCP || this == VFIO_USER_THEN_TCP;
    }

    /** Whether no DMA of before a reset is seen after it. */
    boolean resetsCutOff() {
        return this != VFIO_USER_BY_MESSAGES;
    }

    /** A new device with an empty disk, and its driver at the other end. */
    static final class Open implements AutoCloseable {
        private final Deque<Closeable> open = new ArrayDeque<>();
        private final Path runtime;
        final DriverPlace driver;

        /**
         * @param atDevice puts taps round the device
         * @param atDriver puts taps round what the driver's side uses; the same taps as at the
         *     device would be, one after the other, where nothing lies between
         */
        Open(
                Route route,
                Path image,
                UnaryOperator<PciFunction> atDevice,
                UnaryOperator<PciFunction> atDriver)
                throws Exception {
            runtime = Files.createTempDirectory("fs-");
            open.push(this::removeRuntime);
            boolean opened = false;
            try {
                PciFunction function = atDevice.apply(device(image));
                if (route.isLinked()) {
                    function = linked(route, function, atDriver);
                } else {
                    function = atDriver.apply(function);
                }
                driver = driver(route, function);
                open.push(driver::close);
                opened = true;
            } finally {
                if (!opened) {
                    close();
                }
            }
        }

        private PciFunction device(Path image) throws Exception {
            NvmeKind kind = new NvmeKind();
            Map<String, String> options =
                    Map.of(
                            "image",
                            image.toString(),
                            "size",
                            Integer.toString(DriverRun.DISK_BYTES),
                            "queues",
                            Integer.toString(DriverRun.QUEUES),
                            "serial",
                            "ONE");
            DeviceFunction device =
                    DeviceFunction.of("nvme", kind.create(Options.check(kind, options)));
            open.push(() -> Files.deleteIfExists(image));
            open.push(device::close);
            return device;
        }

        private PciFunction linked(
                Route route, PciFunction function, UnaryOperator<PciFunction> atDriver)
                throws Exception {
            RuntimeDirectory directory = RuntimeDirectory.at(runtime);
            Lender lender =
                    Lender.open(
                            directory,
                            List.of(new Lender.Lendable("n0", function)),
                            List.of(new farslot.link.Address.Tcp("127.0.0.1", 0)),
                            OPTIONS,
                            sentence -> {},
                            () -> {});
            open.push(lender::close);
            Slot slot =
                    Slot.open(
                            directory,
                            "s0",
                            new FunctionAddress(
                                    "n0", lender.addresses().get(route.isByTcp() ? 1 : 0)),
                            OPTIONS,
                            atDriver,
                            sentence -> {},
                            () -> {});
            open.push(slot::close);
            return slot.function();
        }

        private DriverPlace driver(Route route, PciFunction function) throws IOException {
            if (!route.name().startsWith("VFIO_USER")) {
                return new DriverInJava(function, DriverRun.RAM_BYTES, DriverRun.VECTORS);
            }
            VfioUserServer server =
                    VfioUserServer.start(
                            function, runtime.resolve("v"), VfioUserServer.ClientListener.NONE);
            open.push(server::close);
            return new DriverByVfioUser(
                    server.socket(),
                    function.describe(),
                    DriverRun.RAM_BYTES,
                    DriverRun.VECTORS,
                    route != VFIO_USER_BY_MESSAGES);
        }

        /** Also ends what taps wrote, before the device is closed. */
        @Override
        public void close() throws IOException {
            while (!open.isEmpty()) {
                open.pop().close();
            }
        }

        private void removeRuntime() throws IOException {
            try (var all = Files.walk(runtime)) {
                for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                    Files.deleteIfExists(path);
                }
            }
        }
    }
}
