package farslot.integration;

import farslot.devices.nvme.DriverRun;
import farslot.devices.nvme.NvmeKind;
import farslot.sdk.DeviceFunction;
import farslot.sdk.Options;
import java.nio.file.Path;
import java.util.Map;

/** A process that is a vfio-user client with an nvme driver without end, to be killed. */
final class NvmeEmulator {
    private NvmeEmulator() {}

    /**
     * Runs.
     *
     * @param words the slot's socket, and an absent file for a disk whose description is used
     */
    public static void main(String[] words) throws Exception {
        NvmeKind kind = new NvmeKind();
        Map<String, String> options = Map.of("image", words[1], "size", "1M", "queues", "2");
        try (DeviceFunction like =
                DeviceFunction.of("nvme", kind.create(Options.check(kind, options)))) {
            DriverByVfioUser driver =
                    new DriverByVfioUser(
                            Path.of(words[0]),
                            like.describe(),
                            DriverRun.RAM_BYTES,
                            DriverRun.VECTORS,
                            true);
            new DriverRun(driver, driver::reset, ProcessHandle.current().pid(), note -> {})
                    .withoutEnd(() -> System.out.println(NvmeBorrower.BUSY));
        }
    }
}
