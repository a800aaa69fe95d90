package farslot.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class DiskBenchTest {
    @Test
    void shouldReadTheSameDataOnEveryPath() throws Exception {
        List<Throughput> all = DiskBench.run(1, 4, line -> {});
        assertEquals(4, all.size());
        for (Throughput one : all) {
            assertTrue(one.megabytesPerSecond() > 0 && one.ratio() > 0, one.toString());
        }
    }
}
