package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Resets that Linux itself does to a function, and its driver leaving and coming back. */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class FunctionResetTest {
    @TempDir Path folder;

    @Test
    void theDiskWorksAgainAfterFlrAndAfterTheDriverWasAway() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            String device = "nvme,name=n0,image=" + bench.image("disk") + ",size=256M";
            Path socket = bench.borrow("n0@" + Bench.address(bench.lend(device)));
            // Two processors: each has its queue and its vector.
            Guest guest =
                    bench.boot(bench.machine().arguments(List.of("-smp", "2")).vfioUser(socket))
                            .guest();
            GuestDisk disk = GuestDisk.bind(guest);
            disk.format();
            disk.mount();
            String written = disk.fill(16);
            String place = "/sys/bus/pci/devices/" + disk.identity().pciAddress();

            assertEquals("flr", guest.sh("head -n 1 " + place + "/reset_method").split(" ", -1)[0]);
            guest.sh("echo 1 > " + place + "/reset", GuestDisk.LONG);
            assertEquals(written, disk.checksum());
            disk.unmount();

            guest.sh("basename %s > %s/driver/unbind".formatted(place, place), GuestDisk.LONG);
            guest.sh("basename " + place + " > /sys/bus/pci/drivers/nvme/bind", GuestDisk.LONG);
            disk.awaitThere();
            disk.check();
            disk.mount();
            assertEquals(written, disk.checksum());
            disk.unmount();
            assertEquals("3", guest.sh("grep -c nvme0q /proc/interrupts"));
        }
    }
}
