package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.lab.Guest;
import farslot.lab.GuestDisk;
import farslot.lab.Vm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Debian's nvme-cli in a Linux guest asks the disk what users ask of theirs. One machine. */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class NvmeCliTest {
    @TempDir static Path folder;

    private static Bench bench;
    private static Guest guest;

    @BeforeAll
    static void boot() throws IOException {
        bench = Bench.in(folder);
        String image = bench.image("disk").toString();
        String address = Bench.address(bench.lend("nvme,name=n0,image=" + image + ",size=64M"));
        Vm vm = bench.boot(bench.machineWithTools().vfioUser(bench.borrow("n0@" + address)));
        guest = vm.guest();
        GuestDisk.bind(guest);
    }

    @AfterAll
    static void end() throws IOException {
        bench.close();
    }

    @Test
    void shouldIdentifyItsControllerAsLinuxDoes() {
        String identity = guest.sh("nvme id-ctrl -H /dev/nvme0");
        String[] sysfs =
                guest.sh("cd /sys/class/nvme/nvme0; cat serial model subsysnqn")
                        .split("\\s*\n", -1);
        assertEquals(sysfs[0], field(identity, "sn"));
        assertEquals(sysfs[1], field(identity, "mn"));
        assertEquals(sysfs[2], field(identity, "subnqn"));
        assertEquals("0x10400", field(identity, "ver"), "NVM Express 1.4");
        assertEquals("0x66", field(identity, "sqes"));
        assertEquals("0x44", field(identity, "cqes"));
    }

    @Test
    void shouldIdentifyItsNamespace() {
        String identity = guest.sh("nvme id-ns /dev/nvme0n1");
        long blocks = Long.decode(field(identity, "nsze"));
        assertEquals(64 << 20, blocks * 512);
        assertTrue(identity.contains("lbads:9"), identity);
        assertTrue(guest.sh("nvme list-ns /dev/nvme0").contains("]:0x1"));
        assertTrue(guest.sh("nvme ns-descs /dev/nvme0n1").contains("uuid"));
        assertTrue(guest.sh("nvme list").contains("/dev/nvme0n1"));
    }

    @Test
    void shouldListTheSubsystemWithItsLiveController() {
        String list = guest.sh("nvme list-subsys");
        assertTrue(list.contains("NQN=" + guest.sh("cat /sys/class/nvme/nvme0/subsysnqn")), list);
        assertTrue(list.contains("nvme0 pcie 0000:00:04.0 live"), list);
    }

    @Test
    void shouldCountReadsAndWritesInItsSmartLog() {
        String before = guest.sh("nvme smart-log /dev/nvme0");
        guest.sh(
                """
                set -e
                dd if=/dev/zero of=/dev/nvme0n1 bs=64k count=16 seek=100 oflag=direct 2>/dev/null
                dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 skip=100 iflag=direct 2>/dev/null
                """);
        String after = guest.sh("nvme smart-log /dev/nvme0");
        for (String counter : new String[] {"host_read_commands", "host_write_commands"}) {
            assertEquals(
                    16,
                    Long.parseLong(field(after, counter)) - Long.parseLong(field(before, counter)),
                    counter);
        }
        assertEquals("0", field(after, "critical_warning"));
        assertEquals("0", field(after, "media_errors"));
    }

    @Test
    void shouldLogTheErrorOfACommandThatDoesNotExist() {
        String refused = "nvme io-passthru /dev/nvme0n1 --opcode=0x7f --namespace-id=1";
        Guest.Outcome outcome = guest.run(refused, Guest.SHORT);
        assertNotEquals(0, outcome.status());
        assertTrue(outcome.output().contains("Invalid Command Opcode"), outcome.output());
        String log = guest.sh("nvme error-log -e 1 /dev/nvme0");
        assertTrue(log.contains("Invalid Command Opcode"), log);
        assertTrue(Long.decode(field(log, "error_count")) > 0, log);
        assertNotEquals("0", field(log, "sqid"), "an I/O queue");
    }

    @Test
    void shouldNameItsFirmware() {
        String log = guest.sh("nvme fw-log /dev/nvme0");
        assertTrue(log.contains(guest.sh("cat /sys/class/nvme/nvme0/firmware_rev")), log);
    }

    /** Format NVM is optional (NVMe 1.4, 5): what Identify says, the command holds to. */
    @Test
    void shouldFormatOrRefuseAsItsIdentitySays() {
        String identity = guest.sh("nvme id-ctrl /dev/nvme0");
        boolean formats = (Integer.decode(field(identity, "oacs")) & 2) != 0;
        guest.sh(
                "yes farslot | dd of=/dev/nvme0n1 bs=4096 count=4 seek=8 oflag=direct iflag=fullblock");
        Guest.Outcome outcome = guest.run("nvme format /dev/nvme0n1 --force", GuestDisk.LONG);
        String there =
                guest.sh(
                        "dd if=/dev/nvme0n1 bs=4096 count=4 skip=8 iflag=direct | grep -c farslot; true");
        if (formats) {
            assertEquals(0, outcome.status(), outcome.output());
            assertTrue(there.endsWith("\n0"), there);
        } else {
            assertTrue(outcome.output().contains("Invalid Command Opcode"), outcome.output());
            assertTrue(!there.endsWith("\n0"), there);
        }
    }

    @Test
    void shouldWorkOnAfterAReset() {
        guest.sh("yes reset | dd of=/dev/nvme0n1 bs=4096 count=1 seek=20 oflag=direct");
        guest.sh("nvme reset /dev/nvme0");
        String read =
                guest.sh("dd if=/dev/nvme0n1 bs=4096 count=1 skip=20 iflag=direct | head -n 1");
        assertTrue(read.contains("reset"), read);
        assertEquals("live", guest.sh("cat /sys/class/nvme/nvme0/state"));
    }

    /** "name : value" of nvme-cli's text. */
    private static String field(String text, String name) {
        Matcher matcher = Pattern.compile("(?m)^" + name + "\\s*:\\s*(.*?)\\s*$").matcher(text);
        assertTrue(matcher.find(), () -> "no " + name + " in " + text);
        return matcher.group(1).split("\t", -1)[0].strip();
    }
}
