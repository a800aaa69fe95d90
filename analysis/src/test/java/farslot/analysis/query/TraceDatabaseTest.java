package farslot.analysis.query;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.analysis.AnalysisException;
import farslot.core.CompletionStatus;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.recorder.TraceNames;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(120)
class TraceDatabaseTest {
    @TempDir Path folder;

    private Path trace(String name) throws Exception {
        Path file = folder.resolve(name);
        try (RecordedTrace trace = new RecordedTrace(file)) {
            trace.read(0, 0, 4, 0x0f0107ff).read(0, 4, 4, 0x20);
            trace.write(0, 0x14, 4, 0x00460001);
            for (int i = 0; i < 5; i++) {
                trace.read(0, 0x1c, 4, 0);
            }
            trace.read(0, 0x1c, 4, 1);
            trace.write(0, 0x3f00, 4, 7);
            trace.status = CompletionStatus.UNSUPPORTED_REQUEST;
            trace.read(Region.CONFIGURATION, 0x10, 4, 0);
            trace.status = CompletionStatus.SUCCESS;
            trace.host.read(1, 0x1000, MemorySegment.ofArray(new byte[64]));
            trace.host.interrupt(1, InterruptKind.MSIX, 2);
        }
        return file;
    }

    private TraceDatabase open(Path... files) throws Exception {
        List<TraceDatabase.Trace> traces = new ArrayList<>();
        for (Path file : files) {
            traces.add(
                    new TraceDatabase.Trace(file.getFileName().toString(), file, TraceNames::of));
        }
        return opened(traces, QueryOptions.of(folder.resolve("kept")));
    }

    private static TraceDatabase opened(List<TraceDatabase.Trace> traces, QueryOptions options)
            throws Exception {
        TraceDatabase database = TraceDatabase.empty(options);
        try {
            database.read(traces);
            return database;
        } catch (AnalysisException e) {
            database.close();
            throw e;
        }
    }

    private static List<List<Object>> rows(TraceDatabase database, String sql) throws Exception {
        List<List<Object>> rows = new ArrayList<>();
        try (Answer answer = database.ask(sql)) {
            for (List<Object> row = answer.next(); row != null; row = answer.next()) {
                rows.add(row);
            }
        }
        return rows;
    }

    @Test
    void shouldNameRegistersAndFieldsWhenTheMapHasThem() throws Exception {
        try (TraceDatabase database = open(trace("a.fst"))) {
            assertEquals(
                    List.of(List.of("CC", 0x00460001L, true)),
                    rows(
                            database,
                            "SELECT register, value, known FROM events WHERE kind = 'write' AND"
                                    + " offset < 0x1000"));
            assertEquals(
                    List.of(List.of("EN", 1L), List.of("IOCQES", 4L), List.of("IOSQES", 6L)),
                    rows(
                            database,
                            "SELECT field, value FROM fields WHERE register = 'CC' AND value <> 0"
                                    + " ORDER BY field"));
            assertEquals(
                    List.of(List.of("0x1c")),
                    rows(database, "SELECT as_hex(offset) FROM registers WHERE register = 'CSTS'"));
        }
    }

    @Test
    void shouldAskSeveralTracesAtOnceWhenTheColumnTraceTellsThemApart() throws Exception {
        try (TraceDatabase database = open(trace("a.fst"), trace("b'.fst"))) {
            assertEquals(
                    List.of(List.of("a.fst", 14L), List.of("b'.fst", 14L)),
                    rows(database, "SELECT trace, count(*) FROM events GROUP BY 1 ORDER BY 1"));
            assertEquals(
                    List.of(List.of("a.fst", "nvme"), List.of("b'.fst", "nvme")),
                    rows(database, "SELECT trace, kind FROM device ORDER BY 1"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldAnswerEachNamedQuestion(NamedQuery named) throws Exception {
        try (TraceDatabase database = open(trace("a.fst"))) {
            List<List<Object>> rows = rows(database, named.sql());
            assertFalse(rows.isEmpty(), "nothing");
            switch (named) {
                case POLLING_LOOPS ->
                        assertEquals(
                                List.of("BAR0", "CSTS", 6L, "0x0", "0x1"),
                                List.of(
                                        rows.get(0).get(3),
                                        rows.get(0).get(4),
                                        rows.get(0).get(5),
                                        rows.get(0).get(7),
                                        rows.get(0).get(8)));
                case FIRST_WRITES -> assertEquals("CC", rows.get(0).get(4));
                case ERRORS -> assertEquals("UNSUPPORTED_REQUEST", rows.get(0).get(1));
                case UNKNOWN_OFFSETS -> assertEquals("0x3f00", rows.get(0).get(2));
                case BUSIEST_REGISTERS -> assertEquals("CSTS", rows.get(0).get(2));
                case INTERRUPTS_PER_SECOND ->
                        assertEquals(List.of("a.fst", 0L, "MSIX", 2L, 1L), rows.get(0));
                case DMA_BY_SIZE -> assertEquals(64L, rows.get(0).get(2));
                default -> assertTrue(rows.size() > 1);
            }
        }
    }

    @Test
    void shouldRefuseWhatIsNoQuestion() throws Exception {
        List<String> refused =
                List.of(
                        "CREATE TABLE t AS SELECT 1",
                        "INSERT INTO registers SELECT * FROM registers",
                        "DROP VIEW events",
                        "COPY events TO 'stolen.csv'",
                        "SET threads = 1",
                        "ATTACH 'other.db'",
                        "INSTALL httpfs",
                        "EXPLAIN ANALYZE COPY events TO 'stolen.csv'",
                        "SELECT 1; SELECT 2",
                        "SELECT 1; COPY events TO 'stolen.csv'",
                        "SELECT * FROM read_csv('/etc/passwd')",
                        "SELECT * FROM '/etc/passwd'",
                        "SELECT * FROM glob('/etc/*')",
                        "SELECT * FROM read_text('/etc/passwd')",
                        "SELECT * FROM read_parquet('https://localhost/x')",
                        "SELEC 1",
                        "SELECT nothing FROM events",
                        "SELECT * FROM nowhere",
                        "SELECT 'x'::INTEGER",
                        "");
        try (TraceDatabase database = open(trace("a.fst"))) {
            for (String sql : refused) {
                String said =
                        assertThrows(QueryException.class, () -> rows(database, sql), sql)
                                .getMessage();
                assertFalse(said.isBlank(), sql);
                assertEquals(List.of(List.of(14L)), rows(database, "SELECT count(*) FROM events"));
            }
        }
        assertFalse(Files.exists(Path.of("stolen.csv")));
    }

    @Test
    void shouldSayWhatDuckDbSaysWhenAColumnIsNotThere() throws Exception {
        try (TraceDatabase database = open(trace("a.fst"))) {
            String said =
                    assertThrows(
                                    QueryException.class,
                                    () -> rows(database, "SELECT registr FROM events"))
                            .getMessage();
            assertTrue(said.contains("registr") && said.contains("\"register\""), said);
        }
    }

    @Test
    void shouldGiveUpWhenMemoryDoesNotSuffice() throws Exception {
        List<TraceDatabase.Trace> traces =
                List.of(new TraceDatabase.Trace("a", trace("a.fst"), TraceNames::of));
        QueryOptions options = QueryOptions.of(folder.resolve("kept")).withMemoryBytes(64 << 20);
        try (TraceDatabase database = opened(traces, options)) {
            assertThrows(
                    AnalysisException.class,
                    () -> rows(database, "SELECT list(a.range) FROM range(100000000) a"));
        }
    }

    @Test
    void shouldEndAQuestionWhenAnotherThreadClosesIt() throws Exception {
        TraceDatabase database = open(trace("a.fst"));
        Thread ctrlC = new Thread(database::close);
        AnalysisException ended =
                assertThrows(
                        AnalysisException.class,
                        () -> {
                            ctrlC.start();
                            rows(database, "SELECT count(*) FROM range(10000000000000) a");
                        });
        assertTrue(ended.getMessage().contains("given up"), ended.getMessage());
        database.close();
        ctrlC.join();
        try (var left = Files.list(folder.resolve("kept"))) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void shouldNotKeepAnotherThreadFromClosingWhenItIsClosed() throws Exception {
        TraceDatabase database = open(trace("a.fst"));
        database.close();
        Thread ctrlC = new Thread(database::close);
        ctrlC.start();
        ctrlC.join();
        assertTrue(!ctrlC.isAlive());
    }

    @Test
    void shouldSayWhyWhenATraceIsNone() throws Exception {
        Path file = Files.writeString(folder.resolve("x.fst"), "no trace");
        AnalysisException refused = assertThrows(AnalysisException.class, () -> open(file));
        assertTrue(refused.getMessage().contains("x.fst"), refused.getMessage());
    }
}
