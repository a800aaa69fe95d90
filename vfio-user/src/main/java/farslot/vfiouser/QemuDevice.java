package farslot.vfiouser;

import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What to give QEMU so that it uses a {@link VfioUserServer}. QEMU takes the socket as JSON only.
 */
public final class QemuDevice {
    /** Milliseconds: 24 days. 0 and 4294967295, which look like "never", time out at once. */
    private static final int LONGEST_TIMEOUT = 2147483647;

    private QemuDevice() {}

    /** The value of {@code -device} for this socket. */
    public static String argument(Path socket) {
        return argument(socket, Map.of());
    }

    /**
     * The value of {@code -device} for this socket, for a slot that holds accesses for longer than
     * QEMU's own 5 s. While it does, the whole virtual machine stands still.
     */
    public static String patient(Path socket) {
        return json(socket, device -> device.put("x-msg-timeout", LONGEST_TIMEOUT));
    }

    /**
     * The value of {@code -device} for this socket.
     *
     * @param properties further ones ("id", "bus", "addr"), in the map's order
     */
    public static String argument(Path socket, Map<String, String> properties) {
        return json(socket, device -> properties.forEach(device::put));
    }

    private static String json(Path socket, Consumer<ObjectNode> properties) {
        ObjectNode device = JsonMapper.shared().createObjectNode();
        device.put("driver", "vfio-user-pci");
        properties.accept(device);
        device.putObject("socket")
                .put("type", "unix")
                .put("path", socket.toAbsolutePath().toString());
        return device.toString();
    }

    /** The whole option for a POSIX shell, quoted. */
    public static String shellWords(String argument) {
        return "-device '" + argument.replace("'", "'\\''") + "'";
    }

    /**
     * What the VM's memory must be so that it is shared: without it DMA goes by messages, slowly,
     * and not always in PCI's order.
     *
     * @param size as QEMU takes it ("512M"), the same as {@code -m}
     */
    public static String sharedMemoryWords(String size) {
        return "-object memory-backend-memfd,id=mem,share=on,size="
                + size
                + " -machine memory-backend=mem";
    }
}
