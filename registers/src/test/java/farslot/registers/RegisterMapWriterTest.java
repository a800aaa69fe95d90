package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** What is written is loaded strictly, and equals what it was. */
class RegisterMapWriterTest {
    static RegisterMap writtenAndLoaded(RegisterMap map) {
        byte[] xml = RegisterMapWriter.write(map).getBytes(StandardCharsets.UTF_8);
        return RegisterMapLoader.strict().load("written.xml", new ByteArrayInputStream(xml));
    }

    @Test
    void shouldKeepWhatAMapSays() {
        RegisterMap map =
                RegisterMapLoaderTest.load(
                        """
                        <enum name="chip"><value name="NV40"/><value name="NV50"/><value name="G80"/></enum>
                        <enum name="css"><value value="0" name="NVM &lt;1&gt;"><brief>a &amp; b</brief></value></enum>
                        <bitset name="xy"><bitfield name="X" low="0" high="3" type="int" shr="2"/></bitset>
                        <group name="g"><reg16 offset="4" name="P" type="xy" f:access="rw"/></group>
                        <domain name="BAR0" size="0x4000" f:read-effects="none">
                          <brief>The controller's "registers"</brief>
                          <reg32 offset="0x14" name="CC" f:access="rw" f:volatile="yes">
                            <bitfield name="EN" pos="0" f:volatile="no" f:reset="1"/>
                            <bitfield name="CSS" low="4" high="6" type="css" f:access="w1c"/>
                            <bitfield name="XY" low="8" high="11" type="xy" f:write-once="yes"/>
                          </reg32>
                          <array name="TP" offset="0x1000" stride="0x100" length="8" varset="chip" variants="NV50-">
                            <array name="MP" offset="0x20" stride="0x10" length="2">
                              <use-group name="g"/>
                              <reg32 offset="0" name="Q" f:label="Q{0}_{1}" f:read-effects="present"/>
                            </array>
                          </array>
                        </domain>
                        <domain name="&#10;odd"/>
                        """);
        RegisterMap again = writtenAndLoaded(map);
        assertEquals(map, again);
        assertEquals("TP[7].MP[1].P", again.domain("BAR0").find(0x1734).nameAt(0x1734));
        assertEquals("Q7_1", again.domain("BAR0").find(0x1730).nameAt(0x1730));
    }

    @Test
    void shouldKeepTheMapOfConfigurationSpace() {
        assertEquals(ConfigurationMap.pci(), writtenAndLoaded(ConfigurationMap.pci()));
        RegisterDomain joined =
                ConfigurationMap.of(
                        List.of(new ConfigurationMap.Capability(0x10, false, 0x40, 60)), null);
        RegisterMap map = new RegisterMap("joined", List.of(joined));
        assertEquals(map, writtenAndLoaded(map));
    }

    @Test
    void shouldReplaceWhatXmlCannotHold() {
        RegisterDomain domain = new RegisterDomain("a\u0001b\uD800", 0, Doc.NONE, List.of());
        RegisterMap map = new RegisterMap("m", List.of(domain));
        assertTrue(writtenAndLoaded(map).has("a\uFFFDb\uFFFD"));
    }

    @Property(tries = 300)
    void shouldKeepWhateverCanBeLoaded(@ForAll long seed) {
        byte[] bytes = new byte[500];
        new Random(seed).nextBytes(bytes);
        byte[] xml = MapGrammar.xml(bytes);
        RegisterMap map;
        try {
            map = RegisterMapLoader.lenient().load("any.xml", new ByteArrayInputStream(xml));
        } catch (RegisterMapException refused) {
            return;
        }
        String written = RegisterMapWriter.write(map);
        assertEquals(
                map,
                writtenAndLoaded(map),
                () -> new String(xml, StandardCharsets.UTF_8) + "\n" + written);
    }
}
