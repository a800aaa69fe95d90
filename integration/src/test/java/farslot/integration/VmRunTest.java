package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A machine by the command line, with functions of two lenders, one near and one by TCP. */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class VmRunTest {
    @TempDir Path folder;

    @Test
    void runsWithItsConsoleOnTheTerminalUntilItIsStopped() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            Bench.lab();
            String disk = "nvme,name=n0,image=" + bench.image("disk") + ",size=64M";
            String address = Bench.address(bench.lend(disk));
            Bench.address(bench.lend("edu,name=e0"));
            Bench.Running vm =
                    bench.farslot(
                            "vm",
                            "run",
                            "--name",
                            "v1",
                            "--borrow",
                            "n0@" + address,
                            "--borrow",
                            "e0",
                            "--insecure");
            vm.console().await("This is a Farslot lab machine", Bench.BOOT);
            vm.console().type("lspci -n | grep 1234; modprobe nvme; echo $((6 * 7))\n");
            vm.console().await("1234:11e8", Bench.START);
            vm.console().await("42", Bench.START);

            assertTrue(bench.said("vm", "list").contains("v1"));
            String ps = bench.said("ps");
            assertTrue(ps.contains("v1-n0") && ps.contains("v1-e0"), ps);
            bench.said("vm", "stop", "v1");
            assertTrue(vm.process().await(Bench.START), vm.console()::text);
            assertEquals(0, vm.process().process().exitValue(), vm.console()::text);
            assertFalse(bench.said("vm", "list").contains("v1"));
            assertFalse(bench.said("ps").contains("v1-"));
        }
    }
}
