package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

    /** Linux tells of its panic by pvpanic; each life of the machine has fresh functions. */
    @Test
    void startsAGuestThatPanicsAgainWithFreshFunctions() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            Bench.lab();
            Bench.Running lender = bench.lend("edu,name=e0");
            String address = Bench.address(lender);
            Bench.Running vm =
                    run(bench, "--borrow", "e0@" + address, "--watch-crash", "--restarts", "1");
            for (int life = 1; life <= 2; life++) {
                lender.console().await("e0 is borrowed by", Bench.START);
                vm.console().await("This is a Farslot lab machine", Bench.BOOT);
                vm.console().type("lspci -n | grep 1234; echo c > /proc/sysrq-trigger\n");
                vm.console().await("1234:11e8", Bench.START);
                vm.console().await("v1 has crashed: it panicked.", Bench.BOOT);
                lender.console().await("e0 is returned by", Bench.START);
                lender.console().await("e0 is reset and free", Bench.START);
            }
            vm.console().await("v1 is not started again: --restarts 1.", Bench.START);
            assertTrue(vm.process().await(Bench.START), vm.console()::text);
            assertEquals(1, vm.process().process().exitValue(), vm.console()::text);
        }
    }

    /** For systems without pvpanic: a line on the console; and a stop ends what crashes. */
    @Test
    void startsAGuestAgainWhoseConsoleTellsOfACrash() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            Bench.lab();
            Bench.Running vm = run(bench, "--crash-pattern", "^fatal: [0-9]+$");
            vm.console().await("This is a Farslot lab machine", Bench.BOOT);
            vm.console().type("echo fatal: $((6 * 7))\n");
            vm.console().await("v1 has crashed: its console says: fatal: 42.", Bench.START);
            vm.console().await("v1 is started again (number 1) in 1 s", Bench.START);
            vm.console().await("This is a Farslot lab machine", Bench.BOOT);
            bench.said("vm", "stop", "v1");
            assertTrue(vm.process().await(Bench.START), vm.console()::text);
            assertEquals(0, vm.process().process().exitValue(), vm.console()::text);
        }
    }

    private static Bench.Running run(Bench bench, String... more) {
        List<String> words = new ArrayList<>(List.of("vm", "run", "--name", "v1", "--insecure"));
        words.addAll(List.of(more));
        return bench.farslot(words.toArray(String[]::new));
    }
}
