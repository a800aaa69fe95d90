package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two images as namespaces of one controller, with large blocks and no cache, under Linux. */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class NvmeNamespacesTest {
    private static final String WRITE_BOTH_AT_ONCE =
            """
            set -e
            for disk in 1 2; do
                dd if=/dev/urandom of=/tmp/data$disk bs=1M count=16 2>/dev/null
            done
            for disk in 1 2; do
                dd if=/tmp/data$disk of=/dev/nvme0n$disk bs=1M oflag=direct 2>/dev/null &
            done
            wait
            echo 3 > /proc/sys/vm/drop_caches
            for disk in 1 2; do
                dd if=/dev/nvme0n$disk of=/tmp/read bs=1M count=16 iflag=direct 2>/dev/null
                cmp /tmp/data$disk /tmp/read
            done
            """;

    @TempDir Path folder;

    @Test
    void shouldBeTwoDisksOfLargeBlocksWithoutACache() throws Exception {
        Path first = folder.resolve("a.img");
        Path second = folder.resolve("b.img");
        Path spoilt;
        try (Bench bench = Bench.in(folder)) {
            String specification =
                    "nvme,name=n0,image="
                            + first
                            + ",more="
                            + second
                            + ",size=64M,block_size=4096,cache=off,queues=64";
            String address = Bench.address(bench.lend(specification));
            Guest guest =
                    bench.boot(bench.machineWithTools().vfioUser(bench.borrow("n0@" + address)))
                            .guest();
            GuestDisk.bind(guest);
            for (int disk = 1; disk <= 2; disk++) {
                String queue = "cat /sys/block/nvme0n" + disk + "/queue/";
                assertEquals("4096", guest.sh(queue + "logical_block_size").strip());
                assertEquals("write through", guest.sh(queue + "write_cache").strip());
            }
            assertEquals("", guest.sh(WRITE_BOTH_AT_ONCE, GuestDisk.LONG));
            compareAndSpoil(guest);
            // Linux looks at namespaces side by side: the second disk may be the first of them.
            boolean isFirst = guest.sh("cat /sys/block/nvme0n2/nsid").strip().equals("1");
            spoilt = folder.resolve((isFirst ? "a" : "b") + ".img.uncorrectable");
        }
        assertFalse(Files.mismatch(first, second) < 0, "each has its own data");
        assertEquals("5 1\n", Files.readString(spoilt));
    }

    /** Compare, and Write Uncorrectable, by nvme-cli. */
    private static void compareAndSpoil(Guest guest) {
        String compare = "nvme compare /dev/nvme0n2 -s 0 -c 3 -z 16384 -d ";
        guest.sh(
                "dd if=/tmp/data2 of=/tmp/same bs=16384 count=1 2>/dev/null; "
                        + compare
                        + "/tmp/same");
        String differs = guest.sh(compare + "/tmp/data1 2>&1; true");
        assertTrue(differs.toLowerCase(Locale.ROOT).contains("compare"), differs);
        String spoilt = guest.sh("nvme write-uncor /dev/nvme0n2 -s 5 -c 0 2>&1");
        String read = "dd if=/dev/nvme0n2 of=/dev/null bs=4096 count=1 iflag=direct skip=";
        guest.sh(read + "4");
        String unreadable = guest.sh(read + "5 2>&1; true") + guest.sh("dmesg | tail -3");
        assertTrue(unreadable.contains("critical medium error"), spoilt + unreadable);
        String log = guest.sh("nvme error-log /dev/nvme0 -e 1");
        assertTrue(log.contains("lba"), log);
    }
}
