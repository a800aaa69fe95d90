package farslot.cli;

import farslot.lab.Lab;
import farslot.lab.PreparedLab;
import java.nio.file.Path;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** What a VM is made of, for every verb that starts one: {@code @Mixin LabOptions lab}. */
final class LabOptions {
    @Option(
            names = "--qemu",
            paramLabel = "FILE",
            description = "Another QEMU for x86-64; it needs vfio-user-pci (10.1 or newer).")
    Path qemu;

    @Option(
            names = "--kernel",
            paramLabel = "FILE",
            description = "Another Linux kernel; with --initrd.")
    Path kernel;

    @Option(
            names = "--initrd",
            paramLabel = "FILE",
            description =
                    "Another initial RAM disk, as \"farslot lab prepare\" makes it: the steps of"
                            + " the demo run by its init.")
    Path initrd;

    /** What is there by these options; prepares what is not. */
    PreparedLab open(Lab of, Consumer<String> progress) {
        if (kernel != null && initrd == null) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "--kernel needs --initrd too: the drivers in an initial RAM disk fit one kernel"
                            + " only.");
        }
        return of.open(qemu, kernel, initrd, progress);
    }
}
