package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.LinkOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Lenders hand over one to the next, as users let them, under a Linux guest whose fio checks each
 * block that it reads back: no error in the guest, and no byte is wrong.
 */
@Tag("qemu")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class GuestHandoverTest {
    private static final String ROUNDS = System.getProperty("farslot.rounds", "short");
    private static final int HANDOVERS = ROUNDS.equals("few") ? 2 : ROUNDS.equals("full") ? 20 : 4;

    /** Goes on until it is told to end. */
    private static final String VERIFY =
            """
            { (while [ ! -e /tmp/enough ]; do
                fio --name=io --filename=/dev/nvme0n1 --ioengine=libaio --direct=1 --iodepth=16 \
                    --rw=randrw --rwmixread=40 --bssplit=4k/60:12k/20:64k/20 --size=32M \
                    --verify=crc32c --verify_fatal=1 --verify_backlog=64 --randrepeat=0 \
                    --time_based=1 --runtime=5 || exit 1
                echo round
            done; echo ended well) > /tmp/io 2>&1; echo over >> /tmp/io; } &
            """;

    /** Sectors that were read and written so far, and the wait for more: the disk is at work. */
    private static final String SECTORS = "awk '{print $3 + $7}' /sys/block/nvme0n1/stat";

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotBeSeenByLinuxAtWork(boolean byTcp) throws Exception {
        try (Bench bench = Bench.in(folder)) {
            String device = "nvme,name=n0,image=" + bench.image("disk") + ",size=64M";
            Bench.Running lender = bench.lend(device);
            String address = Bench.address(lender);
            int port = Integer.parseInt(address.substring(address.indexOf(':') + 1));
            // A busy machine takes its time to start a lender.
            Path socket =
                    bench.borrow(
                            byTcp ? "n0@" + address : "n0",
                            List.of("--name", "s0", "--hold", "60", "--emulator-waits"));
            Vm vm = bench.boot(bench.machineWithTools().waitingForSlots().vfioUser(socket));
            Guest guest = vm.guest();
            GuestDisk.bind(guest);
            guest.sh("dmesg -c > /dev/null");
            guest.sh(VERIFY);
            for (int i = 0; i < HANDOVERS; i++) {
                String before = guest.sh(SECTORS, GuestDisk.LONG);
                guest.sh(
                        "until [ $(" + SECTORS + ") -gt " + before + " ]; do :; done",
                        GuestDisk.LONG);
                bench.said("stop", "n0", "--handover");
                Bench.address(bench.lendAt(device, port));
                awaitResumes(bench, i + 1);
            }
            guest.sh(
                    "touch /tmp/enough; until grep -q over /tmp/io; do sleep 0.1; done",
                    GuestDisk.LONG);
            String said = guest.sh("cat /tmp/io");
            assertTrue(said.contains("round\nended well"), said);
            assertEquals("", guest.sh("dmesg | grep -i 'nvme\\|error\\|timeout'; true"));
            Map<String, String> slot = status(bench);
            assertEquals("1", slot.get("attachments"), slot.toString());
            assertEquals("0", slot.get("unanswered"), slot.toString());
            assertEquals("0", slot.get("dropped"), slot.toString());
        }
    }

    private static void awaitResumes(Bench bench, int count) throws Exception {
        long deadline = System.nanoTime() + Bench.START.toNanos();
        while (Integer.parseInt(status(bench).get("resumes")) < count) {
            assertTrue(System.nanoTime() < deadline, () -> "The slot does not come back.");
        }
    }

    private static Map<String, String> status(Bench bench) throws Exception {
        Path socket = bench.runtime().resolve("farslot/s0.slot.sock");
        try (ControlLink link =
                ControlLink.connect(new Address.Unix(socket), LinkOptions.named("test"))) {
            return link.operate("status", Map.of()).getFirst();
        }
    }
}
