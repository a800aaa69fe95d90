package farslot.cli;

import picocli.CommandLine.Command;

/** Fetches QEMU and a guest into the user's cache folder, without root. */
@Command(
        name = "lab",
        header = "Prepare the virtual machines of tests and demos",
        description = "%nFetches QEMU and a guest into the user's cache folder, without root.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot lab prepare")
final class LabCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "lab is not there yet.");
    }
}
