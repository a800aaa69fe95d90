package farslot.cli;

import farslot.analysis.diff.DiffReport;
import farslot.analysis.diff.TraceDiff;
import farslot.recorder.TraceException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Compares two traces. */
@Command(
        name = "diff",
        header = "Compare two traces by what they mean",
        description = {
            "",
            "Says what two traces do differently: without times, with polling loops folded to their"
                    + " last value, addresses as region and offset, memory named by order of"
                    + " appearance. Commands that a decoder knows are compared queue by queue;"
                    + " those that both traces have, in another order or through another queue, are"
                    + " counted as moved and are no difference. Marks that both traces have are taken"
                    + " as the same point.",
            "",
            "Ends with 0 where they are the same, 1 where they differ, 2 where they cannot be"
                    + " compared.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace diff before.fst after.fst")
final class TraceDiffCommand extends Verb {
    @Parameters(index = "0", paramLabel = "A.fst", description = "The first trace.")
    Path fileA;

    @Parameters(index = "1", paramLabel = "B.fst", description = "The second.")
    Path fileB;

    @Mixin MapOption maps;

    @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "40",
            description =
                    "Show so many lines of differences, 0 for all. Default: ${DEFAULT-VALUE}.")
    int limit;

    @Mixin JsonOption output;

    @Override
    public Integer call() {
        if (limit < 0) {
            throw usage("--limit cannot be negative.");
        }
        try {
            source(fileA).open().close();
            source(fileB).open().close();
            DiffReport report =
                    TraceDiff.of(fileA, fileB, reader -> source(reader.file()).names(reader));
            print(report);
            return report.same() ? ExitCode.OK : ExitCode.FAILED;
        } catch (TraceException e) {
            throw trouble(e.getMessage(), e);
        } catch (CommandFailure e) {
            throw trouble(e.getMessage(), e);
        }
    }

    /** 1 says that they differ, here and in every diff. */
    private static CommandFailure trouble(String sentence, Exception e) {
        return new CommandFailure(ExitCode.USAGE, sentence, e);
    }

    private TraceSource source(Path file) {
        TraceSource source = new TraceSource();
        source.file = file;
        source.maps = maps;
        return source;
    }

    private void print(DiffReport report) {
        if (output.json) {
            Json.print(out(), report);
            return;
        }
        report.lines(limit).forEach(out()::println);
        out().flush();
        report.a().remarks().forEach(remark -> say("A: " + remark));
        report.b().remarks().forEach(remark -> say("B: " + remark));
    }
}
