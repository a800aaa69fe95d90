package farslot.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Changes how address ranges of a function are recorded while they are. */
@Command(
        name = "mode",
        header = "Record an address range in another way from now on",
        description = {
            "%nHas address ranges recorded in another way from now on, in every trace that is being"
                    + " recorded of a function at this moment; the traces say so. Of two ranges for"
                    + " one address the later counts. The right to operate the function is needed."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace mode n0 BAR0:0x1000-0x1fff=off",
            "  farslot trace mode n0@machine BAR0:0x14=flush CFG=count"
        })
final class TraceModeCommand extends RecordedVerb {
    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "RANGE=MODE",
            description =
                    "A region, REGION:OFFSET or REGION:FIRST-LAST, and off, count, record, flush or"
                            + " flush-remote.")
    List<String> modes;

    @Override
    public Integer call() {
        say("Changed in " + operate("mode", "mode", String.join(" ", modes)));
        return ExitCode.OK;
    }
}
