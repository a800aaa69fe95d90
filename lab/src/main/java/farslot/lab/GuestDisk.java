package farslot.lab;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An NVMe disk as a lab machine's Linux uses it: bound by the nvme driver, formatted, mounted,
 * written and read again. Every step fails with what Linux said. One thread, as {@link Guest}.
 */
public final class GuestDisk {
    /** For what moves data; a translated guest on a busy machine is slow. */
    public static final Duration LONG = Duration.ofMinutes(4);

    /** The file that {@link #fill} writes and {@link #checksum} reads. */
    public static final String FILE = "/data";

    private static final String DEVICE = "/dev/nvme0n1";
    private static final String CONTROLLER = "/sys/class/nvme/nvme0";
    private static final Pattern KIND = Pattern.compile("PCI-MSIX|PCI-MSI|IO-APIC");

    /**
     * What Linux found.
     *
     * @param pciAddress such as 0000:00:04.0
     */
    public record Identity(
            String model, String serial, String firmware, long sizeBytes, String pciAddress) {}

    /**
     * What /proc/interrupts says of the disk.
     *
     * @param kind "MSI-X", "MSI" or "INTx"
     * @param vectors how many the driver uses
     * @param count how many interrupts there were
     */
    public record Interrupts(String kind, int vectors, long count) {
        @Override
        public String toString() {
            return kind + ", " + vectors + (vectors == 1 ? " vector, " : " vectors, ") + count;
        }
    }

    private final Guest guest;

    private GuestDisk(Guest guest) {
        this.guest = guest;
    }

    /** Loads Linux's driver and waits for the disk. */
    public static GuestDisk bind(Guest guest) {
        GuestDisk disk = new GuestDisk(guest);
        guest.sh("modprobe nvme");
        disk.awaitThere();
        return disk;
    }

    /** Waits until Linux shows the disk, and can read it. */
    public void awaitThere() {
        guest.sh(
                """
                tries=0
                until dd if=/dev/nvme0n1 of=/dev/null bs=4096 count=1 2>/dev/null; do
                    tries=$((tries + 1))
                    [ $tries -lt 600 ] || { dmesg | tail -20; exit 1; }
                    sleep 0.1
                done
                """,
                LONG);
    }

    public Identity identity() {
        String[] lines =
                guest.sh(
                                "cd "
                                        + CONTROLLER
                                        + "; cat model serial firmware_rev; blockdev --getsize64 "
                                        + DEVICE
                                        + "; cat address")
                        .split("\n", -1);
        return new Identity(
                lines[0].strip(),
                lines[1].strip(),
                lines[2].strip(),
                Long.parseLong(lines[3].strip()),
                lines[4].strip());
    }

    public Interrupts interrupts() {
        String text = guest.sh("grep nvme0 /proc/interrupts; true");
        Matcher matcher = KIND.matcher(text);
        if (!matcher.find()) {
            throw new LabException("/proc/interrupts names no interrupt of nvme0: " + text);
        }
        String kind =
                switch (matcher.group()) {
                    case "PCI-MSIX" -> "MSI-X";
                    case "PCI-MSI" -> "MSI";
                    default -> "INTx";
                };
        // "  24:         57  PCI-MSIX-0000:00:04.0    0-edge      nvme0q0", one processor
        long count =
                text.lines()
                        .map(line -> line.strip().split("\\s+", -1)[1])
                        .mapToLong(Long::parseLong)
                        .sum();
        return new Interrupts(kind, (int) text.lines().count(), count);
    }

    /** Makes an ext4 file system. */
    public void format() {
        guest.sh("mkfs.ext4 -q -F -E nodiscard " + DEVICE, LONG);
    }

    public void mount() {
        guest.sh("mount -t ext4 " + DEVICE + " /mnt", LONG);
    }

    /** Writes everything back first. */
    public void unmount() {
        guest.sh("sync; umount /mnt", LONG);
    }

    /**
     * Writes a file of random bytes and makes sure that it is on the disk.
     *
     * @return its SHA-256, as computed before the bytes left the machine
     */
    public String fill(int sizeMiB) {
        return guest.sh(
                """
                set -e
                dd if=/dev/urandom of=/mnt/data bs=1M count=%d 2>/dev/null
                sum=$(sha256sum < /mnt/data)
                sync
                echo "${sum%%%% *}"
                """
                        .formatted(sizeMiB),
                LONG);
    }

    /** The SHA-256 of the file, read from the disk and not from the machine's memory. */
    public String checksum() {
        return guest.sh(
                """
                set -e
                echo 3 > /proc/sys/vm/drop_caches
                sum=$(sha256sum < /mnt/data)
                echo "${sum%% *}"
                """,
                LONG);
    }

    /** Checks the file system, which must not be mounted: nothing may need repair. */
    public void check() {
        guest.sh("e2fsck -f -n " + DEVICE, LONG);
    }

    /** What the kernel complained about the disk; "" if nothing. */
    public String complaints() {
        return guest.sh(
                "dmesg | grep -E 'nvme|EXT4|I/O error|blk_' | grep -E -i"
                        + " 'error|timeout|abort|reset|fail|corrupt' ; true");
    }
}
