package farslot.cli;

import farslot.analysis.AnalysisException;
import farslot.analysis.SeenRegisters;
import farslot.analysis.TraceClone;
import farslot.recorder.TraceException;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes the beginnings of a device of what a trace showed. */
@Command(
        name = "clone",
        header = "Begin an emulated device from what a trace shows",
        description = {
            "",
            "Writes a device project of what a trace shows of a function: identity, capabilities,"
                    + " BARs, interrupts, and a register map of everything that its driver used,"
                    + " with widths, directions and values. It builds, can be lent, and a driver"
                    + " finds it; its behaviour is yours to write. README.md in it says what to do"
                    + " next, and what the trace does not show.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace clone unknown.fst -o devices/mine --name mine")
final class TraceCloneCommand extends Verb {
    @Mixin TraceSource source;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            required = true,
            description = "The folder to make, in Farslot's checkout.")
    Path folder;

    @Option(
            names = "--name",
            paramLabel = "KIND",
            description = "What the kind of device is called; made of its ids by default.")
    String name;

    @Override
    public Integer call() {
        try (TraceReader reader = source.open()) {
            SeenRegisters seen = SeenRegisters.of(reader);
            TraceClone clone =
                    TraceClone.of(
                            name,
                            source.file.getFileName().toString(),
                            reader.description(),
                            reader.configuration(),
                            seen,
                            source.names(reader));
            clone.write(folder, Path.of(System.getProperty("farslot.home", ""))).forEach(this::say);
            reader.remarks().forEach(this::say);
            say(
                    "The kind \""
                            + clone.name()
                            + "\" is in "
                            + folder
                            + "; its README.md says how to build it.");
            return ExitCode.OK;
        } catch (AnalysisException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "The project cannot be written: " + e + ".", e);
        }
    }
}
