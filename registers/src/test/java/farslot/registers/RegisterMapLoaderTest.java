package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegisterMapLoaderTest {
    private static final String CONTROLLER =
            """
            <domain name="BAR0" size="0x4000" f:read-effects="none">
              <brief>The controller's registers</brief>
              <reg64 offset="0x0" name="CAP" f:access="ro">
                <bitfield name="MQES" low="0" high="15" type="uint" f:reset="0x3ff"/>
                <bitfield name="TO" low="24" high="31"/>
                <bitfield name="CSS" low="37" high="44"/>
              </reg64>
              <reg32 offset="0x14" name="CC" f:access="rw" f:reset="0">
                <bitfield name="EN" pos="0"/>
                <bitfield name="CSS" low="4" high="6"><value value="0" name="NVM"/></bitfield>
                <bitfield name="SHN" low="14" high="15" f:access="w1c" f:volatile="yes"/>
              </reg32>
              <reg32 offset="0x1c" name="CSTS" f:read-effects="present" f:access="ro"/>
              <stripe offset="0x1000" stride="8" length="64">
                <reg32 offset="0" name="SQTDBL" f:label="SQ{0}TDBL" f:access="wo"/>
                <reg32 offset="4" name="CQHDBL" f:label="CQ{0}HDBL" f:access="wo"/>
              </stripe>
            </domain>
            """;

    static RegisterMap load(String body) {
        return load(RegisterMapLoader.strict(), body);
    }

    static RegisterMap load(RegisterMapLoader loader, String body) {
        String text = "<database xmlns:f=\"urn:farslot:registers\">\n" + body + "</database>";
        return loader.load(
                "test.xml", new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static String refusal(String body) {
        return assertThrows(RegisterMapException.class, () -> load(body)).getMessage();
    }

    @Test
    void aRegisterHasItsPlaceItsFieldsAndItsRules() {
        RegisterDomain bar0 = load(CONTROLLER).domain("BAR0");
        Register cc = bar0.register("CC");
        assertEquals(0x14, cc.offset());
        assertEquals(4, cc.widthBytes());
        assertEquals(1, cc.field("EN").get(0x0046_0001));
        assertEquals(0x4000, cc.field("SHN").set(0, 1));
        assertEquals(0xC000, cc.mask(RegisterAccess.W1C));
        assertEquals(0x71, cc.mask(RegisterAccess.RW));
        assertEquals(0xFFFF_3F8EL, cc.mask(RegisterAccess.RSVD));
        assertEquals(0xFFFF_FFFFL, cc.resetKnownMask());
        assertTrue(cc.field("SHN").changesByItself());
        assertEquals(0x3ff, bar0.register("CAP").resetValue());
        assertEquals(0xffff, bar0.register("CAP").resetKnownMask());
        assertTrue(cc.readEffect().harmless());
        assertFalse(bar0.register("CSTS").readEffect().harmless());
        assertEquals(0x4000, bar0.sizeBytes());
        assertEquals("The controller's registers", bar0.brief());
    }

    @Test
    void anOffsetFindsItsRegisterAndItsIndexes() {
        RegisterDomain bar0 = load(CONTROLLER).domain("BAR0");
        assertEquals("CAP", bar0.find(7).name());
        assertNull(bar0.find(8));
        Register doorbell = bar0.find(0x1008);
        assertEquals("SQTDBL", doorbell.name());
        assertEquals("SQ1TDBL", doorbell.nameAt(0x1008));
        assertEquals(1, doorbell.index(0, 0x1008));
        assertEquals("CQ63HDBL", bar0.find(0x11fc).nameAt(0x11ff));
        assertEquals(0x11f8, doorbell.offset(63));
        assertNull(bar0.find(0x1200));
    }

    @Test
    void anAccessIsNamedHonestly() {
        RegisterDomain bar0 = load(CONTROLLER).domain("BAR0");
        assertEquals("CAP", RegisterText.name(bar0, 0, 8));
        assertEquals("CAP[63:32]", RegisterText.name(bar0, 4, 4));
        assertEquals("CAP[39:8]", RegisterText.name(bar0, 1, 4));
        assertEquals("CAP+4", RegisterText.name(bar0, 4, 8));
        assertEquals("SQ0TDBL,CQ0HDBL", RegisterText.name(bar0, 0x1000, 8));
        assertEquals("SQ0TDBL+2,CQ0HDBL[15:0]", RegisterText.name(bar0, 0x1002, 4));
        assertEquals("0x10,CC", RegisterText.name(bar0, 0x10, 8));
        assertEquals("0x2000", RegisterText.name(bar0, 0x2000, 4));
        assertEquals("0x14", RegisterText.name(null, 0x14, 4));
    }

    @Test
    void aValueIsDecodedIntoItsFields() {
        RegisterDomain bar0 = load(CONTROLLER).domain("BAR0");
        assertEquals("EN=1 CSS=NVM SHN=0", fields(bar0, 0x14, 4, 1));
        assertEquals("EN=0 CSS=5 SHN=2 ?=0x100", fields(bar0, 0x14, 4, 0x8150));
        assertEquals("CSS=1", fields(bar0, 4, 4, 0x20));
        assertEquals("", fields(bar0, 0x1000, 4, 7));
    }

    private static String fields(RegisterDomain domain, long offset, int length, long value) {
        StringBuilder text = new StringBuilder();
        RegisterText.appendFields(text, domain, offset, length, value);
        return text.toString();
    }

    @Test
    void arraysStandWithinArraysAndGroupsAreCopied() {
        RegisterMap map =
                load(
                        """
                        <group name="mp"><reg64 offset="0x70" name="TRAPPED"/></group>
                        <domain name="D">
                          <array offset="0x408000" name="TP" stride="0x1000" length="8">
                            <array offset="0x200" name="MP" stride="0x80" length="2">
                              <use-group name="mp"/>
                            </array>
                            <reg32 offset="0x314" name="TRAP"/>
                          </array>
                          <array offset="0x500000" name="ONE" stride="0x80" length="1">
                            <use-group name="mp"/>
                          </array>
                        </domain>
                        """);
        RegisterDomain domain = map.domain("D");
        long at = 0x408000 + 3 * 0x1000 + 0x200 + 0x80 + 0x70;
        assertEquals("TP.MP.TRAPPED", domain.find(at).name());
        assertEquals("TP[3].MP[1].TRAPPED[63:32]", RegisterText.name(domain, at + 4, 4));
        assertEquals(3, domain.find(at).index(0, at));
        assertEquals(1, domain.find(at).index(1, at));
        assertEquals("TP[7].TRAP", RegisterText.name(domain, 0x40f314, 4));
        assertEquals("ONE.TRAPPED", RegisterText.name(domain, 0x500070, 8));
    }

    @Test
    void stripesInterleaveAndUnitsMayBeWords() {
        RegisterMap map =
                load(
                        """
                        <domain name="VIDEO">
                          <stripe name="V" offset="0x900" stride="4" length="2">
                            <reg32 offset="0" name="BASE"/><reg32 offset="8" name="LIMIT"/>
                          </stripe>
                          <reg32 offset="0x600" name="PARAM" length="64"/>
                        </domain>
                        <domain name="CELLS" width="32" size="6">
                          <reg32 offset="1" name="CHANNEL"/>
                        </domain>
                        """);
        RegisterDomain video = map.domain("VIDEO");
        assertEquals("V[1].BASE", RegisterText.name(video, 0x904, 4));
        assertEquals("V[1].LIMIT", RegisterText.name(video, 0x90c, 4));
        assertEquals("PARAM[63]", RegisterText.name(video, 0x6fc, 4));
        assertEquals("CHANNEL", RegisterText.name(map.domain("CELLS"), 4, 4));
        assertEquals(24, map.domain("CELLS").sizeBytes());
    }

    @Test
    void enumsAndBitsetsAreReferencedByName() {
        RegisterMap map =
                load(
                        """
                        <enum name="mode"><value value="0x2" name="FAST"/></enum>
                        <bitset name="xy" inline="yes">
                          <bitfield low="0" high="3" name="X" type="int"/>
                          <bitfield low="4" high="7" name="Y" type="uint" shr="4"/>
                        </bitset>
                        <domain name="D">
                          <reg32 offset="0" name="MODE" type="mode"/>
                          <reg8 offset="4" name="POINT" type="xy"/>
                          <reg16 offset="6" name="OUTER">
                            <bitfield low="8" high="15" name="P" type="xy"/>
                          </reg16>
                          <reg32 offset="8" name="F" type="float"/>
                          <reg64 offset="16" name="BIG" type="uint"/>
                        </domain>
                        """);
        RegisterDomain domain = map.domain("D");
        assertEquals("FAST", fields(domain, 0, 4, 2));
        assertEquals("3", fields(domain, 0, 4, 3));
        assertEquals("X=-1 Y=32", fields(domain, 4, 1, 0x2f));
        assertEquals("P={X=1 Y=0}", fields(domain, 6, 2, 0x100));
        assertEquals("1.5", fields(domain, 8, 4, 0x3fc00000));
        assertEquals("18446744073709551615", fields(domain, 16, 8, -1));
        assertEquals("POINT: X=0 Y=0; OUTER: P={X=1 Y=0}", fields(domain, 4, 4, 0x01000000));
    }

    @Test
    void whatAForeignMapDoesNotSayIsUnknown() {
        RegisterMap map =
                load(
                        RegisterMapLoader.lenient(),
                        "<domain name='D'><reg32 offset='0' name='R'/><frob/></domain>");
        Register register = map.domain("D").register("R");
        assertEquals(RegisterAccess.UNKNOWN, register.access());
        assertFalse(register.readEffect().harmless());
        assertEquals(0, register.resetKnownMask());
        assertEquals(0, register.mask(RegisterAccess.RW));
        assertEquals(
                "test.xml, line 2: <frob> means nothing among registers.", map.remarks().get(0));
    }

    @Test
    void aWrongMapIsRefusedWithFileAndLine() {
        assertEquals(
                "test.xml, line 2: there is no group named \"x\".",
                refusal("<domain name='D'><use-group name='x'/></domain>"));
        assertEquals(
                "test.xml, line 3: the group \"g\" contains itself.",
                refusal(
                        "<domain name='D'><use-group name='g'/></domain>\n"
                                + "<group name='g'><use-group name='g'/></group>"));
        assertTrue(
                refusal(
                                "<bitset name='b'><bitfield name='x' low='0' high='0' type='b'/></bitset>"
                                        + "<domain name='D'><reg8 name='r' offset='0' type='b'/></domain>")
                        .contains("the bitset \"b\" contains itself"));
        assertTrue(refusal("<domain name='D'><reg8 offset='0'/></domain>").contains("line 2"));
        assertTrue(
                refusal("<domain name='D'><reg8 name='r' offset='zz'/></domain>")
                        .contains("offset is \"zz\", which is no number"));
        assertTrue(
                refusal(
                                "<domain name='D'><reg8 name='r' offset='0'>"
                                        + "<bitfield name='b' low='0' high='8'/></reg8></domain>")
                        .contains("bits 8 to 0, and 7 to 0 are there"));
        assertTrue(
                refusal("<domain name='D'><reg8 name='r' offset='0' acess='r'/></domain>")
                        .contains("\"acess\" is unknown"));
        assertTrue(refusal("<import file='x.xml'/>").contains("maps of one file import nothing"));
        assertTrue(refusal("<domain").contains("not XML"));
        assertTrue(
                refusal(
                                "<domain name='D'><reg8 name='r' offset='0x7fffffffffffffff'"
                                        + " length='2'/></domain>")
                        .contains("beyond 2^63"));
    }

    @Test
    void nothingOutsideTheFileIsReadThroughXml(@TempDir Path folder) throws IOException {
        Path secret = Files.writeString(folder.resolve("secret.txt"), "secret");
        String text =
                "<!DOCTYPE database [<!ENTITY x SYSTEM \""
                        + secret.toUri()
                        + "\">]><database><domain name='D'><brief>&x;</brief></domain></database>";
        Path file = Files.writeString(folder.resolve("map.xml"), text);
        RegisterMapException refused =
                assertThrows(
                        RegisterMapException.class, () -> RegisterMapLoader.lenient().load(file));
        assertTrue(refused.getMessage().startsWith("map.xml, line 1: "), refused.getMessage());
    }

    @Test
    void importsAreFoundBesideTheFileAndBesideTheFirstAndNowhereElse(@TempDir Path folder)
            throws IOException {
        Path inner = Files.createDirectories(folder.resolve("maps/inner"));
        Files.writeString(
                folder.resolve("outside.xml"), "<database><domain name='OUT'/></database>");
        Files.writeString(
                inner.resolve("a.xml"),
                "<database><import file='b.xml'/><import file='root.xml'/>"
                        + "<domain name='A'/></database>");
        Files.writeString(inner.resolve("b.xml"), "<database><domain name='B'/></database>");
        Path root =
                Files.writeString(
                        folder.resolve("maps/root.xml"),
                        "<database><import file='inner/a.xml'/>\n"
                                + "<import file='../outside.xml'/></database>");
        RegisterMap map = RegisterMapLoader.lenient().load(root);
        assertTrue(map.has("A") && map.has("B"));
        assertFalse(map.has("OUT"));
        assertEquals(
                "root.xml, line 2: the import ../outside.xml lies outside the map's folder.",
                map.remarks().get(0));
        assertThrows(RegisterMapException.class, () -> RegisterMapLoader.strict().load(root));
    }
}
