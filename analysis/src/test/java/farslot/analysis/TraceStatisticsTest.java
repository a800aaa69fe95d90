package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.Direction;
import farslot.recorder.TraceEvent;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TraceStatisticsTest {
    private final TraceStatistics statistics = new TraceStatistics(TraceScript.NAMES);

    private TraceSummary counted(TraceScript script) {
        script.events().forEach(statistics::add);
        return statistics.summary();
    }

    private static TraceScript work() {
        TraceScript script = new TraceScript().write(0x14, 1).reads(9, 0x1c, 0).read(0x1c, 1);
        for (int i = 0; i < 40; i++) {
            script.write(0x1000, i).dma(false, 64L * i, 64).dma(true, 16L * i, 16);
            script.interrupt(i % 2);
        }
        return script.writeUnnamed(0x10, 5).failedRead(0x5c).mark("end");
    }

    @Test
    void shouldShowTablesAndAMapOfEachRegion() {
        assertEquals(
                """
                174 events of disk in 1.1ms, from\s

                REGION  REGISTER  READS  WRITES  FAILED  WIDTHS  VALUES     FIRST      LAST  READ-P50    P99    MAX  WRITE-P50    P99    MAX
                BAR0    DOORBELL      0      40       0       4      40  0.001012  0.001168         -      -      -      200ns  200ns  200ns
                BAR0    CSTS         10       0       0       4       2  0.001002  0.001011     200ns  200ns  200ns          -      -      -
                BAR0    0x5c ?        1       0       1       4       0  0.001173  0.001173     200ns  200ns  200ns          -      -      -
                BAR0    CC            0       1       0       4       1  0.001001  0.001001         -      -      -      200ns  200ns  200ns
                BAR2    0x10          0       1       0       2       1  0.001172  0.001172         -      -      -      200ns  200ns  200ns

                INTERRUPT  VECTOR  COUNT  PER-SECOND  MOST     FIRST      LAST
                MSIX            0     20     17032.9    20  0.001015  0.001167
                MSIX            1     20     17032.9    20  0.001019  0.001171

                DMA    TRANSFERS  BYTES  BYTES/S  FAILED    P50    P99    MAX
                read          40   2560  2180208       0  200ns  200ns  200ns
                write         40    640   545052       0  200ns  200ns  200ns

                OTHER  EVENTS
                mark        1

                BAR0 by offset, 4 bytes a mark: r read, w written, b both; capitals: often
                       0x0  .....w.R...............r........................................  11 reads, 1 writes
                        ...
                    0x1000  W...............................................................  0 reads, 40 writes

                BAR2 by offset, 4 bytes a mark: r read, w written, b both; capitals: often
                       0x0  ....W...........................................................  0 reads, 1 writes

                lost 0
                """,
                String.join("\n", SummaryText.lines(counted(work()), 10)) + "\n");
    }

    @Test
    void shouldShowTheBusiestRegistersOnly() {
        List<String> lines = SummaryText.lines(counted(work()), 1);
        assertTrue(lines.get(3).startsWith("BAR0    DOORBELL"), lines.get(3));
        assertEquals("and 4 registers more", lines.get(4));
    }

    @Test
    void shouldTellValuesAndWidthsApartWithinBounds() {
        TraceScript script = new TraceScript();
        for (int i = 0; i < 1000; i++) {
            script.write(0x24, i % 500);
        }
        TraceSummary.RegisterCount timer = counted(script).registers().getFirst();
        assertEquals(AccessCount.MAX_VALUES, timer.distinctValues());
        assertTrue(timer.moreValues());
        assertEquals(List.of(4L), timer.widths());
    }

    @Test
    void shouldCountInterruptsOfTheBusiestSecond() {
        for (int i = 0; i < 100; i++) {
            long nanos = i < 70 ? i * 10_000_000L : 1_000_000_000L + i * 100_000_000L;
            statistics.add(
                    new TraceEvent.Interrupt(
                            new TraceEvent.Stamp(i, nanos, 0, 1, false),
                            farslot.core.InterruptKind.MSI,
                            0));
        }
        TraceSummary.InterruptCount count = statistics.summary().interrupts().getFirst();
        assertEquals(70, count.mostPerSecond());
        assertEquals(100 / 10.9, count.perSecond(), 1e-9);
    }

    @Test
    void shouldTakeInRangesThatWereOnlyCounted() {
        TraceEvent.Stamp stamp = new TraceEvent.Stamp(0, 5, 0, 1, false);
        statistics.add(new TraceEvent.Counted(stamp, 0, 0x2000, 0x2fff, 30, 4));
        TraceSummary summary = statistics.summary();
        TraceSummary.RegisterCount range = summary.registers().getFirst();
        assertEquals("0x2000-0x2fff counted", range.register());
        assertEquals(30, range.reads());
        assertEquals(4, range.writes());
        assertEquals(16, summary.heat().getFirst().rows().size());
    }

    @Test
    void shouldSayWhereDmaWasNotSeen() {
        TraceEvent.Stamp stamp = new TraceEvent.Stamp(0, 0, 0, 1, false);
        statistics.add(new TraceEvent.Mapped(stamp, 0, 4096, Direction.READ_WRITE, true, true));
        TraceSummary summary = statistics.summary();
        assertTrue(summary.remarks().getFirst().startsWith("No DMA passed here"));
        assertEquals(Map.of("map", 1L), summary.others());
    }

    @Test
    void shouldCountTogetherWhatIsBeyondItsBounds() {
        TraceScript script = new TraceScript();
        for (int i = 0; i < 12_000; i++) {
            script.read(0x10_0000L + i * 4L, 0);
        }
        TraceSummary summary = counted(script);
        TraceSummary.RegisterCount others = summary.registers().getFirst();
        assertEquals("(others)", others.register());
        assertEquals(2_000, others.reads());
        assertTrue(summary.heat().getFirst().rows().size() <= 32);
    }
}
