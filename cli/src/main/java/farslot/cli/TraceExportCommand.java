package farslot.cli;

import farslot.analysis.AnalysisException;
import farslot.analysis.export.ExportedTrace;
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
import java.nio.file.Path;
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
            "Writes a trace, or what --where says of it, in the format of other programs;"
                    + " docs/exports.md says what each holds. csv, jsonl and parquet are the table"
                    + " \"events\" of docs/queries.md.",
            ""
        },
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace export demo.fst --to mmiotrace -o demo.mmiotrace",
            "  farslot trace export demo.fst --to parquet -o writes.parquet --where write"
        })
final class TraceExportCommand extends Verb {
    @Mixin TraceSource source;
    @Mixin WhereOption where;

    @Option(
            names = "--to",
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
        if (where.explained(out())) {
            return ExitCode.OK;
        }
        if (format == null) {
            throw usage("Which format? --to takes " + String.join(", ", Formats.names()) + ".");
        }
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
            ExportedTrace trace = exported(reader, source.names(reader));
            if (output == null || output.toString().equals("-")) {
                toStandardOutput(export, trace);
            } else {
                OutputFile.<AnalysisException, RuntimeException>write(
                        output, out -> export.write(trace, out));
            }
            reader.remarks().forEach(this::say);
            return ExitCode.OK;
        } catch (TraceException e) {
            throw TraceSource.unreadable(e);
        } catch (AnalysisException e) {
            throw new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
        }
    }

    private ExportedTrace exported(TraceReader reader, TraceNames names) {
        Path folder = UserFolders.cache().resolve("queries");
        if (where.condition(names) == null) {
            return ExportedTrace.whole(reader, names, folder);
        }
        return new ExportedTrace(reader, names, () -> where.condition(names)::test, folder);
    }

    /** Bytes, which the verbs' writer of text does not take; a reader that leaves ends it. */
    private void toStandardOutput(TraceExport export, ExportedTrace trace)
            throws TraceException, AnalysisException {
        out().flush();
        try {
            OutputStream out =
                    new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);
            export.write(trace, out);
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
}
