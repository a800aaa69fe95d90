package farslot.cli;

import farslot.link.RuntimeDirectory.Place;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Reads a register of a function without disturbing it. */
@Command(
        name = "peek",
        header = "Read a register of a lent function",
        description = {
            "%nReads a register in the function's order and through its taps, also while the"
                    + " function is borrowed.",
            "What reading changes, or may change, is read with --force only."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot peek n0 BAR0 CSTS",
            "  farslot peek n0 BAR0+0x1c 4",
            "  farslot peek n0 CFG 0x4 2"
        })
final class PeekCommand extends RegisterAccessVerb {
    @Parameters(
            index = "1..*",
            arity = "1..3",
            paramLabel = "REGION OFFSET [WIDTH]",
            description =
                    "BAR0 to BAR5, ROM or CFG; an offset or a register's name; 1, 2, 4 or 8 bytes.")
    List<String> words;

    @Option(names = "--force", description = "Read even if reading may change the device.")
    boolean force;

    @Override
    public Integer call() {
        RegisterPlace.Written written = RegisterPlace.Written.of(words);
        int left = words.size() - written.words();
        if (left > 1) {
            throw usage("\"" + words.getLast() + "\" is one word too many.");
        }
        int width = left == 0 ? 0 : (int) RegisterPlace.number(words.getLast());
        Place process = process();
        RegisterPlace place = RegisterPlace.find(description(process), written, width, maps);
        String harm = place.harm();
        if (harm != null && !force) {
            throw new CommandFailure(ExitCode.USAGE, harm + "; --force reads it all the same.");
        }
        operate(process, "peek", place, null);
        return ExitCode.OK;
    }
}
