package farslot.analysis.query;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.recorder.TraceNames;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Long traces, whose parts are kept as Parquet files: here parts are of one or two blocks. */
@Timeout(120)
class KeptPartsTest {
    private static final int PART_SLOTS = 2048;

    @TempDir Path folder;

    private Path trace(String name, long seed) throws Exception {
        Path file = folder.resolve(name);
        try (RecordedTrace trace = new RecordedTrace(file)) {
            record(trace, seed);
        }
        return file;
    }

    private static void record(RecordedTrace trace, long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 5000; i++) {
            trace.doAnything(random);
        }
    }

    private static Path parts(QueryOptions options) {
        return options.folder().resolve("parts");
    }

    private QueryOptions options() {
        return QueryOptions.of(folder.resolve("user")).withPartSlots(PART_SLOTS);
    }

    private static List<Path> files(QueryOptions options) throws IOException {
        try (var files = Files.list(parts(options))) {
            return files.filter(file -> file.toString().endsWith(".parquet")).sorted().toList();
        }
    }

    private static List<String> events(Path file, QueryOptions options) throws Exception {
        return events(file, options, TraceNames::of);
    }

    private static List<String> events(
            Path file, QueryOptions options, Function<TraceReader, TraceNames> names)
            throws Exception {
        List<String> rows = new ArrayList<>();
        try (TraceDatabase database = TraceDatabase.empty(options)) {
            database.read(List.of(new TraceDatabase.Trace("t", file, names)));
            try (Answer answer = database.ask("SELECT * FROM events ORDER BY number")) {
                for (List<Object> row = answer.next(); row != null; row = answer.next()) {
                    rows.add(row.toString());
                }
            }
            rows.addAll(database.remarks());
        }
        return rows;
    }

    private List<String> inMemory(Path file) throws Exception {
        return events(file, QueryOptions.of(folder.resolve("other")));
    }

    @Test
    void shouldAnswerTheSameWhenPartsAreKept() throws Exception {
        Path file = trace("t.fst", 1);
        List<String> plain = inMemory(file);
        assertTrue(plain.size() > 4000);
        assertEquals(plain, events(file, options()));
        List<Path> made = files(options());
        assertTrue(made.size() > 2, made + "");
        assertFalse(Files.exists(folder.resolve("other").resolve("parts")));
        assertEquals(plain, events(file, options()));
        assertEquals(made, files(options()), "they are used again");
        assertEquals(plain, events(Files.move(file, folder.resolve("moved.fst")), options()));
        assertEquals(made, files(options()), "a trace may be moved");
    }

    @Test
    void shouldNotTakeOneTraceForAnother() throws Exception {
        Path file = trace("t.fst", 1);
        List<String> one = events(file, options());
        Path other = trace("u.fst", 2);
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        List<String> two = events(file, options());
        assertNotEquals(one, two);
        assertEquals(inMemory(file), two);
    }

    @Test
    void shouldSayThatATraceWasDamagedSince() throws Exception {
        Path file = trace("t.fst", 1);
        events(file, options());
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(1)));
        List<String> damaged = events(file, options());
        assertTrue(
                damaged.stream().anyMatch(line -> line.contains("block is not what was written")),
                damaged.getLast());
        assertTrue(damaged.stream().anyMatch(row -> row.contains("DAMAGED")), "marked");
        assertEquals(damaged, events(file, options()), "what is kept keeps the remark");
    }

    @Test
    void shouldNameAnewWhenTheMapIsAnother() throws Exception {
        Path file = trace("t.fst", 1);
        List<String> named = events(file, options());
        List<String> unnamed = events(file, options(), reader -> TraceNames.none());
        assertTrue(named.stream().anyMatch(row -> row.contains(" CSTS,")));
        assertFalse(unnamed.stream().anyMatch(row -> row.contains(" CSTS,")));
    }

    @Test
    void shouldReadOnWhatIsWrittenMeanwhile() throws Exception {
        Path file = folder.resolve("t.fst");
        List<Path> early;
        try (RecordedTrace trace = new RecordedTrace(file)) {
            record(trace, 1);
            List<String> sofar = events(file, options());
            assertTrue(sofar.size() > 4000);
            early = files(options());
            record(trace, 2);
        }
        assertEquals(inMemory(file), events(file, options()));
        assertTrue(files(options()).containsAll(early));
    }

    @Test
    void shouldMakeAnewWhatIsNotWhole() throws Exception {
        Path file = trace("t.fst", 1);
        List<String> plain = events(file, options());
        List<Path> made = files(options());
        Files.write(made.get(0), new byte[10], StandardOpenOption.TRUNCATE_EXISTING);
        Files.delete(made.get(1));
        String text = made.get(2).toString().replace(".parquet", ".txt");
        Files.writeString(Path.of(text), "rubbish");
        assertEquals(plain, events(file, options()));
        assertEquals(made, files(options()));
    }

    @Test
    void shouldLetGoWhatWasNotUsedForLongest() throws Exception {
        Path file = trace("t.fst", 1);
        events(file, options());
        List<Path> old = files(options());
        for (Path one : old) {
            Files.setLastModifiedTime(one, FileTime.from(Instant.now().minusSeconds(86_400)));
        }
        QueryOptions little = options().withKeptBytes(1);
        events(trace("u.fst", 2), little);
        List<Path> now = files(little);
        assertTrue(old.stream().noneMatch(now::contains), "the old ones are gone");
        assertFalse(now.isEmpty(), "what may be in use stays");
    }
}
