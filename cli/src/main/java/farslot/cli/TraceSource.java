package farslot.cli;

import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.registers.RegisterMap;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** What the verbs that read one trace take: the file, and names from elsewhere. */
final class TraceSource {
    @Parameters(index = "0", arity = "0..1", paramLabel = "FILE.fst", description = "The trace.")
    Path file;

    @Mixin MapOption maps;

    /** The file, which is there. */
    Path existing() {
        if (file == null) {
            throw new CommandFailure(ExitCode.USAGE, "Which trace? Name a file, as in n0.fst.");
        }
        return existing(file);
    }

    private static Path existing(Path file) {
        if (!Files.exists(file)) {
            throw new CommandFailure(ExitCode.NOT_FOUND, "There is no trace " + file + ".");
        }
        return file;
    }

    TraceReader open() {
        return open(existing());
    }

    static TraceReader open(Path file) {
        try {
            return TraceReader.open(existing(file));
        } catch (TraceException e) {
            throw new CommandFailure(ExitCode.USAGE, e.getMessage(), e);
        }
    }

    TraceNames names(TraceReader reader) {
        return names(reader, maps);
    }

    static TraceNames names(TraceReader reader, MapOption maps) {
        RegisterMap map = maps.over(TraceNames.mapOf(reader));
        return TraceNames.of(reader.description(), map).named(reader.origin().function());
    }

    static CommandFailure unreadable(TraceException e) {
        return new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
    }
}
