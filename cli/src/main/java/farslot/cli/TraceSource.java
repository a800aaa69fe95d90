package farslot.cli;

import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.registers.RegisterMapException;
import farslot.registers.RegisterMapLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What the verbs that read a trace take: the file, and names from elsewhere. */
final class TraceSource {
    @Parameters(index = "0", arity = "0..1", paramLabel = "FILE.fst", description = "The trace.")
    Path file;

    @Option(
            names = "--map",
            paramLabel = "FILE.xml",
            description =
                    "Name registers by this rules-ng-ng file, whose domains are called BAR0 to"
                            + " BAR5, ROM and CFG, instead of by the device's own map.")
    Path map;

    TraceReader open() {
        if (file == null) {
            throw new CommandFailure(ExitCode.USAGE, "Which trace? Name a file, as in n0.fst.");
        }
        if (!Files.exists(file)) {
            throw new CommandFailure(ExitCode.NOT_FOUND, "There is no trace " + file + ".");
        }
        try {
            return TraceReader.open(file);
        } catch (TraceException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
    }

    TraceNames names(TraceReader reader) {
        if (map == null) {
            return TraceNames.of(reader);
        }
        try {
            return TraceNames.of(reader.description(), RegisterMapLoader.lenient().load(map))
                    .named(reader.origin().function());
        } catch (RegisterMapException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
    }

    static CommandFailure unreadable(TraceException e) {
        return new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
    }
}
