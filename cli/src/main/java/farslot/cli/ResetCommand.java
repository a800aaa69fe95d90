package farslot.cli;

import picocli.CommandLine.Command;

/** Resets a function; its driver will notice. */
@Command(
        name = "reset",
        header = "Reset a lent function",
        description = "%nResets a function; its driver will notice.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot reset n0")
final class ResetCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "reset is not there yet.");
    }
}
