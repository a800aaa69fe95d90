package farslot.cli;

import picocli.CommandLine.Command;

/** Formats the Java source of a checkout. */
@Command(
        name = "format",
        header = "Format the source of a checkout",
        description = "%nFormats the Java source of a checkout.",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot format")
final class FormatCommand extends Verb {
    @Override
    public Integer call() {
        throw new CommandFailure(
                ExitCode.USAGE,
                "format is done by the launcher of a checkout; run ./farslot format there.");
    }
}
