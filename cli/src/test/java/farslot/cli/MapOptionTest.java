package farslot.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.registers.RegisterMap;
import farslot.registers.RegisterMapProvider;
import farslot.registers.RegisterText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MapOptionTest {
    @TempDir Path folder;

    private String chip;
    private String card;

    @BeforeEach
    void writeMaps() throws IOException {
        chip = write("chip@1.svd", peripheral("A", "0x1000") + peripheral("B", "0x1100"));
        card =
                Files.writeString(
                                folder.resolve("card.xml"),
                                "<database><domain name='BAR0'><reg32 name='X' offset='0'/></domain>"
                                        + "<domain name='LIST'/></database>")
                        .toString();
    }

    private String write(String name, String peripherals) throws IOException {
        String text = "<device><peripherals>" + peripherals + "</peripherals></device>";
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private static String peripheral(String name, String address) {
        return "<peripheral><name>"
                + name
                + "</name><baseAddress>"
                + address
                + "</baseAddress><registers><register><name>R</name>"
                + "<addressOffset>4</addressOffset></register></registers></peripheral>";
    }

    private static RegisterMap over(String own, String... maps) {
        MapOption option = new MapOption();
        option.maps = List.of(maps);
        option.reading = new MapReading();
        return option.over(RegisterMapProvider.find(own).orElse(RegisterMap.EMPTY));
    }

    private static String name(RegisterMap map, String region, long offset) {
        return RegisterText.name(map.has(region) ? map.domain(region) : null, offset, 4);
    }

    private static String refusal(String... maps) {
        return assertThrows(CommandFailure.class, () -> over("unknown", maps)).getMessage();
    }

    @Test
    void shouldKeepTheDevicesOwnMapWhereNoneIsGiven() {
        assertEquals("CC", name(over("nvme"), "BAR0", 0x14));
    }

    @Test
    void shouldTakeDomainsThatAreCalledAsRegionsAre() {
        RegisterMap map = over("nvme", card);
        assertEquals("X", name(map, "BAR0", 0));
        assertFalse(map.has("LIST"));
        assertFalse(map.has("ADMIN_SUBMISSION"), "nothing of the device's own is left");
    }

    @Test
    void shouldTakeOneDomainForARegionAndLeaveTheOthers() {
        RegisterMap map = over("nvme", "bar2=" + chip + "#B");
        assertEquals("R", name(map, "BAR2", 4));
        assertEquals("CC", name(map, "BAR0", 0x14));
        assertEquals("X", name(over("nvme", "BAR4=" + card + "#bar0"), "BAR4", 0));
        assertEquals("CSTS", name(over("edu", "BAR1=nvme#BAR0"), "BAR1", 0x1c));
    }

    @Test
    void shouldTakeAllDomainsFromAnAddressOn() {
        assertEquals("A.R", name(over("", "BAR0=" + chip + "@0x1000"), "BAR0", 4));
        assertEquals("B.R", name(over("", "BAR0=" + chip + "@0x1000"), "BAR0", 0x104));
        assertEquals("B.R", name(over("", "BAR0=" + chip + "@0x1100"), "BAR0", 4));
        assertTrue(refusal("BAR0=" + chip + "@0x2000").contains("no registers from 0x2000 on"));
    }

    @Test
    void shouldAskWhichDomainIsMeant() {
        assertTrue(refusal("BAR0=" + chip).contains("has 2 domains; say which is what BAR0 shows"));
        assertTrue(refusal(chip).contains("--map BAR0=" + chip + "#A"));
        assertTrue(refusal("BAR0=" + chip + "#C").contains("has no domain \"C\""));
        assertTrue(refusal("BAR0=none.svd").contains("There is no register map none.svd."));
        assertTrue(refusal("BAR7=" + chip).contains("There is no register map BAR7="));
    }
}
