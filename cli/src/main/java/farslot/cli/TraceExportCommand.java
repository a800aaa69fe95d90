package farslot.cli;

import farslot.analysis.AnalysisException;
import farslot.analysis.export.TraceExport;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import farslot.registers.Nearest;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Iterator;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a trace in the format of other programs. */
@Command(
        name = "export",
        header = "Write a trace in the format of other programs",
        description = {
            "",
            "Writes a whole trace in the format of other programs: ${COMPLETION-CANDIDATES}."
                    + " docs/exports.md says what each holds.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExample:%n",
        footer = "  farslot trace export demo.fst --to mmiotrace -o demo.mmiotrace")
final class TraceExportCommand extends Verb {
    @Mixin TraceSource source;

    @Option(
            names = "--to",
            required = true,
            paramLabel = "FORMAT",
            completionCandidates = Formats.class,
            description = "The format: ${COMPLETION-CANDIDATES}.")
    String format;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            description =
                    "The file to write; - is standard output, where texts go by default. A file"
                            + " that exists is replaced once all is written.")
    Path output;

    /** The names of all formats. */
    static final class Formats implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return names().iterator();
        }

        static List<String> names() {
            return TraceExport.all().stream().map(TraceExport::name).toList();
        }
    }

    @Override
    public Integer call() {
        TraceExport export =
                TraceExport.named(format)
                        .orElseThrow(() ->
                                usage(
                                        "There is no format \""
                                                + format
                                                + "\""
                                                + Nearest.questionOrAll(format, Formats.names())));
        if (output == null && !export.isText()) {
            throw usage(format + " is no text: name the file with -o, or say -o - for a pipe.");
        }
        try (TraceReader reader = source.open()) {
            TraceNames names = source.names(reader);
            if (output == null || output.toString().equals("-")) {
                toStandardOutput(export, reader, names);
            } else {
                toFile(export, reader, names);
            }
            reader.remarks().forEach(this::say);
            return ExitCode.OK;
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        } catch (AnalysisException e) {
            throw new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
        }
    }

    /** Bytes, which the verbs' writer of text does not take; a reader that leaves ends it. */
    private void toStandardOutput(TraceExport export, TraceReader reader, TraceNames names)
            throws TraceException, AnalysisException {
        out().flush();
        try {
            OutputStream out =
                    new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);
            export.write(reader, names, out);
            out.flush();
        } catch (TraceException e) {
            throw e;
        } catch (IOException e) {
            if (!"Broken pipe".equals(e.getMessage())) {
                throw new CommandFailure(
                        ExitCode.FAILED,
                        "Standard output takes no more: " + e.getMessage() + ".",
                        e);
            }
        }
    }

    private void toFile(TraceExport export, TraceReader reader, TraceNames names)
            throws TraceException, AnalysisException {
        try {
            if (Files.exists(output) && !Files.isRegularFile(output)) {
                write(export, reader, names, output); // a pipe, a device
                return;
            }
            Path folder = output.toAbsolutePath().getParent();
            Path unfinished = Files.createTempFile(folder, ".farslot-", ".unfinished");
            try {
                write(export, reader, names, unfinished);
                Files.move(unfinished, output, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(unfinished);
            }
        } catch (TraceException e) {
            throw e;
        } catch (IOException e) {
            String why =
                    e instanceof NoSuchFileException ? "its folder does not exist" : e.getMessage();
            throw new CommandFailure(
                    ExitCode.FAILED, output + " cannot be written: " + why + ".", e);
        }
    }

    private void write(TraceExport export, TraceReader reader, TraceNames names, Path file)
            throws IOException, AnalysisException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16)) {
            export.write(reader, names, out);
        }
    }
}
