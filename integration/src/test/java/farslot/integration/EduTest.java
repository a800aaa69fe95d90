package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import farslot.lab.Guest;
import farslot.lab.Vm;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The teaching device under Linux, which has no driver for it: its registers are used by hand, its
 * interrupt by uio_pci_generic.
 */
@Tag("qemu")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class EduTest {
    /** A page that Linux leaves alone, within the 28 bits that edu's DMA reaches. */
    private static final String FREE_PAGE = "memmap=1M$0x8000000";

    /** Sets X to the device's folder in sysfs, and enables the device. */
    private static final String FIND =
            """
            for X in /sys/bus/pci/devices/*; do
                [ "$(cat $X/vendor)$(cat $X/device)" != 0x12340x11e8 ] || break
            done
            setpci -s ${X##*/} COMMAND=0x7
            BAR=$(head -n 1 $X/resource | cut -d ' ' -f 1)
            reg() { echo $((BAR + $1)); }
            """;

    /** The same registers by sysfs, which does one inl or outl for 4 bytes. */
    private static final String PORTS =
            FIND
                    + """
                    inl() {
                        dd if=$X/resource0 bs=4 skip=$(($1 / 4)) count=1 2>/dev/null |
                            od -A n -t x4 | tr -d ' '
                    }
                    outl() {
                        printf "$2" |
                            dd of=$X/resource0 bs=4 seek=$(($1 / 4)) count=1 conv=notrunc 2>/dev/null
                    }
                    """;

    @TempDir Path folder;

    @Test
    void registersAndDmaByMemoryBar() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            useByMemoryBar(boot(bench, "edu,name=e0").guest());
        }
    }

    /** The lender was written from docs/protocol.md alone. */
    @Test
    void registersAndDmaOfALenderInPython() throws Exception {
        try (Interop.PythonLender lender = new Interop.PythonLender(folder);
                Bench bench = Bench.in(folder)) {
            useByMemoryBar(boot(bench, bench.borrow("e0@" + lender.address)).guest());
            assertFalse(lender.said().contains("broke the protocol"), lender.said());
        }
    }

    private static void useByMemoryBar(Guest guest) {
        assertEquals("0x010000ED", in(guest, "devmem $(reg 0)"));
        in(guest, "devmem $(reg 4) 32 0x12345678");
        assertEquals("0xEDCBA987", in(guest, "devmem $(reg 4)"));
        in(guest, "devmem $(reg 8) 32 10");
        in(guest, "while [ $(($(devmem $(reg 0x20)) & 1)) = 1 ]; do :; done");
        assertEquals("0x00375F00", in(guest, "devmem $(reg 8)"));
        copyThroughTheDevice(guest);
        interruptThroughLinux(guest);
    }

    @Test
    void registersByPorts() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            Guest guest = boot(bench, "edu,name=e0,bar=io").guest();
            assertEquals("010000ed", guest.sh(PORTS + "inl 0"));
            guest.sh(PORTS + "outl 4 '\\x78\\x56\\x34\\x12'");
            assertEquals("edcba987", guest.sh(PORTS + "inl 4"));
            guest.sh(PORTS + "outl 8 '\\x05\\x00\\x00\\x00'");
            guest.sh(PORTS + "while [ $((0x$(inl 0x20) & 1)) = 1 ]; do :; done");
            assertEquals("00000078", guest.sh(PORTS + "inl 8"));
            interruptThroughLinux(guest, PORTS + "outl 0x60 '\\x04\\x00\\x00\\x00'");
            assertEquals("00000004", guest.sh(PORTS + "inl 0x24"));
            guest.sh(PORTS + "outl 0x64 '\\x04\\x00\\x00\\x00'");
            assertEquals("00000000", guest.sh(PORTS + "inl 0x24"));
        }
    }

    private static Vm boot(Bench bench, String device) {
        return boot(bench, bench.borrow("e0@" + Bench.address(bench.lend(device))));
    }

    private static Vm boot(Bench bench, Path socket) {
        return bench.boot(bench.machine().kernelWords(FREE_PAGE).vfioUser(socket));
    }

    /** From memory to the device's buffer and back to another place. */
    private static void copyThroughTheDevice(Guest guest) {
        in(guest, "devmem 0x8000000 32 0xCAFEF00D; devmem 0x8000100 32 0");
        in(guest, dma("0x8000000", "0x40000", 1));
        in(guest, dma("0x40000", "0x8000100", 3));
        assertEquals("0xCAFEF00D", in(guest, "devmem 0x8000100"));
    }

    private static String dma(String source, String destination, int command) {
        return """
        devmem $(reg 0x80) 64 %s
        devmem $(reg 0x88) 64 %s
        devmem $(reg 0x90) 64 4
        devmem $(reg 0x98) 64 %d
        while [ $(($(devmem $(reg 0x98) 64) & 1)) = 1 ]; do :; done
        """
                .formatted(source, destination, command);
    }

    private static void interruptThroughLinux(Guest guest) {
        interruptThroughLinux(guest, FIND + "devmem $(reg 0x60) 32 4");
        assertEquals("0x00000004", in(guest, "devmem $(reg 0x24)"));
        in(guest, "devmem $(reg 0x64) 32 4");
        assertEquals("0x00000000", in(guest, "devmem $(reg 0x24)"));
    }

    /** A read of /dev/uio0 ends when the interrupt came, and gives how many there were. */
    private static void interruptThroughLinux(Guest guest, String raise) {
        String count =
                guest.sh(
                        """
                        modprobe uio_pci_generic
                        echo 1234 11e8 > /sys/bus/pci/drivers/uio_pci_generic/new_id
                        """
                                + FIND
                                + """
                                (dd if=/dev/uio0 bs=4 count=1 2>/dev/null | od -A n -t d4 > /tmp/count) &
                                """
                                + raise
                                + "\nwait; cat /tmp/count");
        assertEquals("1", count.strip());
    }

    private static String in(Guest guest, String script) {
        return guest.sh(FIND + script);
    }
}
