package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The machine starts anew around a function that stays: reset, and mapped again by the BIOS. */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class RebootTest {
    @TempDir Path folder;

    @Test
    void theDiskWorksAgainAfterTheMachineReboots() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            String image = bench.image("disk").toString();
            String address =
                    Bench.address(bench.lend("nvme,name=n0,image=" + image + ",size=256M"));
            Path socket = bench.borrow("n0@" + address);
            Vm vm = bench.boot(bench.machine().restarts().vfioUser(socket));
            GuestDisk disk = GuestDisk.bind(vm.guest());
            disk.format();
            disk.mount();
            String written = disk.fill(16);
            disk.unmount();

            // At once, without asking the driver to shut the controller down.
            vm.guest().begin("reboot -f");
            vm.guest().awaitReady(Bench.BOOT);
            disk = GuestDisk.bind(vm.guest());
            disk.check();
            disk.mount();
            assertEquals(written, disk.checksum());

            // And as when somebody presses the button, in the middle of it.
            vm.qmp().execute("{\"execute\":\"system_reset\"}");
            vm.guest().awaitReady(Bench.BOOT);
            disk = GuestDisk.bind(vm.guest());
            disk.mount();
            assertEquals(written, disk.checksum());
            disk.unmount();
            assertEquals("", disk.complaints());
        }
    }
}
