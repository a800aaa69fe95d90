package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.registers.ConfigurationMap.Capability;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigurationMapTest {
    private static final RegisterDomain SPACE =
            ConfigurationMap.of(
                    List.of(
                            new Capability(0x10, false, 0x40, 0x3c),
                            new Capability(0x11, false, 0x80, 12),
                            new Capability(0x05, false, 0x90, 24),
                            new Capability(0x01, false, 0xb0, 8),
                            new Capability(0x09, false, 0xc0, 16),
                            new Capability(0x09, false, 0xd0, 16),
                            new Capability(0x14, false, 0xe0, 8),
                            new Capability(0x01, true, 0x100, 0x48),
                            new Capability(0x2a, true, 0x200, 0x20)),
                    null);

    private static String text(long offset, int length, long value) {
        StringBuilder text = new StringBuilder(RegisterText.name(SPACE, offset, length));
        text.append(' ');
        RegisterText.appendFields(text, SPACE, offset, length, value);
        return text.toString();
    }

    @Test
    void theHeaderIsNamed() {
        assertEquals("VENDOR,DEVICE ", text(0, 4, 0x00101b36));
        assertEquals(
                "COMMAND IO=0 MEM=1 MASTER=1 SPECIAL=0 MWI=0 VGA_SNOOP=0 PARITY=0 WAIT=0 SERR=0"
                        + " FAST_BACK=0 INTX_OFF=1",
                text(4, 2, 0x406));
        assertEquals("BAR5 ", text(0x24, 4, 0));
        assertEquals("REVISION,PROG_IF,SUBCLASS,CLASS ", text(8, 4, 0x01080202));
        assertEquals("INT_PIN INTA", text(0x3d, 1, 1));
        assertEquals("INT_LINE,INT_PIN INT_PIN: INTB", text(0x3c, 2, 0x20b));
    }

    @Test
    void capabilitiesAreNamedWhereTheFunctionHasThem() {
        assertTrue(text(0x48, 2, 0x8010).startsWith("PCIE.DEVCTL COR_EN=0"));
        assertTrue(text(0x48, 2, 0x8010).endsWith("READ_REQUEST=128 FLR=1"));
        assertEquals("MSIX.CONTROL LAST=32 MASK_ALL=0 EN=1", text(0x82, 2, 0x8020));
        assertEquals("MSIX.PBA BAR=0 OFFSET=0x3000", text(0x88, 4, 0x3000));
        assertEquals("MSI.PENDING ", text(0xa4, 4, 0));
        assertEquals(
                "PM.PMCSR STATE=D3hot NO_SOFT_RESET=1 PME_EN=0 DATA_SELECT=0 DATA_SCALE=0"
                        + " PME_STATUS=0",
                text(0xb4, 2, 0xb));
        assertEquals("VNDR.LENGTH 16", text(0xc2, 1, 16));
        assertEquals("VNDR_2.ID,VNDR_2.NEXT ", text(0xd0, 2, 0));
        assertEquals("CAP_14.ID ", text(0xe0, 1, 0x14));
        assertTrue(text(0x104, 4, 1 << 20).contains("UNSUPPORTED=1"));
        assertEquals("ECAP_2a.HEADER ID=0x2a VERSION=1 NEXT=0", text(0x200, 4, 0x1002a));
        assertEquals("0xf00 ", text(0xf00, 4, 0));
    }

    @Test
    void eachMsiLayoutIsKnownByItsLength() {
        for (int[] layout : new int[][] {{10, 8}, {14, 12}, {20, 8}, {24, 12}}) {
            RegisterDomain space =
                    ConfigurationMap.of(List.of(new Capability(5, false, 0x50, layout[0])), null);
            assertEquals("MSI.DATA", RegisterText.name(space, 0x50 + layout[1], 2));
            assertEquals(layout[0] >= 20, space.has("MSI.MASK"));
        }
    }

    @Test
    void theDevicesOwnMapComesFirst() {
        RegisterDomain own =
                RegisterMapLoaderTest.load(
                                "<domain name='CFG'><reg32 offset='0x4' name='BOTH'/></domain>")
                        .domain("CFG");
        assertEquals("BOTH", RegisterText.name(ConfigurationMap.of(List.of(), own), 4, 4));
    }

    @Test
    void readingConfigurationSpaceDisturbsNothing() {
        for (Register register : SPACE.registers()) {
            assertTrue(register.readEffect().harmless(), register::name);
            assertTrue(register.access() != RegisterAccess.UNKNOWN, register::name);
        }
    }
}
