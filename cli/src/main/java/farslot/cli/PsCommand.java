package farslot.cli;

import picocli.CommandLine.Command;

/** Lists the running lenders, slots and VMs of this user on this machine. */
@Command(
        name = "ps",
        header = "List lenders, slots and VMs of this user",
        description = "%nLists the running lenders, slots and VMs of this user on this machine.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot ps --json")
final class PsCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "ps is not there yet.");
    }
}
