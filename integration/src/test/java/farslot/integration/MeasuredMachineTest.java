package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import farslot.bench.Group;
import farslot.bench.Rounds;
import farslot.bench.Row;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("qemu")
@Timeout(600)
class MeasuredMachineTest {
    @Test
    void shouldMeasureOurDevicesBesideThoseOfTheEmulator() throws Exception {
        Bench.lab();
        boolean full = "full".equals(System.getProperty("farslot.rounds"));
        List<String> said = new ArrayList<>();
        List<Row> rows =
                farslot.bench.Bench.run(
                        EnumSet.of(Group.VM), full ? Rounds.FULL : Rounds.SHORT, said::add);
        assumeTrue(said.stream().noneMatch(line -> line.contains("no gcc")), "gcc");
        assertEquals(
                List.of(
                        "vm.mmio.read",
                        "vm.nvme.read.4k",
                        "vm.nvme.write.4k",
                        "vm.nvme.read.1m",
                        "vm.nvme.write.1m",
                        "vm.recorded.read.4k",
                        "vm.recorded.write.4k",
                        "vm.recorded.read.1m",
                        "vm.recorded.write.1m"),
                rows.stream().map(Row::name).toList());
        for (Row row : rows) {
            assertTrue(row.value() > 0 && row.baseline() > 0 && row.ratio() > 0, row.toString());
        }
    }
}
