package farslot.vfiouser;

import java.nio.file.Path;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What to give QEMU so that it uses a {@link VfioUserServer}. QEMU takes the socket as JSON only.
 */
public final class QemuDevice {
    private QemuDevice() {}

    /** The value of {@code -device} for this socket. */
    public static String argument(Path socket) {
        return argument(socket, Map.of());
    }

    /**
     * The value of {@code -device} for this socket.
     *
     * @param properties further ones ("id", "bus", "addr"), in the map's order
     */
    public static String argument(Path socket, Map<String, String> properties) {
        ObjectNode device = JsonMapper.shared().createObjectNode();
        device.put("driver", "vfio-user-pci");
        properties.forEach(device::put);
        device.putObject("socket")
                .put("type", "unix")
                .put("path", socket.toAbsolutePath().toString());
        return device.toString();
    }

    /** The whole option for a POSIX shell, quoted. */
    public static String shellWords(Path socket) {
        return "-device '" + argument(socket).replace("'", "'\\''") + "'";
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
