package farslot.analysis.query;

import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.recorder.TraceNames;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** docs/queries.md says what there is. */
@Timeout(60)
class QueriesPageTest {
    private static final Path PAGE = Path.of(System.getProperty("farslot.home"), "docs/queries.md");

    @TempDir Path folder;

    @Test
    void shouldHaveTheColumnsOfEveryTable() throws Exception {
        Path file = folder.resolve("t.fst");
        new RecordedTrace(file).close();
        List<String> written = new ArrayList<>();
        String table = "";
        for (String line : Files.readAllLines(PAGE)) {
            String[] cells = line.split("\\|", -1);
            if (line.startsWith("### ")) {
                table = line.substring(4);
            } else if (cells.length == 5 && cells[2].strip().matches("[A-Z]+")) {
                written.add(table + " " + cells[1].strip() + " " + cells[2].strip());
            }
        }
        List<String> there = new ArrayList<>();
        try (TraceDatabase database = TraceDatabase.empty(QueryOptions.of(folder.resolve("k")))) {
            database.read(List.of(new TraceDatabase.Trace("t", file, TraceNames::of)));
            List<String> tables =
                    List.of(
                            "events",
                            "dma",
                            "interrupts",
                            "fields",
                            "registers",
                            "regions",
                            "device");
            for (String name : tables) {
                try (Answer answer = database.ask("DESCRIBE " + name)) {
                    for (List<Object> row = answer.next(); row != null; row = answer.next()) {
                        there.add(name + " " + row.get(0) + " " + row.get(1));
                    }
                }
            }
            try (Answer answer = database.ask("SELECT count(*) FROM (SHOW TABLES)")) {
                assertEquals(List.of((long) tables.size()), answer.next());
            }
        }
        assertEquals(String.join("\n", there), String.join("\n", written));
    }

    @Test
    void shouldHaveTheNamedQuestions() throws Exception {
        String page = Files.readString(PAGE);
        List<String> missing = new ArrayList<>();
        for (NamedQuery query : NamedQuery.values()) {
            String row = "| " + query.title() + " | " + query.purpose() + " |";
            if (!page.contains(row)) {
                missing.add(row);
            }
        }
        assertEquals(List.of(), missing);
    }
}
