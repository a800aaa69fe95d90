package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.analysis.HeatMap.Touched;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class HeatMapTest {
    @Test
    void shouldMarkWhatWasReadAndWrittenAndHowOften() {
        HeatMap map =
                HeatMap.of(
                        "BAR0",
                        List.of(
                                new Touched(0, 4, 1000, 0),
                                new Touched(4, 8, 0, 5),
                                new Touched(8, 4, 1, 0),
                                new Touched(0xff, 2, 0, 500)));
        assertEquals(0x100, map.rowBytes());
        assertEquals("Rwb" + ".".repeat(60) + "W", map.rows().get(0).cells());
        assertEquals("W" + ".".repeat(63), map.rows().get(1).cells());
        assertEquals(1001, map.rows().get(0).reads());
    }

    @Test
    void shouldScaleSoThatItFitsOnAScreen() {
        List<Touched> touched = new ArrayList<>();
        for (long i = 0; i < 10_000; i++) {
            touched.add(new Touched(i << 16, 4, 1, 0));
        }
        HeatMap map = HeatMap.of("BAR0", touched);
        assertTrue(map.rows().size() <= 32, "rows: " + map.rows().size());
        assertEquals(10_000, map.rows().stream().mapToLong(HeatMap.Row::reads).sum());
    }

    /** Offsets and lengths of a damaged trace may be anything. */
    @Property
    void staysWithinAScreen(@ForAll @Size(max = 50) List<Long> offsets, @ForAll long length) {
        List<Touched> touched =
                offsets.stream().map(offset -> new Touched(offset, length, 1, 1)).toList();
        HeatMap map = HeatMap.of("BAR0", touched);
        assertTrue(map.rows().size() <= 33, "rows: " + map.rows().size());
        for (HeatMap.Row row : map.rows()) {
            assertEquals(HeatMap.CELLS, row.cells().length());
        }
    }
}
