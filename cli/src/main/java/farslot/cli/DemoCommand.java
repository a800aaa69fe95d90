package farslot.cli;

import picocli.CommandLine.Command;

/** Boots a VM whose NVMe disk is a process at the other end of a TCP connection. */
@Command(
        name = "demo",
        header = "Show the whole: a VM uses an NVMe disk of another process",
        description =
                "%nBoots a VM whose NVMe disk is a process at the other end of a TCP connection.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot demo --trace demo.fst")
final class DemoCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "demo is not there yet.");
    }
}
