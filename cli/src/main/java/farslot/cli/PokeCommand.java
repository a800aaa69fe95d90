package farslot.cli;

import picocli.CommandLine.Command;

/** Writes a register of a function. */
@Command(
        name = "poke",
        header = "Write a register of a lent function",
        description = "%nWrites a register of a function.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot poke n0 BAR0 0x14 0")
final class PokeCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "poke is not there yet.");
    }
}
