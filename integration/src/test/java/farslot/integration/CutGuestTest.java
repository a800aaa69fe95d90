package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * Linux in QEMU works on a disk that is lent by TCP, and the connection breaks. Where it is there
 * again within the hold, Linux notices nothing. Where it is away for longer, Linux sees an error
 * and, once it has removed the disk and looked for it again, every byte that it had written.
 */
@Tag("qemu")
@Timeout(value = 3, unit = TimeUnit.HOURS)
class CutGuestTest {
    private static final String ROUNDS = System.getProperty("farslot.rounds", "short");

    /** Longer than a slot holds an access. */
    private static final Duration AWAY = Duration.ofSeconds(10);

    /**
     * Seconds. Linux's own 60 s for each command that begins a disk anew would make a reset of the
     * driver, and the removal that waits for it, take minutes where they go unanswered.
     */
    private static final String TIMEOUTS = "nvme_core.io_timeout=5 nvme_core.admin_timeout=5";

    /** For a few seconds, several jobs, each in 32 MiB of its own, until there is /tmp/stop. */
    private static final String WORK =
            """
            cat > /tmp/jobs <<END
            [global]
            filename=/dev/nvme0n1
            ioengine=libaio
            direct=1
            size=32M
            verify=crc32c
            verify_fatal=1
            verify_backlog=64
            time_based=1
            runtime=5
            randrepeat=0
            group_reporting=1
            [small]
            rw=randrw
            rwmixread=30
            bs=4k
            iodepth=32
            offset=0
            [large]
            rw=randrw
            rwmixread=30
            bs=64k
            iodepth=8
            offset=64M
            END
            (until [ -e /tmp/stop ]; do
                fio --output-format=normal /tmp/jobs || echo fio FAILED with $?
            done > /tmp/work 2>&1; echo all ended >> /tmp/work) &
            """;

    private static final String LOOK =
            "for i in $(seq 20); do grep -q FAILED /tmp/work && exit 1; sleep 0.1; done";

    private static final String STOP =
            "touch /tmp/stop; until grep -q 'all ended' /tmp/work; do sleep 0.1; done; cat /tmp/work";

    private static final Pattern UNANSWERED = Pattern.compile("\"unanswered\"\\s*:\\s*\"(\\d+)");
    private static final Pattern RESUMES = Pattern.compile("\"resumes\"\\s*:\\s*\"(\\d+)");

    @TempDir Path folder;

    private static int rounds(int few, int some, int full) {
        return ROUNDS.equals("few") ? few : ROUNDS.equals("full") ? full : some;
    }

    /** The port of a lender of n0. */
    private static int lender(Bench bench, Path image) {
        String device = "nvme,name=n0,image=" + image + ",size=256M";
        String address = Bench.address(bench.lend(device));
        return Integer.parseInt(address.substring(address.indexOf(':') + 1));
    }

    private static long slots(Bench bench, Pattern what) {
        Matcher matcher = what.matcher(bench.said("ps", "--json"));
        assertTrue(matcher.find());
        return Long.parseLong(matcher.group(1));
    }

    @Test
    void shouldShowLinuxNoErrorWhenTheConnectionIsSoonThereAgain() throws Exception {
        int cuts = rounds(4, 10, 200);
        long seed = CuttingProxy.seed();
        try (Bench bench = Bench.in(folder);
                CuttingProxy proxy =
                        CuttingProxy.cutting(lender(bench, bench.image("disk")), cuts, seed)) {
            Path slot = bench.borrow("n0@127.0.0.1:" + proxy.port());
            Vm vm = bench.boot(bench.machineWithTools().vfioUser(slot));
            Guest guest = vm.guest();
            GuestDisk disk = GuestDisk.bind(guest);
            guest.sh(WORK);
            proxy.begin();
            while (proxy.left() > 0) {
                assertEquals(0, guest.run(LOOK, GuestDisk.LONG).status(), proxy::report);
            }
            String said = guest.sh(STOP, GuestDisk.LONG);
            System.out.println(proxy.report());
            assertFalse(said.contains("FAILED"), said);
            assertEquals("", disk.complaints());
            assertEquals(cuts, proxy.done());
            assertEquals(0, slots(bench, UNANSWERED));
            assertTrue(slots(bench, RESUMES) > 0);
        }
    }

    @Test
    void shouldGiveLinuxTheDiskBackWhenTheConnectionWasAwayForLong() throws Exception {
        int machines = rounds(1, 1, 4);
        int cutsEach = rounds(1, 1, 25);
        try (ExecutorService pool = Executors.newFixedThreadPool(machines)) {
            List<Future<?>> all = new ArrayList<>();
            for (int machine = 1; machine <= machines; machine++) {
                Path of = Files.createDirectory(folder.resolve("machine" + machine));
                all.add(pool.submit(() -> awayForLong(of, cutsEach)));
            }
            assertAll(all.stream().map(one -> (Executable) one::get));
        }
    }

    /** A machine's disk is away so often. */
    private static Void awayForLong(Path folder, int cuts) throws IOException {
        try (Bench bench = Bench.in(folder);
                CuttingProxy proxy =
                        CuttingProxy.cutting(lender(bench, bench.image("disk")), Map.of(), 0)) {
            Path slot = bench.borrow("n0@127.0.0.1:" + proxy.port());
            Vm vm =
                    bench.boot(
                            bench.machine()
                                    .kernelWords("iomem=relaxed " + TIMEOUTS)
                                    .vfioUser(slot));
            GuestDisk disk = GuestDisk.bind(vm.guest());
            String place = disk.identity().pciAddress();
            for (int cut = 1; cut <= cuts; cut++) {
                awayForLong(bench, vm, proxy, place, cut);
                System.out.println(folder.getFileName() + ": away " + cut + " of " + cuts);
            }
        }
        return null;
    }

    private static void awayForLong(Bench bench, Vm vm, CuttingProxy proxy, String place, int turn)
            throws IOException {
        Guest guest = vm.guest();
        String flushed =
                guest.sh(
                        """
                        dd if=/dev/urandom of=/tmp/flushed bs=64k count=64 2>/dev/null
                        dd if=/tmp/flushed of=/dev/nvme0n1 bs=64k oflag=direct conv=notrunc,fsync \\
                            2>/dev/null
                        sha256sum < /tmp/flushed
                        """,
                        GuestDisk.LONG);
        beginToStamp(guest, turn);
        long before = slots(bench, UNANSWERED);

        proxy.setAway(true);
        assertEquals("ffffffff", guest.sh("setpci -s " + place + " 0.l"), "a visible error");
        assertTrue(slots(bench, UNANSWERED) > before);
        assertFalse(vm.await(AWAY), "the machine ended");
        assertEquals("alive", guest.sh("echo alive"));
        proxy.setAway(false);

        guest.sh("until [ $(setpci -s %s 0.w) != ffff ]; do sleep 0.1; done".formatted(place));
        removeAndRescan(bench, guest, place);
        GuestDisk.bind(guest);
        String found =
                guest.sh(
                        "dd if=/dev/nvme0n1 bs=64k count=64 iflag=direct 2>/dev/null | sha256sum",
                        GuestDisk.LONG);
        assertEquals(flushed, found);
        assertStamps(guest, turn);
    }

    /**
     * Once Linux's driver has ended its own try to reset the disk. Where that does not end, says
     * where Linux and the slot stand.
     */
    private static void removeAndRescan(Bench bench, Guest guest, String place) {
        Guest.Outcome outcome =
                guest.run(
                        """
                        (
                            while cat /sys/bus/pci/devices/%1$s/nvme/nvme*/state 2>/dev/null \\
                                    | grep -qE 'resetting|connecting'; do
                                sleep 0.1
                            done
                            echo 1 > /sys/bus/pci/devices/%1$s/remove
                            until grep -q 'all ended' /tmp/work; do sleep 0.1; done
                            while grep -q nvme0n1 /proc/partitions; do sleep 0.1; done
                            echo 1 > /sys/bus/pci/rescan
                        ) &
                        job=$!
                        tries=0
                        while [ -e /proc/$job ] && [ $tries -lt 1800 ]; do
                            tries=$((tries + 1))
                            sleep 0.1
                        done
                        if [ ! -e /proc/$job ]; then
                            wait $job
                            exit
                        fi
                        dmesg | tail -60
                        for process in /proc/[0-9]*; do
                            if grep -q '^State:.D' $process/status; then
                                cat $process/comm $process/stack
                            fi
                        done
                        exit 1
                        """
                                .formatted(place),
                        GuestDisk.LONG.plusMinutes(2));
        assertEquals(
                0,
                outcome.status(),
                () -> "remove and rescan: " + outcome.text() + "\n" + bench.said("ps", "--json"));
    }

    /**
     * Lines that say how often they were written, from 64 MiB on; each time is flushed before
     * /tmp/told says so.
     */
    private static void beginToStamp(Guest guest, int turn) {
        guest.sh(
                """
                echo 0 > /tmp/told
                rm -f /tmp/stop /tmp/work
                (for turn in $(seq 1 100000); do
                    [ -e /tmp/stop ] && break
                    line=$(printf 'turn %%03d %%07d %%046d' %d $turn 0)
                    yes "$line" | head -c 262144 > /tmp/block
                    dd if=/tmp/block of=/dev/nvme0n1 bs=64k seek=1024 oflag=direct conv=notrunc,fsync \\
                        2>> /tmp/errors || break
                    echo $turn > /tmp/told
                done; echo all ended >> /tmp/work) &
                until [ $(cat /tmp/told) -gt 2 ]; do sleep 0.1; done
                """
                        .formatted(turn),
                GuestDisk.LONG);
    }

    /** Each sector is whole, of this turn, and no older than what was told to be flushed. */
    private static void assertStamps(Guest guest, int turn) {
        int told = Integer.parseInt(guest.sh("cat /tmp/told"));
        List<String> lines =
                guest.sh(
                                "dd if=/dev/nvme0n1 bs=64k skip=1024 count=4 iflag=direct"
                                        + " 2>/dev/null | sort | uniq -c",
                                GuestDisk.LONG)
                        .lines()
                        .map(String::strip)
                        .toList();
        int counted = 0;
        for (String line : lines) {
            String[] words = line.split(" ", -1);
            int stamp = Integer.parseInt(words[3]);
            counted += Integer.parseInt(words[0]);
            assertEquals(turn, Integer.parseInt(words[2]), line);
            assertTrue(stamp == told || stamp == told + 1, told + " was flushed: " + line);
        }
        assertTrue(counted > 0 && lines.size() <= 2, () -> String.join("\n", lines));
    }
}
