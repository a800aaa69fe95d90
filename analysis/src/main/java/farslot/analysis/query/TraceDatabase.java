package farslot.analysis.query;

import farslot.analysis.AnalysisException;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.duckdb.DuckDBConnection;

/**
 * Traces as the tables {@code events}, {@code dma}, {@code interrupts}, {@code registers}, {@code
 * fields}, {@code regions} and {@code device} (docs/queries.md), and answers to SQL over them.
 *
 * <p>A question changes nothing and reaches no file and no network: only one SELECT (or what is one
 * by another name: FROM, WITH, DESCRIBE, SUMMARIZE, SHOW, EXPLAIN) is asked, and by then DuckDB has
 * been told to open nothing any more.
 *
 * <p>For one thread, but {@link #close}, which any thread may call at any time: it ends what is
 * being done.
 */
public final class TraceDatabase implements AutoCloseable {
    /**
     * How what is kept is written: dictionaries of what has few values, so that times and the like
     * are not tried for long; zstd would make it a quarter shorter and take a quarter longer.
     */
    public static final String KEPT_FORM =
            "(FORMAT parquet, PARQUET_VERSION v2, COMPRESSION lz4_raw, DICTIONARY_SIZE_LIMIT 1024)";

    /** What of a question does not fit into memory goes to files of this size at most. */
    private static final String MAX_SPILLED = "20GB";

    private static final long CANCEL_MILLIS = 20;
    private static final Pattern EXPLAIN =
            Pattern.compile("\\s*EXPLAIN\\s+(ANALYZE\\s+)?", Pattern.CASE_INSENSITIVE);
    private static final Pattern FIELDS = Pattern.compile("fields", Pattern.CASE_INSENSITIVE);

    /**
     * One trace to ask.
     *
     * @param name what the column {@code trace} says
     * @param names by which registers are named
     */
    public record Trace(String name, Path file, Function<TraceReader, TraceNames> names) {}

    private final QueryOptions options;
    private final SessionFolder folder;
    private final KeptParts kept;
    private final DuckDBConnection connection;
    private final List<String> remarks = new ArrayList<>();
    private final List<NamedTrace> traces = new ArrayList<>();

    /** Held by whoever uses the connection. */
    private final ReentrantLock work = new ReentrantLock();

    private volatile Statement running;
    private volatile boolean closing;
    private boolean hasFields;

    private record NamedTrace(String name, TraceNames names) {}

    private TraceDatabase(QueryOptions options, SessionFolder folder, KeptParts kept)
            throws SQLException {
        this.options = options;
        this.folder = folder;
        this.kept = kept;
        Properties properties = new Properties();
        properties.setProperty("autoinstall_known_extensions", "false");
        properties.setProperty("autoload_known_extensions", "false");
        properties.setProperty("temp_directory", folder.path().resolve("spilled").toString());
        properties.setProperty("max_temp_directory_size", MAX_SPILLED);
        properties.setProperty("memory_limit", options.memoryBytes() + "B");
        this.connection =
                DriverManager.getConnection("jdbc:duckdb:", properties)
                        .unwrap(DuckDBConnection.class);
    }

    /**
     * One without traces.
     *
     * @throws AnalysisException where DuckDB cannot be started, or the folder not be made
     */
    public static TraceDatabase empty(QueryOptions options) throws AnalysisException {
        SessionFolder folder = SessionFolder.create(options.folder());
        try {
            KeptParts kept = new KeptParts(options.folder().resolve("parts"), options.keptBytes());
            return new TraceDatabase(options, folder, kept);
        } catch (SQLException e) {
            folder.close();
            throw new AnalysisException("DuckDB cannot be started: " + sentence(e), e);
        }
    }

    /**
     * Reads traces into tables. Once, before the first question.
     *
     * @throws AnalysisException where one cannot be read, or there is no room
     */
    public void read(List<Trace> toRead) throws AnalysisException {
        work.lock();
        try {
            execute("CREATE SCHEMA stored");
            execute(RegisterTables.CREATE);
            execute(TraceTables.CREATE);
            List<String> selects = new ArrayList<>();
            List<String> allowed = new ArrayList<>();
            for (Trace trace : toRead) {
                selects.add(read(trace, allowed, toRead.size() > 1));
            }
            execute("CREATE VIEW events AS " + String.join(" UNION ALL ", selects));
            execute(TraceTables.VIEWS);
            execute(RegisterTables.FIELDS);
            execute("SET allowed_directories = ['" + quoted(folder.path()) + "/']");
            execute("SET allowed_paths = [" + String.join(", ", allowed) + "]");
            execute("SET enable_external_access = false");
            execute("SET lock_configuration = true");
        } catch (SQLException e) {
            throw new AnalysisException("The traces cannot be made tables: " + sentence(e), e);
        } finally {
            work.unlock();
        }
    }

    /** Gives back a SELECT of its events. */
    private String read(Trace trace, List<String> allowed, boolean oneOfSeveral)
            throws SQLException, AnalysisException {
        try (TraceReader reader = TraceReader.open(trace.file())) {
            TraceNames names = trace.names().apply(reader);
            TraceParts parts = new TraceParts(this::load, kept, folder.path(), options.partSlots());
            parts.read(
                    reader,
                    names,
                    "stored.events_" + traces.size(),
                    done -> options.progress().accept(trace.name(), done));
            new RegisterTables(connection).addRegisters(trace.name(), names);
            new TraceTables(connection).add(trace.name(), reader);
            for (String remark : parts.remarks()) {
                remarks.add(oneOfSeveral ? trace.name() + ": " + remark : remark);
            }
            traces.add(new NamedTrace(trace.name(), names));
            parts.files().forEach(file -> allowed.add("'" + quoted(file) + "'"));
            return "SELECT '"
                    + quoted(trace.name())
                    + "' AS trace, * FROM ("
                    + parts.select()
                    + ")";
        } catch (TraceException e) {
            throw new AnalysisException(e.getMessage(), e);
        }
    }

    /** The {@link TraceParts.Loader}. */
    private void load(String sql, ArrowStream.Source rows) throws SQLException, AnalysisException {
        try (ArrowStream stream = new ArrowStream(rows)) {
            connection.registerArrowStream("trace_events", stream);
            try {
                execute(sql);
            } catch (SQLException e) {
                if (stream.failure() != null) {
                    throw new AnalysisException(
                            String.valueOf(stream.failure().getMessage()), stream.failure());
                }
                throw e;
            }
            execute("DROP VIEW trace_events");
        }
    }

    /** What whoever reads an answer should know of the traces, in sentences. */
    public List<String> remarks() {
        return List.copyOf(remarks);
    }

    /**
     * Asks a question. {@code offset} need not be quoted, and {@code 0x1c} is a number.
     *
     * @throws QueryException where the question is wrong, or more than a question
     * @throws AnalysisException where it cannot be answered: memory, time, Ctrl-C
     */
    public Answer ask(String sql) throws QueryException, AnalysisException {
        work.lock();
        try {
            String question = checked(sql);
            Statement statement = begin();
            try {
                return new Answer(this, statement, statement.executeQuery(question));
            } catch (SQLException e) {
                statement.close();
                throw e;
            }
        } catch (SQLException e) {
            throw failure(e);
        } finally {
            work.unlock();
        }
    }

    /**
     * Writes the answer to a question as a Parquet file.
     *
     * @throws IOException where {@code out} takes no more
     */
    public void writeParquet(String sql, OutputStream out)
            throws QueryException, AnalysisException, IOException {
        work.lock();
        Path file = folder.path().resolve("answer.parquet");
        try {
            execute("COPY (" + checked(sql) + "\n) TO '" + quoted(file) + "' (FORMAT parquet)");
            Files.copy(file, out);
        } catch (SQLException e) {
            throw failure(e);
        } finally {
            Files.deleteIfExists(file);
            work.unlock();
        }
    }

    /**
     * Writes the events of one trace as a Parquet file, with no need of {@link #read}.
     *
     * @param trace what the column {@code trace} says
     */
    void writeParquet(String trace, EventSource events, OutputStream out)
            throws AnalysisException, IOException {
        work.lock();
        Path file = folder.path().resolve("events.parquet");
        try {
            load(
                    "COPY (SELECT '"
                            + quoted(trace)
                            + "' AS trace, * FROM trace_events) TO '"
                            + quoted(file)
                            + "' (FORMAT parquet, COMPRESSION zstd)",
                    events);
            Files.copy(file, out);
        } catch (SQLException e) {
            throw new AnalysisException("The table cannot be made: " + sentence(e), e);
        } finally {
            Files.deleteIfExists(file);
            work.unlock();
        }
    }

    /** The question as DuckDB takes it, found to be a single one. */
    private String checked(String sql) throws SQLException, QueryException {
        String question = SqlText.forDuckDb(sql);
        Matcher explain = EXPLAIN.matcher(question);
        String select = explain.lookingAt() ? question.substring(explain.end()) : question;
        String parse =
                """
                SELECT j ->> 'error_type', j ->> 'error_message', json_array_length(j -> 'statements')
                FROM (SELECT json_serialize_sql(?) AS j)
                """;
        try (PreparedStatement statement = connection.prepareStatement(parse)) {
            statement.setString(1, select);
            try (ResultSet parsed = statement.executeQuery()) {
                parsed.next();
                String type = parsed.getString(1);
                if (type != null && !type.equals("parser")) {
                    throw new QueryException(
                            "Only a SELECT is answered, and what is one by another name (FROM,"
                                    + " WITH, DESCRIBE, SUMMARIZE, SHOW, EXPLAIN): nothing is"
                                    + " changed here.",
                            null);
                }
                if (type == null && parsed.getLong(3) != 1) {
                    throw new QueryException("One question at a time, please.", null);
                }
            }
        }
        if (!hasFields && FIELDS.matcher(question).find()) {
            hasFields = true;
            RegisterTables registers = new RegisterTables(connection);
            for (NamedTrace trace : traces) {
                registers.addFields(trace.name(), trace.names());
            }
        }
        return question;
    }

    /** What DuckDB says of a question, as one of two exceptions; the other is thrown. */
    AnalysisException failure(SQLException e) throws QueryException {
        if (closing) {
            return new AnalysisException("The question was given up.", e);
        }
        String said = String.valueOf(e.getMessage());
        String kind =
                said.substring(0, Math.max(0, said.indexOf(" Error"))).toLowerCase(Locale.ROOT);
        return switch (kind) {
            case "interrupt" ->
                    new AnalysisException(
                            options.timeout().isZero()
                                    ? "The question was given up."
                                    : "The question was given up after "
                                            + options.timeout().toSeconds()
                                            + " s; give it more time, or ask for less.",
                            e);
            case "out of memory", "io", "internal", "fatal" ->
                    new AnalysisException("The question cannot be answered: " + sentence(e), e);
            default -> throw new QueryException(sentence(e), e);
        };
    }

    static String quoted(Object text) {
        return text.toString().replace("'", "''");
    }

    private static String sentence(SQLException e) {
        return "DuckDB says: " + String.valueOf(e.getMessage()).strip();
    }

    private Statement begin() throws SQLException {
        Statement statement = connection.createStatement();
        running = statement;
        if (closing) {
            statement.close();
            throw new SQLException("INTERRUPT Error: it is being closed");
        }
        if (!options.timeout().isZero()) {
            statement.setQueryTimeout(Math.toIntExact(Math.max(1, options.timeout().toSeconds())));
        }
        return statement;
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = begin()) {
            statement.execute(sql);
        }
    }

    /** Ends what is being done, and removes all that was made for it. */
    @Override
    public void close() {
        closing = true;
        takeOver();
        try (folder;
                connection) {
            // closing is all
        } catch (SQLException e) {
            System.getLogger("farslot.analysis")
                    .log(System.Logger.Level.DEBUG, "closing DuckDB", e);
        } finally {
            work.unlock(); // Ctrl-C closes too, beside whoever asked
        }
    }

    /** Cancels again and again: what is cancelled just before it begins goes on. */
    private void takeOver() {
        boolean interrupted = false;
        boolean taken = false;
        while (!taken) {
            try {
                taken = work.tryLock(CANCEL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            if (!taken) {
                cancel();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void cancel() {
        Statement last = running;
        try {
            if (last != null && !last.isClosed()) {
                last.cancel();
            }
        } catch (SQLException e) {
            System.getLogger("farslot.analysis")
                    .log(System.Logger.Level.DEBUG, "it ended just then", e);
        }
    }
}
