package farslot.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(600)
class BenchTest {
    private static final Set<Group> HERE = EnumSet.of(Group.SLOT, Group.LINK, Group.RECORDER);

    private static final List<String> LINK_ROWS =
            List.of(
                    "link.read4.tcp",
                    "link.read4.unix",
                    "link.write4.posted",
                    "link.dma.read.64k",
                    "link.dma.read.1m",
                    "link.dma.write.64k",
                    "link.dma.write.1m",
                    "link.dma.read.4k.depth1",
                    "unix.dma.4k",
                    "link.read4.tls",
                    "link.dma.read.64k.tls",
                    "link.dma.write.64k.tls");

    /** Its baseline is in Java, and needs no compiler. */
    private static final String OFF = "recorder.off";

    private static final List<String> RECORDER_ROWS =
            List.of("recorder.access", "recorder.sustained", OFF, "trace.follow");

    /** The rows that tell whether they met their target where there is no compiler. */
    private static final Set<String> WITHOUT_BASELINE =
            Set.of("link.write4.posted", "recorder.sustained", OFF);

    private static List<Row> run(boolean withBaselines, List<String> said) throws Exception {
        return run(HERE, withBaselines, said);
    }

    private static List<Row> run(Set<Group> groups, boolean withBaselines, List<String> said)
            throws Exception {
        Rounds rounds =
                switch (System.getProperty("farslot.rounds", "short")) {
                    case "few" -> new Rounds(0, 1, 0.005);
                    case "full" -> withBaselines ? Rounds.FULL : Rounds.SHORT;
                    default -> Rounds.SHORT;
                };
        try (Workbench bench = Workbench.open(said::add, withBaselines)) {
            assumeTrue(bench.hasBaselines() == withBaselines, "gcc");
            return Bench.run(groups, rounds, bench);
        }
    }

    private static List<String> names(List<Row> rows) {
        return rows.stream().map(Row::name).toList();
    }

    @Test
    void shouldMeasureEveryRowBesideItsBaseline() throws Exception {
        List<Row> rows = run(true, new ArrayList<>());
        List<String> names = new ArrayList<>(List.of("slot.read4", "slot.write4.posted"));
        names.addAll(LINK_ROWS);
        names.addAll(RECORDER_ROWS);
        assertEquals(names, names(rows));
        for (Row row : rows) {
            assertTrue(row.value() > 0, row.toString());
            assertTrue(row.baseline() > 0 && row.ratio() > 0, row.toString());
            assertNotNull(row.target(), row.toString());
            assertNotNull(row.met(), row.toString());
        }
    }

    @Test
    void shouldMeasureQueriesBesideDuckDbAlone() throws Exception {
        List<Row> rows = run(EnumSet.of(Group.QUERY), false, new ArrayList<>());
        assertEquals(
                List.of("trace.query.ready", "trace.query.processor", "trace.query.group"),
                names(rows));
        for (Row row : rows) {
            assertTrue(row.value() > 0 && row.baseline() > 0, row.toString());
            assertEquals(
                    row.unit().equals("ms") || row.name().endsWith("ready"), row.met() != null);
        }
    }

    @Test
    void shouldMeasureWithoutRatiosWhenThereIsNoCompiler() throws Exception {
        List<String> said = new ArrayList<>();
        List<Row> rows = run(false, said);
        List<String> names = new ArrayList<>(LINK_ROWS);
        names.addAll(RECORDER_ROWS);
        assertEquals(names, names(rows));
        for (Row row : rows) {
            assertTrue(row.value() > 0, row.toString());
            assertEquals(row.name().equals(OFF), row.ratio() != null, row.toString());
            assertEquals(WITHOUT_BASELINE.contains(row.name()), row.met() != null);
        }
        assertTrue(said.stream().anyMatch(line -> line.contains("no gcc")), said + "");
        assertTrue(said.stream().anyMatch(line -> line.startsWith("slot: skipped")), said + "");
    }
}
