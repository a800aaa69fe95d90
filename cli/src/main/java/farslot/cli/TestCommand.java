package farslot.cli;

import picocli.CommandLine.Command;

/** Checks and tests a checkout. */
@Command(
        name = "test",
        header = "Run the tests of a checkout",
        customSynopsis = "farslot test [--fast | --long] [-- MAVEN-ARGUMENT...]",
        description = {
            "",
            "Checks the format and the compiler's warnings of a checkout and runs its tests; the last"
                    + " line counts them.",
            "",
            "  (nothing)  all tests, each with few rounds; virtual machines too",
            "  --fast     without virtual machines",
            "  --long     all tests, each with all its rounds",
            "  --         what follows is Maven's: -pl core -am, -Dtest=ConfigurationSpaceTest"
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot test --fast")
final class TestCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(
                ExitCode.USAGE,
                "test is done by the launcher of a checkout; run ./farslot test there.");
    }
}
