package farslot.cli;

import farslot.analysis.AnalysisException;
import farslot.analysis.export.MmiotraceImport;
import farslot.analysis.export.MmiotraceImport.Imported;
import farslot.recorder.TraceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a trace of what another program recorded. */
@Command(
        name = "import",
        header = "Make a trace of what Linux's mmiotrace recorded",
        description = {
            "",
            "Makes a trace of the text of Linux's mmiotrace, and again of what \"farslot trace"
                    + " export --to mmiotrace\" wrote. All verbs that read traces work on it.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace import nvidia.mmiotrace --device 01:00.0 -o nvidia.fst")
final class TraceImportCommand extends Verb {
    @Parameters(
            index = "0",
            paramLabel = "FILE.mmiotrace",
            description = "The text, not compressed; its first line is VERSION 20070824.")
    Path file;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT.fst",
            required = true,
            description = "The trace to make.")
    Path output;

    @Option(
            names = "--device",
            paramLabel = "BUS:DEV.FN",
            description = "Whose accesses, where the text has those of several functions.")
    String device;

    @Override
    public Integer call() {
        if (Files.isDirectory(file)) {
            throw usage(file + " is a folder; name a file in it.");
        }
        if (!Files.isRegularFile(file)) {
            throw new CommandFailure(ExitCode.NOT_FOUND, "There is no file " + file + ".");
        }
        try {
            Imported imported = MmiotraceImport.run(file, device, output);
            imported.remarks().forEach(this::say);
            say(
                    String.format(
                            "%s has %,d events of %s %04x:%04x.",
                            output,
                            imported.events(),
                            imported.function().kind(),
                            imported.function().identity().vendor(),
                            imported.function().identity().device()));
            return ExitCode.OK;
        } catch (AnalysisException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        } catch (TraceException e) {
            throw new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, file + " cannot be read: " + e.getMessage() + ".", e);
        }
    }
}
