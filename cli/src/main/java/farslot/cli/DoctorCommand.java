package farslot.cli;

import picocli.CommandLine.Command;

/** Tries what Farslot needs on this machine, and says what to do about what is lacking. */
@Command(
        name = "doctor",
        header = "Say what this machine has and lacks",
        description =
                "%nTries what Farslot needs on this machine, and says what to do about what is lacking.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot doctor")
final class DoctorCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "doctor is not there yet.");
    }
}
