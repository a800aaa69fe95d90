package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(60)
class RegsCommandTest {
    private static final String MAP =
            """
            <database xmlns:f="urn:farslot:registers">
              <enum name="chip"><value name="A"/><value name="B"/></enum>
              <domain name="ONE" size="0x100" prefix="chip">
                <reg32 name="CTRL" offset="0">
                  <doc>Starts and stops.</doc>
                  <bitfield name="GO" pos="0"/>
                  <bitfield name="RATE" low="4" high="7" min="1" max="9"/>
                  <bitfield name="OLD" pos="8" variants="A"/>
                </reg32>
                <reg32 name="WAS" offset="4" variants="A"/>
                <reg32 name="IS" offset="4" variants="B" f:read-effects="none"/>
                <array name="Q" offset="0x10" stride="8" length="4">
                  <reg32 name="HEAD" offset="0"/>
                </array>
              </domain>
              <domain name="TWO">
                <reg16 name="CTRL" offset="0"/>
                <reg16 name="ODD" offset="1"/>
              </domain>
            </database>
            """;

    @TempDir Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private String map;

    @BeforeEach
    void writeMap() throws IOException {
        map = Files.writeString(folder.resolve("map.xml"), MAP).toString();
    }

    private int farslot(String... args) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(args);
    }

    private JsonNode json() {
        return JsonMapper.shared().readTree(out.toString());
    }

    @Test
    void shouldListDomainsAndVariants() {
        assertEquals(ExitCode.OK, farslot("regs", "show", map));
        assertEquals(
                """
                DOMAIN  ADDRESS  BYTES  REGISTERS  MEANING
                ONE     -        0x100  4
                TWO     -        -      2

                Variants of chip: A B
                """,
                out.toString());
        assertEquals(ExitCode.OK, farslot("regs", "show", map, "--json"));
        assertEquals("ONE", json().get("domains").get(0).get("name").asString());
        assertEquals("B", json().get("variants").get(0).get("names").get(1).asString());
    }

    @Test
    void shouldListTheRegistersOfADomain() {
        assertEquals(ExitCode.OK, farslot("regs", "show", map + "#one"));
        assertEquals(
                """
                OFFSET  BITS  ACCESS   NAME         VARIANTS  MEANING
                0x0     32    unknown  CTRL                   Starts and stops.
                0x4     32    unknown  WAS          chip A
                0x4     32    unknown  IS           chip B
                0x10    32    unknown  Q[{0..3}].HEAD
                """
                        .replaceAll(" +", " "),
                out.toString().replaceAll(" +", " "));
    }

    @Test
    void shouldShowARegisterByNameElementFieldAndOffset() {
        assertEquals(ExitCode.OK, farslot("regs", "show", map + "#ONE", "ctrl"));
        assertTrue(out.toString().contains("CTRL  ONE+0x0  32 bits"), out.toString());
        assertTrue(out.toString().contains("Starts and stops."), out.toString());
        assertTrue(out.toString().contains("hex, 1 to 9"), out.toString());
        assertEquals(ExitCode.OK, farslot("regs", "show", map, "CTRL.RATE", "--json"));
        assertEquals(1, json().size());
        assertEquals(1, json().get(0).get("fields").size());
        assertEquals("0x9", json().get(0).get("fields").get(0).get("maximum").asString());
        assertEquals(ExitCode.OK, farslot("regs", "show", map, "Q[2].HEAD"));
        assertTrue(out.toString().startsWith("Q[2].HEAD  ONE+0x20  "), out.toString());
        assertEquals(ExitCode.OK, farslot("regs", "show", map, "Q.HEAD"));
        assertTrue(out.toString().contains("4 of them, 0x8 bytes apart"), out.toString());
        assertEquals(ExitCode.OK, farslot("regs", "show", map + "#ONE", "0x21"));
        assertTrue(out.toString().startsWith("Q[2].HEAD  ONE+0x20  "), out.toString());
        assertEquals(ExitCode.OK, farslot("regs", "show", map + "#ONE", "4"));
        assertTrue(out.toString().contains("WAS") && out.toString().contains("IS"));
    }

    @Test
    void shouldLeaveOutWhatOtherHardwareHas() {
        assertEquals(ExitCode.OK, farslot("regs", "show", map + "#ONE", "--variant", "chip=B"));
        assertFalse(out.toString().contains("WAS"), out.toString());
        assertTrue(out.toString().contains("IS"), out.toString());
        assertEquals(ExitCode.NOT_FOUND, farslot("regs", "show", map, "--variant", "chip=C"));
        assertEquals("farslot: \"chip\" has no variant \"C\"; there are: A, B.\n", err.toString());
        assertEquals(ExitCode.NOT_FOUND, farslot("regs", "show", map, "--variant", "chap=A"));
        assertTrue(err.toString().contains("did you mean \"chip\"?"), err.toString());
    }

    @Test
    void shouldDecodeAValue() {
        assertEquals(ExitCode.OK, farslot("regs", "decode", map + "#ONE", "CTRL", "0x3000a1"));
        assertEquals(
                """
                CTRL  ONE+0x0  0x003000a1  Starts and stops.
                BITS   FIELD  VALUE              MEANING
                0      GO     1
                7:4    RATE   0xa (not allowed)
                8      OLD    0
                21:20  ?      3                  no field has these bits
                """
                        .replaceAll(" +", " "),
                out.toString().replaceAll(" +", " ").replace("0x3 no", "3 no"));
        assertEquals(ExitCode.OK, farslot("regs", "decode", map + "#ONE", "CTRL", "1", "--json"));
        JsonNode rate = json().get("parts").get(1);
        assertEquals("RATE", rate.get("name").asString());
        assertFalse(rate.get("allowed").asBoolean());
    }

    @Test
    void shouldKnowTheMapsOfItsOwnDevices() {
        assertEquals(ExitCode.OK, farslot("regs", "decode", "nvme", "CC", "0x460001"));
        assertTrue(out.toString().contains("ROUND_ROBIN"), out.toString());
        assertEquals(ExitCode.OK, farslot("regs", "show", "nvme", "SQ3TDBL"));
        assertTrue(out.toString().startsWith("SQ3TDBL  BAR0+0x1018"), out.toString());
        for (String kind : List.of("nvme", "edu", "pci")) {
            assertEquals(ExitCode.OK, farslot("regs", "check", kind, "--overlaps"), out::toString);
        }
    }

    @Test
    void shouldSayWhatIsWrongWithAMap() throws IOException {
        assertEquals(ExitCode.OK, farslot("regs", "check", map, "--overlaps"));
        assertEquals(
                "TWO, ODD and CTRL share the byte at 0x1.\n"
                        + map
                        + ": 2 domains, 6 definitions of 9 registers; 0 wrong, 1 overlapping\n",
                out.toString());
        Path bad = folder.resolve("bad.xml");
        Files.writeString(
                bad,
                """
                <database>
                  <domain name="D" size="4">
                    <reg32 name="R" offset="4" frob="1">
                      <bitfield name="F" low="30" high="32"/>
                      <bitfield name="G" pos="0"><value name="TWO" value="2"/></bitfield>
                    </reg32>
                    <reg8 name="R" offset="0"/>
                  </domain>
                </database>
                """);
        assertEquals(ExitCode.FAILED, farslot("regs", "check", bad.toString()));
        assertEquals(
                """
                bad.xml, line 3: the attribute "frob" is unknown to <reg32>.
                bad.xml, line 4: the field F has the bits 32 to 30, and 31 to 0 are there.
                D, R ends at 0x8, and the domain at 0x4.
                D, R.G has the value TWO, 0x2, which 1 bits cannot hold.
                D, R is also the name of what is at 0x4.
                %s: 1 domains, 2 definitions of 2 registers; 5 wrong, 0 overlapping
                """
                        .formatted(bad),
                out.toString());
        assertEquals(ExitCode.OK, farslot("regs", "show", bad.toString()));
        assertTrue(err.toString().contains("2 things in it could not be read"), err.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "show nvem | 4 | no kind of device of that name with a register map; did you mean \"nvme\"?",
                "show missing.svd | 4 | There is no register map missing.svd.",
                "show nvme#BAR1 | 4 | The map nvme has no domain \"BAR1\"; did you mean \"BAR0\"?",
                "show nvme CTSS | 4 | nvme has no register \"CTSS\"; did you mean \"CSTS\"?",
                "show nvme#BAR0 0x1ff0 | 4 | nvme#BAR0 has no register at 0x1ff0.",
                "show nvme --variant a=b | 4 | knows a set of variants \"a\"; there are none.",
                "decode nvme CC | 2 | VALUE",
                "decode nvme CC 1x | 2 | \"1x\" is no number",
                "decode nvme CC 0x100000000 | 2 | does not fit CC, which has 32 bits",
                "decode nvme 0 1 | 2 | \"0\" is in BAR0 and in ADMIN_SUBMISSION",
                "check | 2 | MAP",
                "shwo nvme | 2 | did you mean \"show\"?"
            })
    void shouldRefuseInOneSentence(String arguments, int exitCode, String reason) {
        assertEquals(exitCode, farslot(("regs " + arguments).split(" ", -1)), err::toString);
        assertTrue(err.toString().contains(reason), err.toString());
        assertEquals("", out.toString());
    }

    @Test
    void shouldRefuseAMapThatIsNone() throws IOException {
        String file = Files.writeString(folder.resolve("x.svd"), "<html/>\n").toString();
        assertEquals(ExitCode.USAGE, farslot("regs", "check", file));
        assertTrue(err.toString().startsWith("farslot: x.svd, line 1: a register map is"));
    }
}
