package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The lender is killed under a machine that runs, and comes back. */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class LenderFailureTest {
    @TempDir Path folder;

    @Test
    void theMachineLivesAndTheDiskComesBack() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            String device = "nvme,name=n0,image=" + bench.image("disk") + ",size=256M";
            Bench.Running lender = bench.lend(device);
            String address = Bench.address(lender);
            Path socket = bench.borrow("n0@" + address);
            // So that registers can be read by hand although the driver claims them.
            Vm vm = bench.boot(bench.machine().kernelWords("iomem=relaxed").vfioUser(socket));
            Guest guest = vm.guest();
            GuestDisk disk = GuestDisk.bind(guest);
            disk.format();
            disk.mount();
            String written = disk.fill(16);
            disk.unmount();
            String place = disk.identity().pciAddress();
            String bar =
                    guest.sh("cut -d ' ' -f 1 /sys/bus/pci/devices/%s/resource".formatted(place))
                            .lines()
                            .findFirst()
                            .orElseThrow();

            lender.kill();
            assertEquals("0xFFFFFFFF", guest.sh("devmem " + bar, GuestDisk.LONG));
            assertEquals("ffffffff", guest.sh("setpci -s " + place + " 0.l"));
            assertEquals("alive", guest.sh("echo alive"));

            int port = Integer.parseInt(address.substring(address.indexOf(':') + 1));
            Bench.address(bench.lendAt(device, port));
            guest.sh(
                    "until [ $(setpci -s %s 0.w) != ffff ]; do sleep 0.1; done".formatted(place),
                    GuestDisk.LONG);
            guest.sh(
                    "echo 1 > /sys/bus/pci/devices/%s/remove; echo 1 > /sys/bus/pci/rescan"
                            .formatted(place),
                    GuestDisk.LONG);
            disk.awaitThere();
            disk.check();
            disk.mount();
            assertEquals(written, disk.checksum());
            assertEquals(64, disk.fill(4).length());
            disk.unmount();
        }
    }
}
