package farslot.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class AccessBenchTest {
    @Test
    void shouldMeasureEveryPathBesideItsBareSocket() throws Exception {
        List<String> said = new ArrayList<>();
        List<Measured> all = AccessBench.run(1, 20, said::add);
        Set<String> paths = all.stream().map(Measured::path).collect(Collectors.toSet());
        assertEquals(all.size(), paths.size(), "each path once");
        assertTrue(paths.containsAll(List.of("UNIX link", "TCP link", "vfio-user")), paths + "");
        for (Measured one : all) {
            assertTrue(one.readMedianNanos() > 0 && one.writeNanos() > 0, one.toString());
            assertEquals(one.baseline() != null, one.readRatio() > 0, one.toString());
            assertTrue(one.baseline() == null || paths.contains(one.baseline()), one.toString());
        }
        assertEquals(List.of("warming up", "round 1 of 1"), said);
    }
}
