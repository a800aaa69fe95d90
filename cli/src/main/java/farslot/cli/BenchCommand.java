package farslot.cli;

import farslot.bench.Bench;
import farslot.bench.Group;
import farslot.bench.Rounds;
import farslot.bench.Row;
import farslot.lab.LabException;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs and prints {@link Bench}. */
@Command(
        name = "bench",
        header = "Measure what Farslot costs, beside bare C",
        description = {
            "",
            "Measures register accesses, posted writes, DMA and the recorder in turns with C programs"
                    + " that do the same on a bare socket or in bare memory; gcc compiles them first."
                    + " Each end of a socket is a process of its own. Each row is the median of nine"
                    + " rounds, its ratio too. Let nothing else run meanwhile; where something does,"
                    + " look at the ratios only.",
            "",
            "vm measures in a virtual machine, beside QEMU's own devices; \"farslot lab prepare\" first.",
            "docs/performance.md explains the rows."
        },
        parameterListHeading = "%nParameters:%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot bench link --json")
final class BenchCommand extends Verb {
    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "GROUP",
            description =
                    "slot, link, recorder, query or vm; all of them if there is none. Takes some minutes.")
    String group;

    @Option(
            names = "--short",
            description = "A hundredth of the work: shows that it works, measures nothing.")
    boolean hundredth;

    @Mixin JsonOption output;

    @Override
    public Integer call() {
        Set<Group> groups = groups();
        Logging.warningsOnly();
        List<Row> rows;
        try {
            rows = Bench.run(groups, hundredth ? Rounds.SHORT : Rounds.FULL, this::say);
        } catch (IOException | LabException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "The measurement broke off: " + e.getMessage(), e);
        }
        if (output.json) {
            Json.print(out(), rows);
        } else {
            print(rows);
        }
        return ExitCode.OK;
    }

    private Set<Group> groups() {
        if (group == null) {
            return EnumSet.allOf(Group.class);
        }
        for (Group one : Group.values()) {
            if (one.name().toLowerCase(Locale.ROOT).equals(group)) {
                return EnumSet.of(one);
            }
        }
        throw usage(
                "There is nothing called \""
                        + group
                        + "\" to measure: slot, link, recorder, query and vm can be.");
    }

    private void print(List<Row> rows) {
        Table table = new Table("WHAT", "VALUE", "BASELINE", "UNIT", "RATIO", "TARGET", "MET");
        for (Row row : rows) {
            table.row(
                    row.name(),
                    number(row.value()),
                    row.baseline() == null ? "-" : number(row.baseline()),
                    row.unit(),
                    row.ratio() == null ? "-" : number(row.ratio()),
                    row.target() == null ? "-" : row.target(),
                    row.met() == null ? "-" : row.met() ? "met" : "not met");
        }
        table.print(out());
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 1000 ? "%.2f" : "%.0f", value);
    }
}
