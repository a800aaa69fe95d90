package farslot.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Writes a mark into the traces of a function. */
@Command(
        name = "mark",
        header = "Write a mark into what is being recorded",
        description = {
            "%nWrites a text into every trace that is being recorded of a function at this moment, to"
                    + " find the place again. The right to operate the function is needed."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace mark n0 \"the cable is out\"")
final class TraceMarkCommand extends RecordedVerb {
    @Parameters(index = "1", paramLabel = "TEXT", description = "At most 1024 bytes are kept.")
    String text;

    @Override
    public Integer call() {
        say("Marked " + operate("mark", "text", text));
        return ExitCode.OK;
    }
}
