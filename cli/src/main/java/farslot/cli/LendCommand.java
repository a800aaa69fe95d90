package farslot.cli;

import picocli.CommandLine.Command;

/** Makes a device and lends it until Ctrl-C. */
@Command(
        name = "lend",
        header = "Lend a device to others",
        description = "%nMakes a device and lends it until Ctrl-C.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot lend nvme,name=n0,image=disk.img,size=1G --port 4000 --insecure")
final class LendCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "lend is not there yet.");
    }
}
