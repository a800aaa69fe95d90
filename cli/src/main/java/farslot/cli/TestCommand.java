package farslot.cli;

import picocli.CommandLine.Command;

/** Checks and tests a checkout. */
@Command(
        name = "test",
        header = "Run the tests of a checkout",
        description = "%nChecks and tests a checkout.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot test --fast")
final class TestCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "test is not there yet.");
    }
}
