package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * fio in a Linux guest writes what it can recognise again, several jobs at a time and up to 128
 * commands deep, and reads it back: each block carries a check sum, its place and its turn.
 */
@Tag("qemu")
@Timeout(value = 40, unit = TimeUnit.MINUTES)
class FioVerifyTest {
    private static final boolean FULL = "full".equals(System.getProperty("farslot.rounds"));

    /** Ten minutes in all at full length. */
    private static final List<Integer> DEPTHS =
            FULL ? List.of(1, 2, 4, 8, 16, 32, 64, 128) : List.of(1, 128);

    private static final int SECONDS = FULL ? 75 : 3;

    /** Small random blocks, larger ones, and a stream, each job in 64 MiB of its own. */
    private static final String JOBS =
            """
            cat > /tmp/jobs <<END
            [global]
            filename=/dev/nvme0n1
            ioengine=libaio
            direct=1
            iodepth=DEPTH
            size=64M
            verify=crc32c
            verify_fatal=1
            verify_backlog=256
            time_based=1
            runtime=SECONDS
            randrepeat=0
            group_reporting=1
            [small]
            rw=randrw
            rwmixread=30
            bs=4k
            offset=0
            [large]
            rw=randrw
            rwmixread=30
            bs=16k
            offset=64M
            [odd]
            rw=randwrite
            bssplit=512/30:4k/30:12k/20:68k/20
            offset=128M
            [stream]
            rw=write
            bs=256k
            offset=192M
            END
            fio --output-format=normal /tmp/jobs
            """;

    private static final String FILL =
            "fio --name=fill --filename=/dev/nvme0n1 --ioengine=libaio --direct=1 --iodepth=16"
                    + " --rw=randwrite --bs=4k --size=16M --verify=crc32c --randrepeat=1 ";

    private static final Pattern ISSUED = Pattern.compile("issued rwts: total=(\\d+),(\\d+)");

    @TempDir Path folder;

    @Test
    void shouldReadBackWhatWasWrittenAtEveryDepth() throws IOException {
        try (Bench bench = Bench.in(folder)) {
            Vm vm = machine(bench);
            for (int depth : DEPTHS) {
                String script = JOBS.replace("DEPTH", "" + depth).replace("SECONDS", "" + SECONDS);
                Guest.Outcome outcome =
                        vm.guest().run(script, GuestDisk.LONG.plus(Duration.ofSeconds(SECONDS)));
                assertEquals(0, outcome.status(), "depth " + depth + ": " + outcome.output());
                Matcher issued = ISSUED.matcher(outcome.output());
                assertTrue(issued.find(), outcome.output());
                long reads = Long.parseLong(issued.group(1));
                long writes = Long.parseLong(issued.group(2));
                System.out.printf("fio, depth %d: %d reads, %d writes%n", depth, reads, writes);
                assertTrue(reads > 0 && writes > 0, outcome.output());
            }
            assertEquals("", vm.guest().sh("dmesg | grep -i 'nvme.*\\(timeout\\|error\\)'; true"));
        }
    }

    /** The check can fail: fio sees one changed byte among 16 MiB. */
    @Test
    void shouldBeToldOfOneChangedByte() throws IOException {
        try (Bench bench = Bench.in(folder)) {
            Vm vm = machine(bench);
            vm.guest().sh(FILL + "--do_verify=0 --end_fsync=1", GuestDisk.LONG);
            vm.guest().sh(FILL + "--verify_only", GuestDisk.LONG);
            changeByte(bench.image("disk"), 5_000_000);
            Guest.Outcome outcome = vm.guest().run(FILL + "--verify_only", GuestDisk.LONG);
            assertNotEquals(0, outcome.status(), outcome.output());
            assertTrue(outcome.output().contains("verify"), outcome.output());
        }
    }

    private static Vm machine(Bench bench) {
        String image = bench.image("disk").toString();
        String address = Bench.address(bench.lend("nvme,name=n0,image=" + image + ",size=256M"));
        Vm vm = bench.boot(bench.machineWithTools().vfioUser(bench.borrow("n0@" + address)));
        GuestDisk.bind(vm.guest());
        return vm;
    }

    private static void changeByte(Path image, long offset) throws IOException {
        try (FileChannel channel =
                FileChannel.open(image, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, offset);
            channel.write(one.put(0, (byte) (one.get(0) ^ 1)).rewind(), offset);
        }
    }
}
