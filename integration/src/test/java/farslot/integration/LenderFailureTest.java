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

    /** Killed while Linux writes: what was on the disk before is there when the disk is back. */
    @Test
    void whatWasFlushedSurvivesWhenItHappensUnderLoad() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            String device = "nvme,name=n0,image=" + bench.image("disk") + ",size=256M";
            Bench.Running lender = bench.lend(device);
            String address = Bench.address(lender);
            Vm vm = bench.boot(bench.machine().vfioUser(bench.borrow("n0@" + address)));
            Guest guest = vm.guest();
            GuestDisk disk = GuestDisk.bind(guest);
            disk.format();
            disk.mount();
            String written = disk.fill(8);
            String place = "/sys/bus/pci/devices/" + disk.identity().pciAddress();
            guest.sh(
                    """
                    (while dd if=/dev/zero of=/mnt/load bs=64k count=512 conv=fsync; do
                        echo again
                    done) > /tmp/load 2>&1 &
                    until grep -q again /tmp/load; do sleep 0.1; done
                    """,
                    GuestDisk.LONG);

            lender.kill();
            int port = Integer.parseInt(address.substring(address.indexOf(':') + 1));
            Bench.address(bench.lendAt(device, port));
            guest.sh(
                    """
                    umount -l /mnt
                    echo 1 > %s/remove
                    while grep -q nvme0n1 /proc/partitions; do sleep 0.1; done
                    echo 1 > /sys/bus/pci/rescan
                    """
                            .formatted(place),
                    GuestDisk.LONG);
            disk.awaitThere();
            disk.mount();
            assertEquals(written, disk.checksum());
            disk.unmount();
            disk.check();
        }
    }
}
