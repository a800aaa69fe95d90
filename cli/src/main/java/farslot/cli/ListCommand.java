package farslot.cli;

import picocli.CommandLine.Command;

/** Lists the functions that a lender offers, and who has them. */
@Command(
        name = "list",
        header = "List what a lender lends",
        description = "%nLists the functions that a lender offers, and who has them.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot list @machine:4000")
final class ListCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "list is not there yet.");
    }
}
