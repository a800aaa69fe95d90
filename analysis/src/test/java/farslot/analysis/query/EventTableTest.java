package farslot.analysis.query;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is written is read back by other people's programs, and is what a query answers. */
@Timeout(120)
class EventTableTest {
    private static final int EVENTS = 3000;

    @TempDir Path folder;
    private Path trace;

    @BeforeEach
    void record() throws Exception {
        trace = folder.resolve("it's, \"t\".fst");
        try (RecordedTrace recorded = new RecordedTrace(trace)) {
            Random random = new Random(5);
            for (int i = 0; i < EVENTS; i++) {
                recorded.doAnything(random);
            }
            recorded.tap.trace().mark("");
        }
    }

    private interface Form {
        void write(EventTable table, OutputStream out) throws Exception;
    }

    private Path written(String name, Predicate<TraceEvent> wanted, Form form) throws Exception {
        Path file = folder.resolve(name);
        try (TraceReader reader = TraceReader.open(trace);
                OutputStream out = Files.newOutputStream(file)) {
            EventTable table = new EventTable(reader, TraceNames.of(reader.description()), wanted);
            form.write(table, out);
        }
        return file;
    }

    /** What a query answers, each row's columns as texts; bytes are hexadecimal. */
    private List<List<String>> asked(String sql) throws Exception {
        List<List<String>> rows = new ArrayList<>();
        try (TraceDatabase database = TraceDatabase.empty(QueryOptions.of(folder.resolve("k")))) {
            database.read(
                    List.of(new TraceDatabase.Trace(trace.toString(), trace, TraceNames::of)));
            try (Answer answer = database.ask(sql)) {
                for (List<Object> row = answer.next(); row != null; row = answer.next()) {
                    rows.add(row.stream().map(v -> v == null ? null : v.toString()).toList());
                }
            }
        }
        return rows;
    }

    private static List<List<String>> readBy(String sql) throws Exception {
        List<List<String>> rows = new ArrayList<>();
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            int columns = result.getMetaData().getColumnCount();
            while (result.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    row.add(result.getString(i));
                }
                rows.add(row);
            }
        }
        return rows;
    }

    private static String quoted(Path file) {
        return "'" + file.toString().replace("'", "''") + "'";
    }

    @Test
    void shouldWriteCsvThatDuckDbReadsAsTheSameTable() throws Exception {
        Path csv = written("t.csv", event -> true, EventTable::writeCsv);
        String types =
                Stream.of(EventColumn.values())
                        .map(c -> "'" + c.column() + "': '" + textual(c) + "'")
                        .collect(Collectors.joining(", "));
        String read =
                "SELECT * FROM read_csv("
                        + quoted(csv)
                        + ", header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '',"
                        + " allow_quoted_nulls = false, parallel = false, auto_detect = false,"
                        + " new_line = '\\r\\n', columns = {'trace': 'VARCHAR', "
                        + types
                        + "})";
        List<List<String>> rows = readBy(read);
        assertTrue(rows.size() > EVENTS, rows.size() + " rows");
        assertEquals(asked("SELECT * FROM events"), rows);
    }

    private static String textual(EventColumn column) {
        return column.type() == EventColumn.Type.BYTES ? "VARCHAR" : column.sqlType();
    }

    @Test
    void shouldWriteJsonLinesThatALibraryReadsAsTheSameTable() throws Exception {
        Path jsonl = written("t.jsonl", event -> true, EventTable::writeJsonLines);
        JsonMapper mapper = JsonMapper.builder().build();
        List<List<String>> rows = new ArrayList<>();
        for (String line : Files.readAllLines(jsonl)) {
            JsonNode object = mapper.readTree(line);
            List<String> row = new ArrayList<>();
            row.add(object.get("trace").asString());
            for (EventColumn column : EventColumn.values()) {
                JsonNode value = object.get(column.column());
                assertTrue(
                        value == null || value.isString() == column.type().hasBytes(),
                        column + " of " + line);
                row.add(value == null ? null : value.asString());
            }
            rows.add(row);
        }
        assertEquals(asked("SELECT * FROM events"), rows);
    }

    @Test
    void shouldWriteParquetThatDuckDbReadsAsTheSameTableWithItsTypes() throws Exception {
        Path parquet =
                written(
                        "t.parquet",
                        event -> true,
                        (table, out) -> table.writeParquet(out, folder.resolve("work")));
        String from = " FROM read_parquet(" + quoted(parquet) + ")";
        assertEquals(
                asked("SELECT * FROM events"),
                readBy("SELECT * REPLACE (lower(hex(data)) AS data)" + from));
        assertEquals(
                asked("SELECT column_name, column_type FROM (DESCRIBE events)"),
                readBy("SELECT column_name, column_type FROM (DESCRIBE SELECT *" + from + ")"));
        try (Stream<Path> left = Files.list(folder.resolve("work"))) {
            assertEquals(List.of(), left.toList(), "what was made on the way is gone");
        }
    }

    @Test
    void shouldWriteOnlyWhatIsWanted() throws Exception {
        Predicate<TraceEvent> irqs = event -> event instanceof TraceEvent.Interrupt;
        Path jsonl = written("t.jsonl", irqs, EventTable::writeJsonLines);
        Path parquet =
                written(
                        "t.parquet",
                        irqs,
                        (table, out) -> table.writeParquet(out, folder.resolve("work")));
        long there =
                Long.parseLong(
                        asked("SELECT count(*) FROM events WHERE kind = 'irq'").get(0).get(0));
        assertTrue(there > 0 && there < EVENTS / 2, there + " interrupts");
        assertEquals(there, Files.readAllLines(jsonl).size());
        assertEquals(
                List.of(List.of("irq", Long.toString(there))),
                readBy(
                        "SELECT kind, count(*) FROM read_parquet("
                                + quoted(parquet)
                                + ") GROUP BY ALL"));
    }
}
