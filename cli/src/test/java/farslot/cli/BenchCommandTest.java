package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(120)
class BenchCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int farslot(String... arguments) {
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(arguments);
    }

    @Test
    void shouldPrintRowsAsJsonAndTalkElsewhere() {
        assertEquals(ExitCode.OK, farslot("bench", "recorder", "--short", "--json"), err::toString);
        JsonNode rows = JsonMapper.shared().readTree(out.toString());
        assertEquals(
                List.of("recorder.access", "recorder.sustained", "recorder.off", "trace.follow"),
                rows.valueStream().map(row -> row.get("name").asString()).toList());
        assertEquals(
                List.of("name", "value", "unit", "baseline", "ratio", "target", "met"),
                List.copyOf(rows.get(0).propertyNames()));
        assertTrue(rows.get(0).get("value").isNumber());
        assertTrue(err.toString().contains("recorder.access"), err.toString());
    }

    @Test
    void shouldPrintATableForPeople() {
        assertEquals(ExitCode.OK, farslot("bench", "recorder", "--short"), err::toString);
        List<String> lines = out.toString().lines().toList();
        assertEquals(5, lines.size());
        assertTrue(lines.get(0).startsWith("WHAT"), lines.get(0));
        assertTrue(lines.get(1).startsWith("recorder.access"), lines.get(1));
        assertTrue(lines.get(4).startsWith("trace.follow"), lines.get(4));
    }

    @Test
    void shouldRefuseWhatCannotBeMeasured() {
        assertEquals(ExitCode.USAGE, farslot("bench", "disk"));
        assertEquals(
                "farslot: There is nothing called \"disk\" to measure: slot, link, recorder, query and vm"
                        + " can be. \"farslot bench --help\" says more.",
                err.toString().strip());
        assertEquals(ExitCode.USAGE, farslot("bench", "slot", "link"));
        assertEquals(ExitCode.USAGE, farslot("bench", "--rounds", "5"));
        assertEquals("", out.toString());
    }
}
