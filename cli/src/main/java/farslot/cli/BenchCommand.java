package farslot.cli;

import picocli.CommandLine.Command;

/** Measures register accesses through each kind of link against bare sockets. */
@Command(
        name = "bench",
        header = "Measure round trips and throughput",
        description =
                "%nMeasures register accesses through each kind of link against bare sockets.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot bench --json")
final class BenchCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(ExitCode.FAILED, "bench is not there yet.");
    }
}
