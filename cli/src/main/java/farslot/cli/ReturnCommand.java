package farslot.cli;

import picocli.CommandLine.Command;

/** Ends the lease of a slot on this machine. */
@Command(
        name = "return",
        header = "Give a borrowed function back",
        description = "%nEnds the lease of a slot on this machine.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot return n0")
final class ReturnCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "return is not there yet.");
    }
}
