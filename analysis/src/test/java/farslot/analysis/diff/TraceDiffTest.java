package farslot.analysis.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.recorder.TraceException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TraceDiffTest {
    private static final int MOST = 1 << 20;

    private static DiffReport diff(ScriptedTrace a, ScriptedTrace b) {
        try {
            return TraceDiff.of(a, b, MOST);
        } catch (TraceException e) {
            throw new AssertionError(e);
        }
    }

    private static void assertSame(ScriptedTrace a, ScriptedTrace b) {
        DiffReport report = diff(a, b);
        assertTrue(report.same(), () -> String.join("\n", report.lines(0)));
        assertEquals(List.of(), report.groups());
    }

    private static List<String> differences(DiffReport report) {
        List<String> lines = report.lines(0);
        int summary = lines.lastIndexOf("");
        return lines.subList(summary + 1, lines.size()).stream()
                .map(line -> line.replaceAll(" +", " "))
                .toList();
    }

    /** What a driver and its device may do, as a script of numbers. */
    private static ScriptedTrace trace(long seed, long pagesBegin, long pageStep, int slower) {
        Random random = new Random(seed);
        Random times = new Random(seed + slower);
        ScriptedTrace trace = new ScriptedTrace(slower == 0 ? 1000 : 1000L * slower);
        List<Long> pages = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            pages.add(pagesBegin + i * pageStep);
            trace.dma(false, pages.getLast(), 8, i); // what no DMA reaches is no address
        }
        for (int step = 0; step < 150; step++) {
            long address = pages.get(random.nextInt(pages.size())) + random.nextInt(512) * 8L;
            int value = random.nextInt(100);
            switch (random.nextInt(9)) {
                case 0 -> trace.write(0x14, value);
                case 1 -> trace.reads(1 + times.nextInt(1 + slower), 0x1C, 0).read(0x1C, 1);
                case 2 -> trace.write(0x40, address & 0xFFFF_FFFFL).write(0x44, address >>> 32);
                case 3 -> trace.dma(true, address, 64, value);
                case 4 -> trace.dma(false, address, 8, value);
                case 5 -> trace.interrupt(value % 3);
                case 6 -> trace.mark("at " + value);
                case 7 -> trace.write64(0x60, address);
                default -> trace.read(0x8, value);
            }
        }
        return trace;
    }

    @Property(tries = 30)
    void shouldFindNoDifferenceWhenOnlyTimesAndAddressesDiffer(@ForAll long seed) {
        ScriptedTrace one = trace(seed, 0x10_0000, 0x1000, 0);
        assertSame(one, one);
        assertSame(one, trace(seed, 0x7000_0000, 0x3000, 0));
        assertSame(one, trace(seed, 0x1_2000_0000L, 0x5000, 7));
    }

    @Property(tries = 30)
    void shouldSayTheSameOfBothWhicheverComesFirst(@ForAll long seed) {
        DiffReport there =
                diff(trace(seed, 0x10_0000, 0x1000, 0), trace(~seed, 0x10_0000, 0x1000, 2));
        DiffReport back =
                diff(trace(~seed, 0x10_0000, 0x1000, 2), trace(seed, 0x10_0000, 0x1000, 0));
        assertFalse(there.same());
        assertEquals(there.streams().size(), back.streams().size());
        for (int i = 0; i < there.streams().size(); i++) {
            DiffReport.StreamCounts one = there.streams().get(i);
            DiffReport.StreamCounts other = back.streams().get(i);
            assertEquals(one.stream(), other.stream());
            assertEquals(one.same(), other.same());
            assertEquals(one.differ(), other.differ());
            assertEquals(one.onlyA(), other.onlyB());
            assertEquals(one.onlyB(), other.onlyA());
        }
    }

    @Test
    void shouldSayWhichFieldDiffersAndWhatOneAloneHas() {
        ScriptedTrace a =
                new ScriptedTrace(1000)
                        .read(0x8, 7)
                        .write(0x14, 0x1)
                        .reads(5, 0x1C, 0)
                        .read(0x1C, 1);
        ScriptedTrace b =
                new ScriptedTrace(1000)
                        .read(0x8, 7)
                        .write(0x14, 0x4001)
                        .read(0x1C, 1)
                        .write(0x1000, 3);
        assertEquals(
                List.of(
                        "differ registers write CC SHN NONE -> NORMAL (#1 | #1)",
                        "only B registers write DOORBELL 3 (B #3)"),
                differences(diff(a, b)));
    }

    @Test
    void shouldPutDifferencesOfOneKindOnOneLine() {
        ScriptedTrace a = new ScriptedTrace(1000);
        ScriptedTrace b = new ScriptedTrace(1000);
        for (int i = 0; i < 100; i++) {
            a.read(0x8, i).write(0x24, 1);
            b.read(0x8, i).write(0x24, i % 5);
        }
        List<String> lines = differences(diff(a, b));
        assertEquals(
                "differ registers write TIMER 1 -> 0 (20 times, first #1 | #1)", lines.getFirst());
        assertEquals(4, lines.size());
        assertEquals("differ registers write TIMER 20 more with other values", lines.getLast());
    }

    @Test
    void shouldSeeThatADriverGivesAnotherPageThanBefore() {
        ScriptedTrace a = twoPages(0x5000, 0x9000, 0x5000);
        assertSame(a, twoPages(0x7000, 0x2000, 0x7000));
        assertEquals(
                List.of("differ registers write 0x40 memory1 -> memory2 (#4 | #4)"),
                differences(diff(a, twoPages(0x7000, 0x2000, 0x2000))));
    }

    private static ScriptedTrace twoPages(long first, long second, long last) {
        return new ScriptedTrace(1000)
                .write(0x40, first)
                .write(0x40, second)
                .dma(false, first, 8, 1)
                .dma(false, second, 8, 2)
                .write(0x40, last);
    }

    @Test
    void shouldTakeMarksAsTheSamePoint() {
        ScriptedTrace a =
                new ScriptedTrace(1000).mark("one").write(0x24, 1).mark("two").write(0x24, 2);
        ScriptedTrace b =
                new ScriptedTrace(1000).mark("one").mark("two").write(0x24, 2).write(0x24, 1);
        assertEquals(
                List.of(
                        "only A registers write TIMER 1 (#1)",
                        "only B registers write TIMER 1 (B #3)"),
                differences(diff(a, b)));
        assertEquals(
                List.of("only B marks two (B #0)"),
                differences(diff(new ScriptedTrace(9), new ScriptedTrace(9).mark("two"))));
    }

    @Test
    void shouldNotFoldReadsThatAreData() {
        ScriptedTrace a = new ScriptedTrace(1000);
        ScriptedTrace b = new ScriptedTrace(1000);
        for (int i = 0; i < 10; i++) {
            a.read(0x80, i);
            b.read(0x80, i == 5 ? 99 : i);
        }
        assertEquals(
                List.of("differ registers read 0x80 0x00000005 -> 0x00000063 (#5 | #5)"),
                differences(diff(a, b)));
    }

    @Test
    void shouldSayWhatItLeavesOut() throws TraceException {
        ScriptedTrace a = new ScriptedTrace(1000);
        for (int i = 0; i < 100; i++) {
            a.write(0x24, i);
        }
        DiffReport cut = TraceDiff.of(a, a, 60);
        assertEquals(
                List.of("Only the first 60 items were compared; 40 that follow were not."),
                cut.a().remarks());
        ScriptedTrace many = new ScriptedTrace(1000);
        for (int i = 0; i < 90; i++) {
            many.write(0x100 + 4 * i, i);
        }
        List<String> lines = diff(many, new ScriptedTrace(1000)).lines(20);
        assertEquals("... and 70 lines more; --limit 0 shows all.", lines.getLast());
        DiffReport report = diff(bulk(0), bulk(1));
        assertEquals(
                TraceDiff.MAX_DETAILS, report.groups().stream().mapToLong(g -> g.count()).sum());
        assertEquals(30_000 - TraceDiff.MAX_DETAILS, report.leftOut());
    }

    private static ScriptedTrace bulk(int by) {
        ScriptedTrace trace = new ScriptedTrace(1);
        for (int i = 0; i < 30_000; i++) {
            trace.write(0x24, 2 * i + by);
        }
        return trace;
    }
}
