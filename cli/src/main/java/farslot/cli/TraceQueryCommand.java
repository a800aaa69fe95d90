package farslot.cli;

import farslot.analysis.AnalysisException;
import farslot.analysis.query.Answer;
import farslot.analysis.query.NamedQuery;
import farslot.analysis.query.QueryException;
import farslot.analysis.query.QueryOptions;
import farslot.analysis.query.TraceDatabase;
import farslot.recorder.TraceException;
import farslot.registers.Nearest;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Asks traces by SQL. */
@Command(
        name = "query",
        header = "Ask one or many traces by SQL",
        customSynopsis = {
            "farslot trace query FILE.fst... SQL [OPTION]...",
            "farslot trace query FILE.fst... --named NAME [OPTION]..."
        },
        description = {
            "",
            "Answers a SELECT of DuckDB's SQL over the tables events, dma, interrupts, registers,"
                    + " fields, regions and device; each has a column \"trace\" with the file's"
                    + " name. docs/queries.md says what they hold, and \"DESCRIBE events\" lists"
                    + " columns. 0x1c is a number, as_hex(offset) a text.",
            "",
            "Nothing is changed, and the SQL reaches no file and no network.",
            ""
        },
        parameterListHeading = "%nArguments:%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  farslot trace query demo.fst --named polling-loops",
            "  farslot trace query demo.fst 'SELECT region, offset, count(*) FROM events GROUP BY"
                    + " ALL'",
            "  farslot trace query a.fst b.fst --format csv -o slow.csv --named slowest-reads"
        })
final class TraceQueryCommand extends Verb {
    /** As {@code --format} takes them, in lower case. */
    enum Format {
        TABLE,
        JSON,
        CSV,
        PARQUET
    }

    private static final String LIST = "list";

    @Parameters(
            arity = "0..*",
            paramLabel = "FILE.fst",
            description = "The traces, and behind them the question.")
    List<String> arguments = List.of();

    @Option(
            names = "--named",
            paramLabel = "NAME",
            description = "Ask a question that is there already; \"list\" lists them.")
    String named;

    @Mixin MapOption maps;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "table",
            description =
                    "table, json (an array of objects), csv or parquet. Default: ${DEFAULT-VALUE}.")
    Format format;

    @Option(names = "--json", description = "Short for --format json.")
    boolean json;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            description =
                    "The file to write instead of standard output. One that exists is replaced once"
                            + " all is written.")
    Path output;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Give the question up after this time.")
    int timeoutSeconds;

    @Override
    public Integer call() {
        if (LIST.equals(named)) {
            return list();
        }
        String sql = question();
        List<Path> files = files();
        Format wanted = json ? Format.JSON : format;
        if (wanted == Format.PARQUET && output == null) {
            throw usage("Parquet is no text: name the file with -o.");
        }
        if (timeoutSeconds < 0) {
            throw usage("--timeout cannot be negative.");
        }
        QueryOptions options =
                QueryOptions.of(UserFolders.cache().resolve("queries"))
                        .withTimeout(Duration.ofSeconds(timeoutSeconds))
                        .withProgress(new ReadingProgress(this::say));
        try (Foreground foreground = new Foreground(this::say);
                TraceDatabase database = foreground.own(TraceDatabase.empty(options))) {
            database.read(traces(files));
            answer(database, sql, wanted);
            database.remarks().forEach(this::say);
            return ExitCode.OK;
        } catch (QueryException e) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    e.getMessage() + "\ndocs/queries.md has the tables; DESCRIBE events lists one.",
                    e);
        } catch (AnalysisException | TraceException e) {
            throw new CommandFailure(ExitCode.FAILED, e.getMessage(), e);
        }
    }

    private int list() {
        if (json) {
            Json.print(out(), List.of(NamedQuery.values()).stream().map(Named::of).toList());
            return ExitCode.OK;
        }
        Table table = new Table("NAME", "WHAT IT TELLS");
        for (NamedQuery query : NamedQuery.values()) {
            table.row(query.title(), query.purpose());
        }
        table.print(out());
        return ExitCode.OK;
    }

    /** A row of {@code --named list --json}. */
    record Named(String name, String purpose, String sql) {
        static Named of(NamedQuery query) {
            return new Named(query.title(), query.purpose(), query.sql());
        }
    }

    private String question() {
        if (named != null) {
            return NamedQuery.named(named)
                    .orElseThrow(() ->
                            usage(
                                    "There is no question \""
                                            + named
                                            + "\""
                                            + Nearest.questionOrAll(named, NamedQuery.titles())))
                    .sql();
        }
        if (arguments.isEmpty() || arguments.getLast().endsWith(".fst")) {
            throw usage(
                    "What is the question? SQL comes behind the traces, or --named says which one;"
                            + " \"--named list\" lists them.");
        }
        return arguments.getLast();
    }

    private List<Path> files() {
        List<String> names = named == null ? arguments.subList(0, arguments.size() - 1) : arguments;
        if (names.isEmpty()) {
            throw usage("Which trace? Name a file, as in n0.fst, before the question.");
        }
        List<Path> files = names.stream().distinct().map(Path::of).toList();
        files.forEach(file -> TraceSource.open(file).close()); // says what is no trace
        return files;
    }

    private List<TraceDatabase.Trace> traces(List<Path> files) {
        return files.stream()
                .map(file ->
                        new TraceDatabase.Trace(
                                file.toString(), file, reader -> TraceSource.names(reader, maps)))
                .toList();
    }

    private void answer(TraceDatabase database, String sql, Format wanted)
            throws QueryException, AnalysisException, TraceException {
        if (output == null) {
            print(database, sql, wanted, out());
            return;
        }
        OutputFile.<QueryException, AnalysisException>write(
                output,
                out -> {
                    if (wanted == Format.PARQUET) {
                        database.writeParquet(sql, out);
                        return;
                    }
                    PrintWriter text =
                            new PrintWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
                    print(database, sql, wanted, text);
                    if (text.checkError()) {
                        throw new IOException("it takes no more");
                    }
                });
    }

    private static void print(TraceDatabase database, String sql, Format wanted, PrintWriter to)
            throws QueryException, AnalysisException {
        try (Answer answer = database.ask(sql)) {
            AnswerPrinter printer = new AnswerPrinter(answer, to);
            switch (wanted) {
                case TABLE -> printer.table();
                case JSON -> printer.json();
                case CSV -> printer.csv();
                case PARQUET -> throw new IllegalStateException("no text");
            }
        }
    }
}
