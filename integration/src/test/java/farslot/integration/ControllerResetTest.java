package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What "nvme reset" does, while Linux writes: commands under way are done again, none is lost. */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ControllerResetTest {
    /** Writes file after file and notes their sums; meanwhile the controller is reset. */
    private static final String RESET_UNDER_LOAD =
            """
            set -e
            rm -f /tmp/done
            (
                for number in 1 2 3 4 5 6 7 8; do
                    dd if=/dev/urandom of=/tmp/piece bs=1M count=4 2>/dev/null
                    (cd /tmp; sha256sum piece | sed "s|piece|/mnt/piece$number|") >> /tmp/sums
                    dd if=/tmp/piece of=/mnt/piece$number bs=64k conv=fsync 2>/dev/null || echo lost
                done
                touch /tmp/done
            ) &
            resets=0
            while [ ! -e /tmp/done ]; do
                echo 1 > /sys/class/nvme/nvme0/reset_controller
                resets=$((resets + 1))
                sleep 0.2
            done
            wait
            sync
            echo 3 > /proc/sys/vm/drop_caches
            sha256sum -c -s /tmp/sums
            echo $resets
            """;

    @TempDir Path folder;

    @Test
    void nothingWrittenIsLost() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            String image = bench.image("disk").toString();
            String address =
                    Bench.address(bench.lend("nvme,name=n0,image=" + image + ",size=256M"));
            Vm vm = bench.boot(bench.machine().vfioUser(bench.borrow("n0@" + address)));
            GuestDisk disk = GuestDisk.bind(vm.guest());
            disk.format();
            disk.mount();
            String resets = vm.guest().sh(RESET_UNDER_LOAD, GuestDisk.LONG);
            assertTrue(Integer.parseInt(resets) > 1, "resets: " + resets);
            disk.unmount();
            disk.check();
            disk.mount();
            assertEquals("", vm.guest().run("sha256sum -c -s /tmp/sums", GuestDisk.LONG).text());
            disk.unmount();
        }
    }
}
