package farslot.integration;

import farslot.core.PciFunction;
import farslot.devices.nvme.DriverRun;
import farslot.devices.nvme.NvmeKind;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import farslot.vfiouser.VfioUserServer;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
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
    VFIO_USER_THEN_TCP,
    /** A slot that owns the MSI-X table: messages are (address, data). */
    KERNEL,
    KERNEL_THEN_TCP;

    private boolean isLinked() {
        return this == UNIX || this == TCP || name().contains("THEN");
    }

    private boolean isByTcp() {
        return name().endsWith("TCP");
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
                    Linked linked = new Linked(function, runtime, route.isByTcp(), atDriver);
                    open.push(linked::close);
                    function = linked.function();
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

        private DriverPlace driver(Route route, PciFunction function) throws IOException {
            if (route.name().startsWith("KERNEL")) {
                return new DriverInKernel(function, DriverRun.RAM_BYTES, DriverRun.VECTORS);
            }
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
