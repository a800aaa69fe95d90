package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.recorder.TraceOptions;
import farslot.recorder.TraceWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Timeout(120)
class TraceQueryCommandTest {
    @TempDir Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    @RegisterExtension final OwnFolder own = new OwnFolder();

    private int query(Object... args) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        String[] words = new String[args.length + 2];
        words[0] = "trace";
        words[1] = "query";
        Arrays.setAll(words, i -> i < 2 ? words[i] : args[i - 2].toString());
        return line.execute(words);
    }

    private Path trace(String name) throws IOException {
        Path file = folder.resolve(name);
        try (TraceWriter writer =
                TraceWriter.create(file, TraceCommandTest.DESCRIPTION, TraceOptions.DEFAULT)) {
            writer.mark("one");
            writer.mark("a \"quoted\", \u001b[2J mark");
        }
        return file;
    }

    @Test
    void shouldPrintATableThatCommandsNoTerminal() throws IOException {
        assertEquals(
                ExitCode.OK,
                query(trace("t.fst"), "SELECT kind, detail, offset FROM events ORDER BY number"));
        assertEquals(
                """
                KIND  DETAIL                      OFFSET
                mark  one                         -
                mark  a "quoted", \\u001b[2J mark  -
                """,
                out.toString());
    }

    @Test
    void shouldPrintJsonAndCsv() throws IOException {
        Path file = trace("t.fst");
        String sql = "SELECT number AS n, detail, 1.5::DOUBLE AS n FROM events ORDER BY 1";
        assertEquals(ExitCode.OK, query(file, sql, "--json"));
        assertEquals(
                """
                [
                {"n":0,"detail":"one","n_2":1.5},
                {"n":1,"detail":"a \\"quoted\\", \\u001B[2J mark","n_2":1.5}
                ]
                """,
                out.toString());
        out.getBuffer().setLength(0);
        assertEquals(ExitCode.OK, query(file, sql, "--format", "csv"));
        assertEquals(
                "n,detail,n\r\n0,one,1.5\r\n1,\"a \"\"quoted\"\", \u001b[2J mark\",1.5\r\n",
                out.toString());
        out.getBuffer().setLength(0);
        assertEquals(ExitCode.OK, query(file, "SELECT 1 WHERE false", "--json"));
        assertEquals("[]\n", out.toString());
    }

    @Test
    void shouldWriteFilesWhenAskedTo() throws IOException {
        Path csv = folder.resolve("out.csv");
        Path parquet = folder.resolve("out.parquet");
        Path file = trace("t.fst");
        String sql = "SELECT count(*) AS c FROM events -- all";
        assertEquals(ExitCode.OK, query(file, sql, "--format", "csv", "-o", csv));
        assertEquals("c\r\n2\r\n", Files.readString(csv));
        assertEquals(ExitCode.OK, query(file, sql, "--format", "parquet", "-o", parquet));
        byte[] written = Files.readAllBytes(parquet);
        byte[] magic = "PAR1".getBytes(StandardCharsets.US_ASCII);
        assertArrayEquals(magic, Arrays.copyOf(written, 4));
        assertEquals(ExitCode.USAGE, query(file, "SELECT x", "--format", "parquet", "-o", parquet));
        assertArrayEquals(
                written, Files.readAllBytes(parquet), "a failed question changes nothing");
        assertEquals("", out.toString());
    }

    @Test
    void shouldAskSeveralTraces() throws IOException {
        assertEquals(
                ExitCode.OK,
                query(
                        trace("a.fst"),
                        trace("b.fst"),
                        "SELECT count(DISTINCT trace) AS t, count(*) AS e FROM events"));
        assertEquals("T  E\n2  4\n", out.toString());
    }

    @Test
    void shouldListNamedQuestionsAndAskThem() throws IOException {
        assertEquals(ExitCode.OK, query("--named", "list"));
        assertTrue(out.toString().contains("polling-loops"), out.toString());
        assertEquals(ExitCode.OK, query(trace("t.fst"), "--named", "errors"));
        assertEquals(ExitCode.USAGE, query(folder.resolve("t.fst"), "--named", "eror"));
        assertTrue(err.toString().contains("did you mean \"errors\"?"), err.toString());
    }

    @Test
    void shouldSayWhatIsWrongWithAQuestion() throws IOException {
        Path file = trace("t.fst");
        assertEquals(ExitCode.USAGE, query(file, "SELECT nmber FROM events"));
        assertTrue(err.toString().contains("DuckDB says: Binder Error"), err.toString());
        assertTrue(err.toString().contains("docs/queries.md"), err.toString());
        assertEquals(ExitCode.USAGE, query(file));
        assertTrue(err.toString().contains("What is the question?"), err.toString());
        assertEquals(ExitCode.USAGE, query("SELECT 1"));
        assertTrue(err.toString().contains("Which trace?"), err.toString());
        assertEquals(ExitCode.NOT_FOUND, query(folder.resolve("no.fst"), "SELECT 1"));
        assertEquals(ExitCode.USAGE, query(file, "SELECT 1", "--format", "parquet"));
        assertEquals(ExitCode.USAGE, query(file, "DROP VIEW events"));
        assertEquals(ExitCode.USAGE, query(file, "SELECT 1", "--format", "xml"));
        assertEquals("", out.toString());
    }

    @Test
    void shouldLeaveNothingBehind() throws IOException {
        assertEquals(ExitCode.OK, query(trace("t.fst"), "SELECT 1"));
        try (var left = Files.list(own.path().resolve("queries"))) {
            assertEquals(List.of(), left.toList());
        }
        assertFalse(Files.exists(own.path().resolve("spilled")));
    }
}
