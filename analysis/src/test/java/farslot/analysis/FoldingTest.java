package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.recorder.TraceEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class FoldingTest {
    private static List<FoldedRow> rows(TraceScript script) {
        List<FoldedRow> rows = new ArrayList<>();
        Folding folding = new Folding(rows::add);
        script.events().forEach(folding::add);
        folding.flush();
        return rows;
    }

    /** What a reader sees, without what each event took. */
    private static String shown(TraceScript script) {
        FoldedText text = new FoldedText(TraceScript.NAMES);
        StringBuilder shown = new StringBuilder();
        for (FoldedRow row : rows(script)) {
            shown.append(text.line(row).replace(" took=200ns", "").stripTrailing()).append('\n');
        }
        return shown.toString();
    }

    @Test
    void shouldFoldPollingLoopsToWhatChanged() {
        assertEquals(
                """
                     0.001001000  write      BAR0  CC                     0x00000001         EN=1 SHN=NONE
                     0.001002000  poll       BAR0  CSTS                   1,204 reads        in 1.2ms: RDY 0 → 1
                     0.002206000  write      BAR0  CC                     0x00004001         EN=1 SHN=NORMAL
                     0.002207000  poll       BAR0  CSTS                   5 reads            in 4.2us: RDY=1 SHST=NORMAL
                     0.002212000  mark       -     done
                """,
                shown(
                        new TraceScript()
                                .write(0x14, 1)
                                .reads(1203, 0x1c, 0)
                                .read(0x1c, 1)
                                .write(0x14, 0x4001)
                                .reads(5, 0x1c, 1)
                                .mark("done")));
    }

    @Test
    void shouldShowEachFieldThatChangesAndUnnamedBitsToo() {
        String shown =
                shown(
                        new TraceScript()
                                .reads(2, 0x1c, 1)
                                .read(0x1c, 9)
                                .read(0x1c, 0x100)
                                .read(0x1c, 0x108));
        assertTrue(
                shown.endsWith(
                        "RDY 1 → 0, SHST NORMAL → COMPLETE → NORMAL → COMPLETE, ? 0x0 → 0x100\n"),
                shown);
    }

    @Test
    void shouldBoundWhatItTellsOfValuesThatChangeEachTime() {
        TraceScript script = new TraceScript();
        for (int i = 0; i < 1000; i++) {
            script.read(0x24, i);
        }
        assertEquals(
                "     0.001001000  poll       BAR0  TIMER                  1,000 reads        in"
                        + " 999.2us: 0 → 1 → 2 → 3 → 4 → 5 → 6 → 0x3e7"
                        + " (999 changes)\n",
                shown(script));
    }

    @Test
    void shouldNotFoldFewReadsNorFailedOnes() {
        TraceScript script =
                new TraceScript()
                        .reads(2, 0x1c, 0)
                        .failedRead(0x1c)
                        .failedRead(0x1c)
                        .failedRead(0x1c)
                        .failedRead(0x1c)
                        .reads(2, 0x24, 0);
        assertEquals(8, rows(script).size());
        assertTrue(shown(script).contains("status=TIMED_OUT"));
    }

    @Test
    void shouldShowABlockTwiceAndCountItThen() {
        TraceScript script = new TraceScript();
        for (int i = 0; i < 120; i++) {
            script.write(0x1000, i)
                    .dma(false, 0x1000 + i * 64L, 64)
                    .dma(true, 0x8000 + i * 16L, 16)
                    .interrupt(1);
            for (int poll = 0; poll < i % 7 + 3; poll++) {
                script.read(0x1c, poll / 3);
            }
        }
        script.mark("end");
        assertEquals(
                """
                     0.001001000  write      BAR0  DOORBELL               0x00000000
                     0.001002000  dma-read   MEM   0x1000                 64 bytes           00100000000000000000000000000000..
                     0.001003000  dma-write  MEM   0x8000                 16 bytes           00800000000000000000000000000000
                     0.001004000  irq        MSIX  vector 1
                     0.001005000  poll       BAR0  CSTS                   3 reads            in 2.2us: RDY=0 SHST=NORMAL
                     0.001008000  write      BAR0  DOORBELL               0x00000001
                     0.001009000  dma-read   MEM   0x1040                 64 bytes           40100000000000000000000000000000..
                     0.001010000  dma-write  MEM   0x8010                 16 bytes           10800000000000000000000000000000
                     0.001011000  irq        MSIX  vector 1
                     0.001012000  poll       BAR0  CSTS                   4 reads            in 3.2us: RDY 0 → 1
                     0.001016000  repeat     -     the 5 lines above      118 times more     in 1.1ms: DOORBELL 2 → 0x77
                     0.002198000  mark       -     end
                """,
                shown(script));
    }

    @Test
    void shouldSayOnceWhereABlockCameOnceMore() {
        TraceScript script = new TraceScript();
        for (int i = 0; i < 3; i++) {
            script.write(0x1000, 1).writeUnnamed(4, 2).interrupt(0);
        }
        script.mark("end");
        assertTrue(
                shown(script).contains("the 3 lines above      once more          in "),
                shown(script));
    }

    @Test
    void shouldGoOnWithWhatCameOfABlockThatDoesNotEnd() {
        TraceScript script = new TraceScript();
        for (int i = 0; i < 4; i++) {
            script.write(0x1000, 1).writeUnnamed(4, 2).interrupt(0);
        }
        script.write(0x1000, 1).writeUnnamed(4, 2).mark("other").interrupt(0);
        assertEquals(
                """
                     0.001001000  write      BAR0  DOORBELL               0x00000001
                     0.001002000  write      BAR2  0x4                    0x0002
                     0.001003000  irq        MSIX  vector 0
                     0.001004000  write      BAR0  DOORBELL               0x00000001
                     0.001005000  write      BAR2  0x4                    0x0002
                     0.001006000  irq        MSIX  vector 0
                     0.001007000  repeat     -     the 3 lines above      2 times more       in 5.0us
                     0.001013000  write      BAR0  DOORBELL               0x00000001
                     0.001014000  write      BAR2  0x4                    0x0002
                     0.001015000  mark       -     other
                     0.001016000  irq        MSIX  vector 0
                """,
                shown(script));
    }

    @Test
    void shouldNotFoldWhatIsSoonerShown() {
        TraceScript script = new TraceScript();
        for (int i = 0; i < 4; i++) {
            script.write(0x1000, i);
        }
        assertEquals(4, rows(script).size());
        script.write(0x1000, 4);
        assertEquals(3, rows(script).size());
    }

    @Test
    void shouldNameWhatNoRegisterHolds() {
        assertEquals(
                "     0.001001000  write      BAR0  0x5c ?                 0x00000001\n",
                shown(new TraceScript().write(0x5c, 1)));
    }

    /** Every event is in one row, in its order, and rows that repeat were shown before. */
    @Property(tries = 300)
    void nothingIsLostAndNothingComesTwice(@ForAll long seed) {
        Random random = new Random(seed);
        TraceScript script = new TraceScript();
        int places = 1 + random.nextInt(3);
        for (int i = 0; i < 400; i++) {
            int place = random.nextInt(random.nextInt(8) == 0 ? 6 : places);
            switch (place) {
                case 0 -> script.write(0x14, i);
                case 1 -> script.reads(1 + random.nextInt(5), 0x1c, random.nextInt(2));
                case 2 -> script.dma(true, i, 64);
                case 3 -> script.interrupt(1);
                case 4 -> script.failedRead(0x1c);
                default -> script.mark("m");
            }
            if (random.nextInt(20) == 0) {
                for (int times = random.nextInt(50); times > 0; times--) {
                    script.write(0x1000, times).reads(times % 4, 0x24, times).interrupt(2);
                }
            }
        }
        List<TraceEvent> events = script.events();
        long next = 0;
        for (FoldedRow row : rows(script)) {
            assertEquals(events.get((int) next).stamp(), row.begin());
            next +=
                    switch (row) {
                        case FoldedRow.Single single -> 1;
                        case FoldedRow.Poll poll -> poll.reads();
                        case FoldedRow.Repeat repeat -> repeat.events();
                    };
        }
        assertEquals(events.size(), next);
    }

    /** A follower that flushes now and then sees the same events. */
    @Property(tries = 100)
    void flushingLosesNothing(@ForAll long seed) {
        Random random = new Random(seed);
        TraceScript script = new TraceScript();
        for (int i = 0; i < 200; i++) {
            script.write(0x1000, i).reads(1 + i / 100, 0x1c, i).interrupt(0);
        }
        long[] seen = {0};
        Folding folding =
                new Folding(row ->
                        seen[0] +=
                                switch (row) {
                                    case FoldedRow.Single single -> 1;
                                    case FoldedRow.Poll poll -> poll.reads();
                                    case FoldedRow.Repeat repeat -> repeat.events();
                                });
        long added = 0;
        for (TraceEvent event : script.events()) {
            folding.add(event);
            added++;
            if (random.nextInt(30) == 0) {
                folding.flush();
                assertEquals(added, seen[0]);
            }
        }
    }
}
