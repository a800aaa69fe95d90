package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which hardware has what (rules-ng-ng, 2.3 and 2.4). */
class VariantsTest {
    private static final String CHIPS =
            "<enum name='chip'><value name='A'/><value name='B'/><value name='C-1'/>"
                    + "<value name='D'/></enum>"
                    + "<enum name='class'><value name='X'/><value name='Y'/></enum>";

    private static String on(RegisterMap map, String set) {
        StringBuilder having = new StringBuilder();
        for (VariantSet known : map.variantSets()) {
            for (String variant : known.names()) {
                if (known.name().equals(set) && map.on(Map.of(set, variant)).domain("D").has("R")) {
                    having.append(variant).append(' ');
                }
            }
        }
        return having.toString().strip();
    }

    @ParameterizedTest
    @CsvSource({
        "B, B",
        "A D, A D",
        "B-, B C-1 D",
        "-B, A B",
        ":B, A",
        "A-C-1, A B C-1",
        "A:C-1, A B",
        "C-1-D, C-1 D",
        "C-1, C-1",
        "A: , A B C-1 D",
        "D-A, ''"
    })
    void shouldUnderstandRanges(String variants, String having) {
        RegisterMap map =
                RegisterMapLoaderTest.load(
                        CHIPS
                                + "<domain name='D' prefix='chip'><reg8 name='R' offset='0' variants='"
                                + variants
                                + "'/></domain>");
        assertEquals(having, on(map, "chip"));
    }

    @Test
    void shouldAskAllThatSurroundsARegister() {
        RegisterMap map =
                RegisterMapLoaderTest.load(
                        CHIPS
                                + """
                                <domain name="D" prefix="chip" variants="B-">
                                  <stripe prefix="class" variants="X">
                                    <reg8 name="R" offset="0" varset="chip" variants="-C-1">
                                      <bitfield name="F" low="0" high="1" variants="X">
                                        <value value="0" name="ZERO" varset="chip" variants="B"/>
                                        <value value="0" name="NULL" varset="chip" variants="C-1-"/>
                                      </bitfield>
                                    </reg8>
                                  </stripe>
                                </domain>
                                """);
        assertEquals("B C-1", on(map, "chip"));
        assertEquals("X", on(map, "class"));
        Register register = map.domain("D").register("R");
        assertEquals("chip B-, class X, chip -C-1", register.variants().toString());
        assertEquals("ZERO", register.field("F").nameOf(0));
        assertEquals(
                "NULL",
                map.on(Map.of("chip", "C-1")).domain("D").register("R").field("F").nameOf(0));
        assertTrue(register.variants().has(Map.of("chip", "B", "class", "X")));
        assertFalse(register.variants().has(Map.of("chip", "B", "class", "Y")));
        assertEquals(map, RegisterMapWriterTest.writtenAndLoaded(map));
    }

    @Test
    void shouldKeepWhatDependsOnAnEnumerationThatIsMissing() {
        RegisterMap map =
                RegisterMapLoaderTest.load(
                        RegisterMapLoader.lenient(),
                        "<domain name='D' prefix='chip'><reg8 name='R' offset='0' variants='B-'/>"
                                + "</domain>");
        assertEquals(
                List.of("test.xml, line 2: there is no enumeration \"chip\" of variants."),
                map.remarks());
        assertEquals(List.of(new VariantSet("chip", List.of())), map.variantSets());
        assertTrue(map.on(Map.of("chip", "Z")).domain("D").has("R"));
        assertEquals("chip B-", map.domain("D").register("R").variants().toString());
        assertEquals(map, RegisterMapWriterTest.writtenAndLoaded(map));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "variants='B' | no varset says of which enumeration",
                "varset='chip' variants='Q' | \"Q\" names no variants of \"chip\"",
                "varset='chip' variants='A-Q' | \"A-Q\" names no variants of \"chip\"",
                "varset='chap' variants='A' | there is no enumeration \"chap\" of variants"
            })
    void shouldSayWhatIsWrongWithVariants(String attributes, String reason) {
        String body =
                CHIPS + "<domain name='D'><reg8 name='R' offset='0' " + attributes + "/></domain>";
        String message =
                assertThrows(RegisterMapException.class, () -> RegisterMapLoaderTest.load(body))
                        .getMessage();
        assertTrue(message.startsWith("test.xml, line 2: "), message);
        assertTrue(message.contains(reason), message);
    }
}
