package farslot.cli;

import picocli.CommandLine.Command;

/** Borrows a function and holds its slot until Ctrl-C. */
@Command(
        name = "borrow",
        header = "Borrow a function and give it to a driver",
        description = "%nBorrows a function and holds its slot until Ctrl-C.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot borrow n0@machine:4000 --vfio-user /tmp/n0.sock")
final class BorrowCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "borrow is not there yet.");
    }
}
