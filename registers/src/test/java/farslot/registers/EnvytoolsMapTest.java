package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A register database that others wrote: envytools' of NVIDIA's hardware. */
@Timeout(60)
class EnvytoolsMapTest {
    private static final Path PIECES = Path.of("src/test/data/envytools/map.xml");

    @Test
    void shouldReadPiecesOfTheDatabase() {
        RegisterMap map = RegisterMapLoader.lenient().load(PIECES);
        assertEquals(
                List.of(
                        "hw_blk.xml, line 8: the import falcon.xml is neither beside this file nor"
                                + " beside the map's first one.",
                        "hw_blk.xml, line 9: the import g80_defs.xml is neither beside this file"
                                + " nor beside the map's first one."),
                map.remarks());
        agrees(map, NaiveExpander.ofRulesNg(PIECES.toAbsolutePath()));
        RegisterDomain mmio = map.domain("NV_MMIO");
        assertEquals("PXBAR.GPC_UNK2[3].HW_BLK.SLCG", RegisterText.name(mmio, 0x13cc64, 4));
        Register fault = mmio.register("PTIMER.MMIO_FAULT_ADDRESS");
        assertEquals("Write 0 to ACK the information on GF100+", fault.doc().text());
        assertEquals("chipset NV3-, chipset NV41-", fault.variants().toString());
        StringBuilder text = new StringBuilder();
        RegisterText.appendFields(text, mmio, fault.offset(), 4, 0x1006);
        assertEquals("UNK0=0 ACCESS=WRITE ADDRESS=0x1004", text.toString());
    }

    @Test
    void shouldKnowWhichChipHasARegister() {
        RegisterMap map = RegisterMapLoader.lenient().load(PIECES);
        assertEquals("chipset", map.variantSets().getFirst().name());
        RegisterDomain nv1 = map.on(Map.of("chipset", "NV1")).domain("NV_MMIO");
        RegisterDomain nv4 = map.on(Map.of("chipset", "NV4")).domain("NV_MMIO");
        RegisterDomain g80 = map.on(Map.of("chipset", "G80")).domain("NV_MMIO");
        RegisterDomain gp102 = map.on(Map.of("chipset", "GP102")).domain("NV_MMIO");
        assertEquals("PTIMER.ALARM", RegisterText.name(nv1, 0x101410, 4));
        assertEquals("0x9410", RegisterText.name(nv1, 0x9410, 4));
        assertEquals("PTIMER.TIME_HIGH", RegisterText.name(nv4, 0x9410, 4));
        assertFalse(nv4.has("PTIMER.MMIO_FAULT_DATA"));
        assertTrue(g80.has("PTIMER.MMIO_FAULT_DATA"));
        assertFalse(g80.has("PXBAR.HW_CGBLK.BLCG"));
        assertTrue(gp102.has("PXBAR.HW_CGBLK.BLCG"));
    }

    @Test
    void shouldReadTheWholeDatabase() {
        Path root = TestData.folder().resolve("rnndb/root.xml");
        RegisterMap map = RegisterMapLoader.lenient().load(root);
        List<NaiveExpander.Place> places = NaiveExpander.ofRulesNg(root);
        agrees(map, places);
        RegisterDomain mmio = map.domain("NV_MMIO");
        assertEquals(0x1000000, mmio.sizeBytes());
        assertEquals("PMC.ID", mmio.find(0).nameAt(0));
        assertEquals("PMC.INTR_HOST", RegisterText.name(mmio, 0x100, 4));
        assertEquals("PMC.ENABLE", RegisterText.name(mmio, 0x200, 4));
        assertEquals(map, RegisterMapWriterTest.writtenAndLoaded(map));
        long registers =
                map.domains().stream()
                        .flatMap(domain -> domain.registers().stream())
                        .mapToLong(Register::elements)
                        .sum();
        System.out.println(
                "Read "
                        + places.size()
                        + " definitions, which stand for "
                        + registers
                        + " registers.");
    }

    @Test
    void shouldReadEachFileOfTheDatabase() throws IOException {
        Path folder = TestData.folder().resolve("rnndb");
        List<Path> files;
        try (Stream<Path> walk = Files.walk(folder)) {
            files = walk.filter(file -> file.toString().endsWith(".xml")).toList();
        }
        assertEquals(130, files.size());
        Set<String> missing = new HashSet<>();
        for (Path file : files) {
            RegisterMap map = RegisterMapLoader.lenient().load(file, folder);
            map.remarks().stream()
                    .filter(remark -> remark.contains("the import"))
                    .forEach(remark -> missing.add(remark.replaceAll(".*import (\\S+) .*", "$1")));
        }
        // It is no part of the repository, but made when envytools is built.
        assertEquals(Set.of("nvchipsets.xml"), missing);
    }

    /** Every register is where the other reading says, and no other one is there. */
    private static void agrees(RegisterMap map, List<NaiveExpander.Place> places) {
        int count = map.domains().stream().mapToInt(d -> d.registers().size()).sum();
        assertEquals(places.size(), count);
        for (NaiveExpander.Place place : places) {
            RegisterDomain domain = map.domain(place.domain());
            for (long at : new long[] {place.first(), place.last()}) {
                assertTrue(
                        domain.findAll(at).stream()
                                .anyMatch(r ->
                                        r.name().equals(place.name())
                                                && r.widthBits() == place.widthBits()
                                                && r.elementStart(at) == at
                                                && r.endOffset() == place.last() + r.widthBytes()),
                        () -> place + " is not there");
            }
        }
    }
}
