package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Element;

/** CMSIS-SVD, of which other chips' registers are to be had. */
@Timeout(60)
class SvdMapTest {
    private static final Path PIECES = Path.of("src/test/data/rp2040/excerpt.svd");

    private static RegisterMap load(RegisterMapLoader loader, String peripherals) {
        String text =
                "<device schemaVersion=\"1.3\"><name>X</name><size>32</size>"
                        + "<resetMask>0xFFFFFFFF</resetMask><peripherals>\n"
                        + peripherals
                        + "</peripherals></device>";
        return loader.load(
                "chip.svd", new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** A peripheral P with these registers, understood without a remark. */
    private static RegisterDomain registers(String registers) {
        String text =
                "<peripheral><name>P</name><baseAddress>0x1000</baseAddress>\n<registers>"
                        + registers
                        + "</registers></peripheral>";
        RegisterMap map = load(RegisterMapLoader.strict(), text);
        assertEquals(map, RegisterMapWriterTest.writtenAndLoaded(map));
        return map.domain("P");
    }

    private static String register(String name, String offset, String more) {
        return "<register><name>"
                + name
                + "</name><addressOffset>"
                + offset
                + "</addressOffset>"
                + more
                + "</register>";
    }

    private static String field(String name, String bits, String more) {
        return "<field><name>" + name + "</name>" + bits + more + "</field>";
    }

    private static String decoded(RegisterDomain domain, long offset, long value) {
        StringBuilder text = new StringBuilder();
        RegisterText.appendFields(text, domain, offset, 4, value);
        return text.toString();
    }

    @Test
    void shouldReadPiecesOfAnRp2040() {
        RegisterMap map = RegisterMapLoader.strict().load(PIECES);
        agrees(map, PIECES);
        assertEquals("excerpt", map.name());
        RegisterDomain pll = map.domain("PLL_USB");
        assertEquals(0x4002c000, pll.baseAddress());
        assertEquals(0x1000, pll.sizeBytes());
        assertEquals("LOCK=1 BYPASS=1 REFDIV=1", decoded(pll, 0, 0x80000101L));
        assertEquals(0x00077000, pll.register("PRIM").resetValue());
        RegisterDomain timer = map.domain("TIMER");
        assertEquals(RegisterAccess.W1C, timer.register("INTR").field("ALARM_0").access());
        assertEquals(RegisterAccess.WO, timer.register("TIMEHW").access());
        assertFalse(timer.register("TIMERAWL").readEffect().harmless());
        assertTrue(timer.doc().text().startsWith("Controls time and alarms\ntime is a 64 bit"));
        assertEquals("Controls time and alarms", timer.brief());
    }

    @Test
    void shouldReadAWholeRp2040() {
        Path file = TestData.folder().resolve("rp2040.svd");
        RegisterMap map = RegisterMapLoader.strict().load(file);
        agrees(map, file);
        assertEquals(35, map.domains().size());
        assertEquals(map, RegisterMapWriterTest.writtenAndLoaded(map));
        RegisterDomain space = map.addressSpace("ALL", 0x40000000L);
        assertEquals("UART1.UARTDR", RegisterText.name(space, 0x38000, 4));
        assertEquals("TIMER.TIMERAWL", RegisterText.name(space, 0x54028, 4));
    }

    /** Every register, and every field by its bits, is what a second reading of the file says. */
    private static void agrees(RegisterMap map, Path file) {
        List<NaiveExpander.Place> places = NaiveExpander.ofPlainSvd(file);
        int count = map.domains().stream().mapToInt(d -> d.registers().size()).sum();
        assertEquals(places.size(), count);
        for (NaiveExpander.Place place : places) {
            Register register = map.domain(place.domain()).register(place.name());
            assertEquals(place.first(), register.offset());
            assertEquals(32, register.widthBits());
        }
        for (Element peripheral :
                NaiveExpander.children(
                        NaiveExpander.child(NaiveExpander.parse(file), "peripherals"))) {
            String name = NaiveExpander.text(peripheral, "name");
            Element registers = NaiveExpander.child(peripheral, "registers");
            for (Element element :
                    registers == null ? List.<Element>of() : NaiveExpander.children(registers)) {
                Register register = map.domain(name).register(NaiveExpander.text(element, "name"));
                assertEquals(
                        Long.decode(NaiveExpander.text(element, "resetValue")),
                        register.resetValue());
                Element fields = NaiveExpander.child(element, "fields");
                for (Element field :
                        fields == null ? List.<Element>of() : NaiveExpander.children(fields)) {
                    RegisterField read = register.field(NaiveExpander.text(field, "name"));
                    assertEquals(
                            NaiveExpander.text(field, "bitRange"),
                            "[" + read.high() + ":" + read.low() + "]");
                }
            }
        }
    }

    @Test
    void shouldReadArraysOfRegistersAndClusters() {
        RegisterDomain domain =
                registers(
                        """
                        <cluster><dim>4</dim><dimIncrement>0x40</dimIncrement>
                          <name>CH[%s]</name><addressOffset>0x100</addressOffset>
                          <register><name>CTRL</name><addressOffset>0</addressOffset></register>
                          <cluster><dim>2</dim><dimIncrement>8</dimIncrement><dimIndex>A,B</dimIndex>
                            <name>SIDE_%s</name><addressOffset>0x10</addressOffset>
                            <register><name>DATA</name><addressOffset>4</addressOffset><size>16</size></register>
                          </cluster>
                        </cluster>
                        <register><dim>3</dim><dimIncrement>4</dimIncrement><dimIndex>5-7</dimIndex>
                          <name>IRQ%s</name><addressOffset>0x10</addressOffset></register>
                        <register><dim>2</dim><dimIncrement>4</dimIncrement><dimIndex>X-Y</dimIndex>
                          <name>POS_%s</name><addressOffset>0x20</addressOffset></register>
                        <register><dim>1</dim><dimIncrement>4</dimIncrement>
                          <name>ONE%s</name><addressOffset>0x30</addressOffset></register>
                        <register><dim>2</dim><dimIncrement>4</dimIncrement><name>N%s</name>
                          <dimArrayIndex><enumeratedValue><name>low</name><value>0</value></enumeratedValue>
                            <enumeratedValue><name>high</name><value>1</value></enumeratedValue></dimArrayIndex>
                          <addressOffset>0x40</addressOffset></register>
                        """);
        assertEquals("CH[3].CTRL", RegisterText.name(domain, 0x1c0, 4));
        assertEquals("CH[2].SIDE_B.DATA", RegisterText.name(domain, 0x19c, 2));
        assertEquals("CH.SIDE_.DATA", domain.find(0x19c).name());
        assertEquals("IRQ5", RegisterText.name(domain, 0x10, 4));
        assertEquals("IRQ7", RegisterText.name(domain, 0x18, 4));
        assertEquals("POS_Y", RegisterText.name(domain, 0x24, 4));
        assertEquals("ONE0", RegisterText.name(domain, 0x30, 4));
        assertEquals("Nhigh", RegisterText.name(domain, 0x44, 4));
    }

    @Test
    void shouldReadWhatIsDerived() {
        RegisterMap map =
                load(
                        RegisterMapLoader.strict(),
                        """
                        <peripheral><name>A</name><baseAddress>0</baseAddress><prependToName>A_</prependToName><registers>
                          <register><name>R0</name><description>First</description><addressOffset>0</addressOffset>
                            <fields>
                              <field><name>MODE</name><bitRange>[1:0]</bitRange>
                                <enumeratedValues><name>Modes</name>
                                  <enumeratedValue><name>OFF</name><value>0</value></enumeratedValue>
                                </enumeratedValues></field>
                              <field derivedFrom="MODE"><name>MODE2</name><bitRange>[3:2]</bitRange></field>
                              <field><name>OTHER</name><bitRange>[5:4]</bitRange>
                                <enumeratedValues derivedFrom="R0.MODE.Modes"/></field>
                            </fields></register>
                          <register derivedFrom="R0"><name>R1</name><addressOffset>4</addressOffset>
                            <fields><field><name>EXTRA</name><lsb>8</lsb><msb>9</msb>
                              <enumeratedValues derivedFrom="Modes"/></field></fields></register>
                        </registers></peripheral>
                        <peripheral derivedFrom="A"><name>B</name><baseAddress>0x1000</baseAddress>
                          <prependToName>B_</prependToName>
                          <registers><register><name>R2</name><addressOffset>8</addressOffset></register>
                            <register derivedFrom="A.R0"><name>R3</name><addressOffset>0xc</addressOffset></register></registers>
                        </peripheral>
                        <peripheral><dim>2</dim><dimIncrement>0x100</dimIncrement><name>U%s</name>
                          <baseAddress>0x2000</baseAddress>
                          <registers><register derivedFrom="B.R2"><name>R</name></register></registers>
                        </peripheral>
                        """);
        assertEquals("MODE=OFF MODE2=OFF OTHER=OFF", decoded(map.domain("A"), 0, 0));
        assertEquals("MODE=1 MODE2=OFF OTHER=OFF EXTRA=OFF", decoded(map.domain("A"), 4, 1));
        assertEquals("First", map.domain("B").register("B_R1").brief());
        assertEquals(
                List.of("B_R0", "B_R1", "B_R2", "B_R3"),
                map.domain("B").registers().stream().map(Register::name).toList());
        assertEquals(0x2100, map.domain("U1").baseAddress());
        assertEquals(8, map.domain("U1").register("R").offset());
    }

    @Test
    void shouldReadAccessAndWhatReadsAndWritesDo() {
        String fields =
                "<fields>"
                        + field(
                                "TOGGLE",
                                "<bitRange>[0:0]</bitRange>",
                                "<modifiedWriteValues>oneToToggle</modifiedWriteValues>")
                        + field("PLAIN", "<bitOffset>1</bitOffset><bitWidth>2</bitWidth>", "")
                        + field(
                                "ONCE",
                                "<lsb>3</lsb><msb>3</msb>",
                                "<access>read-writeOnce</access>")
                        + field(
                                "GONE",
                                "<bitRange>[4:4]</bitRange>",
                                "<access>read-only</access><readAction>clear</readAction>")
                        + field(
                                "Z",
                                "<bitRange>[5:5]</bitRange>",
                                "<modifiedWriteValues>zeroToSet</modifiedWriteValues>")
                        + "<field><dim>2</dim><dimIncrement>4</dimIncrement><name>PIN%s</name>"
                        + "<bitRange>[9:8]</bitRange></field>"
                        + "</fields>";
        RegisterDomain domain =
                registers(
                        register(
                                        "R",
                                        "0",
                                        "<access>read-write</access><resetValue>0x1ff</resetValue>"
                                                + "<resetMask>0xf0</resetMask>"
                                                + fields)
                                + register(
                                        "C",
                                        "4",
                                        "<access>read-write</access>"
                                                + "<modifiedWriteValues>clear</modifiedWriteValues>"));
        Register register = domain.register("R");
        assertEquals(RegisterAccess.W1T, register.field("TOGGLE").access());
        assertEquals(RegisterAccess.RW, register.field("PLAIN").access());
        assertEquals(6, register.field("PLAIN").mask());
        assertTrue(register.field("ONCE").rules().writeOnce());
        assertEquals(RegisterAccess.RO, register.field("GONE").access());
        assertEquals(RegisterAccess.W0S, register.field("Z").access());
        assertEquals(0x3000, register.field("PIN1").mask());
        assertEquals(ReadEffect.PRESENT, register.readEffect());
        assertEquals(0xf0, register.resetKnownMask());
        assertEquals(0xf0, register.resetValue());
        assertEquals(RegisterAccess.WC, domain.register("C").access());
        assertEquals(ReadEffect.UNKNOWN, domain.register("C").readEffect());
    }

    @Test
    void shouldNameValuesByPatternAndByDefault() {
        String values =
                """
                <enumeratedValues><usage>read</usage>
                  <enumeratedValue><name>others</name><isDefault>true</isDefault></enumeratedValue>
                  <enumeratedValue><name>off</name><value>0</value></enumeratedValue>
                  <enumeratedValue><name>odd</name><value>#1xx1</value></enumeratedValue>
                  <enumeratedValue><name>four</name><value>0b0100</value></enumeratedValue>
                </enumeratedValues>
                <enumeratedValues><usage>write</usage>
                  <enumeratedValue><name>go</name><value>0x2</value></enumeratedValue>
                </enumeratedValues>
                """;
        RegisterDomain domain =
                registers(
                        register(
                                "R",
                                "0",
                                "<fields>"
                                        + field("F", "<bitRange>[3:0]</bitRange>", values)
                                        + "</fields>"));
        RegisterField field = domain.register("R").field("F");
        assertEquals("off", field.nameOf(0));
        assertEquals("go", field.nameOf(2));
        assertEquals("four", field.nameOf(4));
        assertEquals("odd", field.nameOf(0xb));
        assertEquals("others", field.nameOf(7));
    }

    @ParameterizedTest
    @CsvSource({
        "12, 12",
        "0x1F, 31",
        "0X1f, 31",
        "#101, 5",
        "0b11, 3",
        "2k, 2048",
        "+7, 7",
        "1M, 1048576",
        "0xFFFFFFFFFFFFFFFF, -1"
    })
    void shouldReadNumbersInAllTheirForms(String text, long value) {
        assertEquals(value, SvdNumbers.parse(text).value());
    }

    @ParameterizedTest
    @CsvSource({
        "''",
        "0x",
        "1.5",
        "abc",
        "-1",
        "#2",
        "0x10000000000000000",
        "k",
        "99999999999999999999999"
    })
    void shouldTakeNothingElseForANumber(String text) {
        assertEquals(null, SvdNumbers.parse(text));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<peripheral derivedFrom='Q'><name>P</name></peripheral> | line 2: it derives from \"Q\", and there is no such peripheral",
                "<peripheral derivedFrom='P'><name>P</name></peripheral> | line 2: it derives from \"P\", and there is no such peripheral",
                "<peripheral derivedFrom='B'><name>A</name></peripheral><peripheral derivedFrom='A'><name>B</name></peripheral> | line 2: it derives from itself",
                "<peripheral/> | line 2: the <peripheral> has no name",
                "<peripheral><name>P</name></peripheral><peripheral><name>P</name></peripheral> | two peripherals \"P\"",
                "<peripheral><name>P</name><dim>5000</dim><dimIncrement>1</dimIncrement></peripheral> | no %s for the index",
                "<peripheral><name>P%s</name><dim>5000</dim><dimIncrement>1</dimIncrement></peripheral> | too many",
                "<peripheral><name>P%s</name><dim>2</dim></peripheral> | dimIncrement of at least 1",
                "<peripheral><name>P</name><frob/></peripheral> | <frob> means nothing in <peripheral>",
                "<peripheral><name>P</name><baseAddress>x</baseAddress></peripheral> | <baseAddress> is \"x\", which is no number",
                "<frob/> | <frob> means nothing in <peripherals>"
            })
    void shouldSayWhatIsWrongWithAPeripheral(String peripherals, String reason) {
        refuses(peripherals, reason);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<size>128</size> | a register of 128 bits is too wide",
                "<size>24</size> | its 24 bits are taken as the lower ones of 32",
                "<access>sometimes</access> | access is \"sometimes\"",
                "<modifiedWriteValues>maybe</modifiedWriteValues> | modifiedWriteValues is \"maybe\"",
                "<fields><field><name>F</name><bitRange>[32:0]</bitRange></field></fields> | has the bits 32 to 0, and 31 to 0 are there",
                "<fields><field><name>F</name><bitRange>[0-1]</bitRange></field></fields> | says not where its bits are",
                "<fields><field><name>F</name></field></fields> | says not where its bits are",
                "<fields><field><name>F%s</name><dim>9</dim><dimIncrement>8</dimIncrement><bitRange>[7:0]</bitRange></field></fields> | reaches beyond its register",
                "<dim>0xffffffffffffff</dim><dimIncrement>0xffffffffffff</dimIncrement> | lies beyond 2^63",
                "<dim>2</dim><dimIncrement>4</dimIncrement><dimIndex>a,b,c</dimIndex> | as many names as dim says"
            })
    void shouldSayWhatIsWrongWithARegister(String more, String reason) {
        refuses(
                "<peripheral><name>P</name><registers>"
                        + register("R%s", "0", more)
                        + "</registers></peripheral>",
                reason);
    }

    private static void refuses(String peripherals, String reason) {
        String sentence =
                assertThrows(
                                RegisterMapException.class,
                                () -> load(RegisterMapLoader.strict(), peripherals))
                        .getMessage();
        assertTrue(sentence.startsWith("chip.svd, line "), sentence);
        assertTrue(sentence.contains(reason), sentence);
    }

    @Test
    void shouldRefuseClustersThatContainThemselves() {
        refuses(
                """
                <peripheral><name>P</name><registers>
                  <cluster><name>C</name><addressOffset>0</addressOffset>
                    <cluster derivedFrom="C"><name>D</name></cluster>
                  </cluster></registers></peripheral>
                """,
                "clusters stand deeper in clusters");
    }

    @Test
    void shouldHoldHugeArraysWithoutTheirElements() {
        RegisterDomain domain =
                registers(
                        """
                        <cluster><dim>0x100000</dim><dimIncrement>0x1000</dimIncrement>
                          <name>Q[%s]</name><addressOffset>0</addressOffset>
                          <register><dim>0x100</dim><dimIncrement>0x10</dimIncrement>
                            <name>E[%s]</name><addressOffset>8</addressOffset></register>
                        </cluster>
                        """);
        assertEquals(1, domain.registers().size());
        assertEquals("Q[1048575].E[255]", RegisterText.name(domain, 0xfffffff8L, 4));
    }
}
