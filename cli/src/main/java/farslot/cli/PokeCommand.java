package farslot.cli;

import farslot.link.RuntimeDirectory.Place;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Writes a register of a function. */
@Command(
        name = "poke",
        header = "Write a register of a lent function",
        description = {
            "%nWrites a register in the function's order and through its taps, also while the"
                    + " function is borrowed: its driver does not know."
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {"  farslot poke n0 BAR0 CC 0", "  farslot poke n0 BAR0+0x14 0x460001 4"})
final class PokeCommand extends RegisterAccessVerb {
    @Parameters(
            index = "1..*",
            arity = "2..4",
            paramLabel = "REGION OFFSET VALUE [WIDTH]",
            description =
                    "BAR0 to BAR5, ROM or CFG; an offset or a register's name; the value; 1, 2, 4"
                            + " or 8 bytes.")
    List<String> words;

    @Override
    public Integer call() {
        RegisterPlace.Written written = RegisterPlace.Written.of(words);
        List<String> rest = words.subList(written.words(), words.size());
        if (rest.isEmpty() || rest.size() > 2) {
            throw usage("After the register a value is to follow, and perhaps a width.");
        }
        int width = rest.size() == 1 ? 0 : (int) RegisterPlace.number(rest.getLast());
        long value = RegisterPlace.number(rest.getFirst());
        Place process = process();
        RegisterPlace place = RegisterPlace.find(description(process), written, width, maps);
        operate(process, "poke", place, "0x" + Long.toHexString(value));
        return ExitCode.OK;
    }
}
