package farslot.cli;

import picocli.CommandLine.Command;

/** Runs, lists and stops virtual machines of the lab. */
@Command(
        name = "vm",
        header = "Run virtual machines with borrowed functions",
        description = "%nRuns, lists and stops virtual machines of the lab.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot vm run --name v1 --borrow n0@machine:4000")
final class VmCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "vm is not there yet.");
    }
}
