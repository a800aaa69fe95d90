package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Maps that were made to harm: they are refused by name, or read within bounds. */
@Timeout(60)
class HostileMapTest {
    @TempDir Path folder;

    private static String refusal(byte[] bytes) {
        RegisterMapLoader loader = RegisterMapLoader.lenient();
        return assertThrows(
                        RegisterMapException.class,
                        () -> loader.load("bad.xml", new ByteArrayInputStream(bytes)))
                .getMessage();
    }

    private static String refusal(String text) {
        return refusal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static RegisterMap lenient(String body) {
        return RegisterMapLoaderTest.load(RegisterMapLoader.lenient(), body);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void shouldRefuseEntities() {
        String bomb =
                """
                <!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">
                <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
                """;
        String refused = "bad.xml, line 2: document types and entities are refused";
        assertTrue(refusal(bomb + "<database>&b;</database>").startsWith(refused));
        assertTrue(refusal(bomb + "<device><name>&b;</name></device>").startsWith(refused));
        assertTrue(refusal("<database>\n&b;</database>").startsWith("bad.xml, line 2: "));
    }

    @Test
    void shouldRefuseWhatIsNestedTooDeep() {
        String deep = "<a>".repeat(100_000);
        assertTrue(refusal("<database>\n" + deep).contains("line 2: elements are nested deeper"));
        assertTrue(refusal("<device>\n" + deep).contains("line 2: elements are nested deeper"));
    }

    @Test
    void shouldRefuseWhatIsTooLong() {
        byte[] bytes = new byte[(16 << 20) + 1];
        assertTrue(refusal(bytes).contains("longer than 16 MiB"));
    }

    @Test
    void shouldSayInWhichLineAFileIsNoText() {
        byte[] latin =
                "<database>\n\n<!-- \u00e9 --></database>".getBytes(StandardCharsets.ISO_8859_1);
        assertEquals(
                "bad.xml, line 3: the file is not UTF-8, as register maps are.", refusal(latin));
    }

    @Test
    void shouldReadNothingThroughALinkOutOfTheFolder() throws IOException {
        Path inner = Files.createDirectory(folder.resolve("maps"));
        Path secret = write("secret.xml", "<database><domain name='SECRET'/></database>");
        Files.createSymbolicLink(inner.resolve("near.xml"), secret);
        Path map = write("maps/map.xml", "<database><import file='near.xml'/></database>");
        RegisterMap read = RegisterMapLoader.lenient().load(map);
        assertEquals(List.of(), read.domains());
        assertEquals(
                List.of("map.xml, line 1: the import near.xml lies outside the map's folder."),
                read.remarks());
        assertTrue(RegisterMapLoader.lenient().load(map, folder).has("SECRET"));
        assertThrows(
                RegisterMapException.class, () -> RegisterMapLoader.lenient().load(secret, inner));
    }

    @Test
    void shouldReadEachFileOfACircleOnce() throws IOException {
        write("a.xml", "<database><import file='b.xml'/><domain name='A'/></database>");
        write("b.xml", "<database><import file='a.xml'/><import file='b.xml'/></database>");
        RegisterMap read = RegisterMapLoader.strict().load(folder.resolve("a.xml"));
        assertEquals(1, read.domains().size());
    }

    @Test
    void shouldRefuseTooManyFiles() throws IOException {
        for (int i = 0; i < 1100; i++) {
            write(i + ".xml", "<database><import file='" + (i + 1) + ".xml'/></database>");
        }
        String refused =
                assertThrows(
                                RegisterMapException.class,
                                () -> RegisterMapLoader.lenient().load(folder.resolve("0.xml")))
                        .getMessage();
        assertTrue(refused.contains("imports more than 1000 files"), refused);
    }

    @Test
    void shouldImportNoDescriptionOfAChip() throws IOException {
        write("chip.svd", "<device/>");
        Path map = write("map.xml", "<database><import file='chip.svd'/></database>");
        String refused =
                assertThrows(
                                RegisterMapException.class,
                                () -> RegisterMapLoader.lenient().load(map))
                        .getMessage();
        assertTrue(refused.startsWith("chip.svd, line 1: "), refused);
    }

    @Test
    void shouldLeaveOutArraysThatMakeLookupsSlow() {
        StringBuilder body = new StringBuilder("<domain name='D'>");
        body.append("<stripe stride='1' length='1000000'>".repeat(4));
        body.append("<reg8 name='R' offset='0'/>");
        body.append("</stripe>".repeat(4)).append("</domain>");
        RegisterMap map = lenient(body.toString());
        assertEquals(List.of(), map.domain("D").registers());
        assertTrue(map.remarks().getFirst().contains("a lookup takes too long"));
    }

    @Test
    void shouldLookUpAmongAllThatLiesOverEachOther() {
        StringBuilder body = new StringBuilder("<domain name='D'>");
        for (int i = 0; i < 5000; i++) {
            body.append("<reg32 name='R").append(i).append("' offset='0' length='0'/>");
        }
        RegisterDomain domain = lenient(body + "</domain>").domain("D");
        assertEquals(5000, domain.findAll(0x1000).size());
        assertEquals("R0[1024]", domain.find(0x1000).nameAt(0x1000));
    }

    @Test
    void shouldHoldLongTextsOnceHoweverOftenTheyAreUsed() {
        StringBuilder body = new StringBuilder("<group name='g'><reg8 name='R' offset='0'><doc>");
        body.append("long ".repeat(13_000)).append("</doc></reg8></group><domain name='D'>");
        body.append("<use-group name='g'/>".repeat(50_000)).append("</domain>");
        assertEquals(50_000, lenient(body.toString()).domain("D").registers().size());
    }

    @Test
    void shouldRefuseDescriptionsThatDoubleAndDouble() {
        StringBuilder text = new StringBuilder("<device><peripherals>");
        text.append("<peripheral><name>P</name><registers>");
        text.append("<cluster><name>C0</name><register><name>R</name></register></cluster>");
        for (int i = 1; i < 40; i++) {
            text.append("<cluster><name>C").append(i).append("</name>");
            for (char side : new char[] {'A', 'B', 'D'}) {
                text.append("<cluster derivedFrom='P.C").append(i - 1);
                text.append("'><name>").append(side).append("</name></cluster>");
            }
            text.append("</cluster>");
        }
        text.append("</registers></peripheral></peripherals></device>");
        String refused = refusal(text.toString());
        assertTrue(refused.startsWith("bad.xml, line 1: "), refused);
        assertTrue(
                refused.contains("more than 1000000 registers") || refused.contains("deeper"),
                refused);
    }

    @Test
    void shouldCommandNoTerminal() {
        RegisterMap map = lenient("<domain name='D&#x9b;2J&#10;'><brief>&#x9b;x</brief></domain>");
        RegisterDomain domain = map.domains().getFirst();
        assertEquals("D\uFFFD2J\uFFFD", domain.name());
        assertEquals("\uFFFDx", domain.brief());
    }

    @Test
    void shouldSpeakInShortSentencesOfLongNames() {
        RegisterMap map =
                lenient(
                        "<domain name='D'><reg8 name='R' offset='0' type='"
                                + "n".repeat(1 << 20)
                                + "'/></domain>");
        assertTrue(map.remarks().getFirst().length() < 500);
        String svd =
                "<device><peripherals><peripheral derivedFrom='"
                        + "n".repeat(1 << 20)
                        + "'/></peripherals></device>";
        RegisterMapLoader loader = RegisterMapLoader.strict();
        String sentence =
                assertThrows(
                                RegisterMapException.class,
                                () ->
                                        loader.load(
                                                "x.svd",
                                                new ByteArrayInputStream(
                                                        svd.getBytes(StandardCharsets.UTF_8))))
                        .getMessage();
        assertTrue(sentence.length() < 500, sentence);
    }
}
