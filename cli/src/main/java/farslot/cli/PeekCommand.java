package farslot.cli;

import picocli.CommandLine.Command;

/** Reads a register of a function without disturbing it. */
@Command(
        name = "peek",
        header = "Read a register of a lent function",
        description = "%nReads a register of a function without disturbing it.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot peek n0 BAR0 0x1c")
final class PeekCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "peek is not there yet.");
    }
}
