package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PciNamesTest {
    private static final String FILE =
            """
            # A comment.
            8085  Wrong
            \t5845  Wrong
            8086  Intel\u001b[31m Corporation
            \t0001  First
            \t\t5845 8086  A subsystem
            # a comment within
            \t5845  NVMe controller
            8087  Next
            \t0002  Second

            C 01  Mass storage of pci.ids
            C fd  New class
            \t07  New subclass
            """;

    @TempDir Path folder;

    private PciNames names() throws IOException {
        Path file = Files.writeString(folder.resolve("pci.ids"), FILE);
        return PciNames.of(List.of(folder.resolve("missing"), folder, file));
    }

    @Test
    void shouldFindNamesInTheMachinesFile() throws IOException {
        PciNames names = names();
        assertEquals(Optional.of(folder.resolve("pci.ids")), names.source());
        assertEquals(
                "8086:5845 Intel[31m Corporation NVMe controller"
                        + " (Non-volatile memory controller, NVM Express)",
                names.describe(0x8086, 0x5845, 0x010802));
        assertEquals(Optional.of("First"), names.device(0x8086, 1));
        assertEquals(Optional.empty(), names.device(0x8086, 2), "that is the next vendor's");
        assertEquals("8087:0002 Next Second (New subclass)", names.describe(0x8087, 2, 0xfd0701));
        assertEquals("9999:0001 (New class)", names.describe(0x9999, 1, 0xfd0000));
    }

    @Test
    void shouldKnowItsOwnDevicesAndAllClassesWithoutAFile() {
        PciNames names = PciNames.of(List.of());
        assertEquals(Optional.empty(), names.source());
        assertEquals(
                "1234:11f0 Emulated Farslot NVMe controller"
                        + " (Non-volatile memory controller, NVM Express)",
                names.describe(0x1234, 0x11f0, 0x010802));
        assertEquals(
                "1234:11e8 Emulated teaching device edu (Unclassified device)",
                names.describe(0x1234, 0x11e8, 0x00ff00));
        assertEquals("8086:5845 (Ethernet controller)", names.describe(0x8086, 0x5845, 0x020000));
        assertEquals("8086:5845 (class 770000)", names.describe(0x8086, 0x5845, 0x770000));
        assertEquals(Optional.of("USB controller, xHCI"), names.function(0x0c0330));
    }

    @Test
    void shouldReadAFileWithoutALastLineEndOrWithoutAnything() throws IOException {
        Path cut = Files.writeString(folder.resolve("cut"), "8086  Intel\n\t0001  Last");
        assertEquals(Optional.of("Last"), PciNames.of(List.of(cut)).device(0x8086, 1));
        Path empty = Files.writeString(folder.resolve("empty"), "");
        assertFalse(PciNames.of(List.of(empty)).vendor(0x8086).isPresent());
    }
}
