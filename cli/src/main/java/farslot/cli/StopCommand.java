package farslot.cli;

import picocli.CommandLine.Command;

/** Stops a running lender, slot or VM of this user on this machine. */
@Command(
        name = "stop",
        header = "Stop a lender, slot or VM of this user",
        description = "%nStops a running lender, slot or VM of this user on this machine.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot stop n0")
final class StopCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "stop is not there yet.");
    }
}
