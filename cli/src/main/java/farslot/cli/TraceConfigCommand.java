package farslot.cli;

import farslot.analysis.ConfigurationReport;
import farslot.core.FunctionDescription;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import farslot.registers.PciNames;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints configuration space as it was. */
@Command(
        name = "config",
        header = "Show configuration space as it was at an event",
        description = {
            "",
            "Shows the function's configuration space as it was after an event, capability by"
                    + " capability: where its regions stood, and each register by name, as far as the"
                    + " trace shows it. A digit of which a bit is not known is a '?'.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace config demo.fst --at 1200")
final class TraceConfigCommand extends Verb {
    @Mixin TraceSource source;
    @Mixin JsonOption output;

    @Option(
            names = "--at",
            paramLabel = "SEQ",
            description =
                    "After this event, by its number, as \"show --numbers\" has it; the last one"
                            + " by default.")
    long at = Long.MAX_VALUE;

    @Override
    public Integer call() {
        if (at < 0) {
            throw usage("--at cannot be negative.");
        }
        try (TraceReader reader = source.open()) {
            ConfigurationReport report = ConfigurationReport.of(reader, source.names(reader), at);
            if (output.json) {
                Json.print(out(), report);
            } else {
                FunctionDescription.Identity id = reader.description().identity();
                PciNames names = PciNames.ofSystem();
                out().println(names.describe(id.vendor(), id.device(), id.classCode()));
                report.lines().forEach(out()::println);
                report.remarks().forEach(this::say);
            }
            return ExitCode.OK;
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        }
    }
}
