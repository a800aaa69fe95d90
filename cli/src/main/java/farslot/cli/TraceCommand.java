package farslot.cli;

import picocli.CommandLine.Command;

/** Shows and counts the events of a trace file. */
@Command(
        name = "trace",
        header = "Read what a recorder wrote",
        description = "%nShows and counts the events of a trace file.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace show demo.fst")
final class TraceCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "trace is not there yet.");
    }
}
