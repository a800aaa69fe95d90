package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Tap;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is recorded, counted, flushed or left out, as it was asked for. */
@Timeout(60)
class RecordingRulesTest {
    @TempDir Path folder;

    private final MemoryFunction function = new MemoryFunction();
    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("t.fst");
    }

    private static RecordingRules rules(String... modes) throws ConditionException {
        List<RangeMode> ranges = new ArrayList<>();
        for (String mode : modes) {
            ranges.add(RangeMode.parse(mode));
        }
        return RecordingRules.ALL.withModes(ranges);
    }

    private static Condition condition(String text) throws ConditionException {
        return Condition.of(text, TraceNames.of(MemoryFunction.DESCRIPTION));
    }

    private RecorderTap recording(RecordingRules rules) throws TraceException {
        RecorderTap tap =
                RecorderTap.recording(function, file, TraceOptions.DEFAULT.withRules(rules));
        tap.attach(new MemoryHost());
        return tap;
    }

    private static MemorySegment four(int value) {
        MemorySegment data = MemorySegment.ofArray(new byte[4]);
        data.set(TraceFormat.INT_UNALIGNED, 0, value);
        return data;
    }

    private static void write(PciFunction function, long offset, int value) {
        function.write(0, offset, four(value), 4, PciFunction.ALL_BYTES);
    }

    private static void read(PciFunction function, long offset) {
        function.read(0, offset, four(0), 4);
    }

    /** The accesses, DMA, interrupts, counts and settings of the trace, in short. */
    private List<String> recorded() throws TraceException {
        List<String> short_ = new ArrayList<>();
        for (TraceEvent event : RecorderTapTest.events(file)) {
            switch (event) {
                case TraceEvent.Access e ->
                        short_.add(
                                (e.write() ? "w" : "r")
                                        + Long.toHexString(e.offset())
                                        + (e.data().kept().length > 0
                                                ? "=" + e.data().value()
                                                : ""));
                case TraceEvent.Dma e -> short_.add("dma" + Long.toHexString(e.address()));
                case TraceEvent.Interrupt e -> short_.add("irq" + e.vector());
                case TraceEvent.Counted e ->
                        short_.add(
                                Long.toHexString(e.firstOffset())
                                        + "-"
                                        + Long.toHexString(e.lastOffset())
                                        + ": "
                                        + e.reads()
                                        + "+"
                                        + e.writes());
                case TraceEvent.Setting e -> short_.add(e.setting());
                default -> {}
            }
        }
        return short_;
    }

    @Test
    void shouldCountOrPassOverWhatARangeSays() throws Exception {
        RecorderTap tap = recording(rules("BAR0:0x10-0x1f=count", "BAR0:0x20-0x2f=off"));
        for (int i = 0; i < 5; i++) {
            read(tap, 0x10);
            write(tap, 0x14, i);
            write(tap, 0x24, i);
        }
        write(tap, 0x30, 7);
        tap.close();
        assertEquals(
                List.of(
                        "--mode BAR0:0x10-0x1f=count --mode BAR0:0x20-0x2f=off",
                        "w30=7",
                        "10-1f: 5+5"),
                recorded());
    }

    @Test
    void shouldChangeWhileItRecords() throws Exception {
        RecorderTap tap = recording(RecordingRules.ALL);
        write(tap, 0, 1);
        tap.change(rules("BAR0=count"));
        write(tap, 0, 2);
        write(tap, 0xffffc, 3);
        tap.change(tap.rules().withModes(List.of(RangeMode.parse("*=off"))));
        write(tap, 0, 4);
        tap.change(RecordingRules.ALL);
        write(tap, 0, 5);
        tap.close();
        assertEquals(
                List.of(
                        "w0=1",
                        "--mode BAR0=count",
                        "0-fffff: 0+2",
                        "--mode *=off",
                        "everything",
                        "w0=5"),
                recorded());
    }

    @Test
    void shouldLoseNoCountWhenManyThreadsChangeAndAccess() throws Exception {
        RecorderTap tap = recording(rules("BAR0=count"));
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            threads.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                for (int i = 0; i < 20_000; i++) {
                                    write(tap, 0, i);
                                }
                            }));
        }
        for (int i = 0; i < 50; i++) {
            tap.change(rules("BAR0:0x0-0xff=count"));
            tap.change(rules("BAR0=record"));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        tap.close();
        long seen = 0;
        for (TraceEvent event : RecorderTapTest.events(file)) {
            seen += event instanceof TraceEvent.Access ? 1 : 0;
            seen += event instanceof TraceEvent.Counted counted ? counted.writes() : 0;
        }
        assertEquals(60_000, seen);
    }

    @Test
    void shouldBeOnTheDiskBeforeTheAccessWhenARangeIsFlushed() throws Exception {
        List<Boolean> seen = new ArrayList<>();
        MemoryFunction looking =
                new MemoryFunction() {
                    @Override
                    public CompletionStatus write(
                            int region, long offset, MemorySegment from, int width, long enables) {
                        seen.add(isUnderWay(offset));
                        return CompletionStatus.SUCCESS;
                    }
                };
        RecorderTap tap =
                RecorderTap.recording(
                        looking, file, TraceOptions.DEFAULT.withRules(rules("BAR0:0x0-0xf=flush")));
        write(tap, 4, 1);
        write(tap, 0x40, 1);
        tap.close();
        assertEquals(List.of(true, true), seen);
    }

    private boolean isUnderWay(long offset) {
        try (TraceReader reader = TraceReader.open(file)) {
            TraceEvent last = null;
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                last = event;
            }
            TraceEvent.Access access = (TraceEvent.Access) last;
            return access.offset() == offset && access.stamp().underWay();
        } catch (TraceException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldWaitForTheOtherComputerWhenARangeIsFlushedThere() throws Exception {
        List<String> order = new ArrayList<>();
        MemoryFunction looking =
                new MemoryFunction() {
                    @Override
                    public CompletionStatus write(
                            int region, long offset, MemorySegment from, int width, long enables) {
                        order.add("access " + offset);
                        return CompletionStatus.SUCCESS;
                    }
                };
        RecorderTap tap =
                RecorderTap.recording(
                        looking,
                        file,
                        TraceOptions.DEFAULT.withRules(rules("BAR0:0x0-0xf=flush-remote")));
        write(tap, 0, 1);
        tap.remoteFlush(record -> {
            order.add("acknowledged " + record);
            return record != 5;
        });
        write(tap, 4, 1);
        write(tap, 0x40, 1);
        write(tap, 8, 1);
        tap.close();
        // The first two records are the rules themselves; the last one nobody acknowledges.
        assertEquals(
                List.of(
                        "access 0",
                        "acknowledged 3",
                        "access 4",
                        "access 64",
                        "acknowledged 5",
                        "access 8"),
                order);
    }

    @Test
    void shouldRefuseToFlushAPartOfARing() {
        TraceOptions ring = TraceOptions.DEFAULT.withRingBytes(1 << 20);
        IllegalArgumentException e =
                assertThrows(
                        IllegalArgumentException.class, () -> ring.withRules(rules("BAR0=flush")));
        assertTrue(e.getMessage().startsWith("A ring is kept in memory"), e.getMessage());
    }

    @Test
    void shouldForgetRangesThatLaterOnesCover() throws Exception {
        RecordingRules before = rules("BAR0:0x10-0x1f=count", "BAR1=off", "BAR0:0x8-0x17=off");
        assertEquals(
                rules("BAR1=off", "BAR0:0x8-0x17=off", "BAR0:0x10-0x2f=record"),
                before.withMoreModes(rules("BAR0:0x10-0x2f=record").modes()));
        assertEquals(rules("*=off"), before.withMoreModes(rules("*=off").modes()));
    }

    @Test
    void shouldRecordWhatAConditionHoldsFor() throws Exception {
        RecorderTap tap =
                recording(
                        RecordingRules.ALL.withWhere(
                                condition("write and offset < 0x10 or irq or dma-write")));
        write(tap, 4, 1);
        write(tap, 0x14, 2);
        read(tap, 4);
        function.host.write(1, 0x100, four(1));
        function.host.read(1, 0x200, four(1));
        function.host.interrupt(1, InterruptKind.MSIX, 2);
        tap.close();
        assertEquals(
                List.of("--where \"" + tap.rules().where() + "\"", "w4=1", "dma100", "irq2"),
                recorded());
    }

    @Test
    void shouldDecideAtTheEndWhenTheConditionAsksForWhatIsKnownThen() throws Exception {
        RecorderTap tap =
                recording(RecordingRules.ALL.withWhere(condition("value == 5 or failed")));
        write(tap, 0, 5);
        write(tap, 4, 6);
        read(tap, 0);
        read(tap, 4);
        read(tap, 1 << 20);
        function.host.write(1, 0x100, four(5));
        function.host.write(1, 1 << 20, four(6));
        tap.close();
        assertEquals(
                List.of("w0=5", "r0=5", "r100000", "dma100", "dma100000"),
                recorded().subList(1, 6));
    }

    @Test
    void shouldEndBehindTheEventForWhichUntilHolds() throws Exception {
        RecorderTap tap =
                recording(RecordingRules.ALL.withUntil(condition("write and value == 3")));
        CountDownLatch over = new CountDownLatch(1);
        tap.whenOver(over::countDown);
        for (int i = 1; i <= 9; i++) {
            write(tap, 0, i);
        }
        over.await();
        tap.close();
        List<String> recorded = recorded();
        assertEquals("--until \"" + tap.rules().until() + "\"", recorded.get(0));
        assertEquals(List.of("w0=1", "w0=2", "w0=3"), recorded.subList(1, 4));
        assertTrue(recorded.get(4).startsWith("over, since "), recorded.toString());
        assertEquals(5, recorded.size());
    }

    /** A tap that sits before the recorder, and changes what passes. */
    private static final class Meddler extends Tap {
        private final RecorderTap recorder;

        Meddler(RecorderTap next) {
            super(next);
            recorder = next;
        }

        @Override
        protected PciHost around(PciHost host) {
            return host;
        }

        @Override
        public CompletionStatus write(
                int region, long offset, MemorySegment from, int width, long enables) {
            MemorySegment other = four(from.get(TraceFormat.INT_UNALIGNED, 0) | 0x100);
            recorder.changed("meddler", region, offset, from, other);
            return next().write(region, offset, other, width, enables);
        }
    }

    @Test
    void shouldSayWhatAnotherTapHasChanged() throws Exception {
        RecorderTap tap = recording(RecordingRules.ALL);
        Meddler meddler = new Meddler(tap);
        write(meddler, 8, 1);
        tap.changed("host side", TraceEvent.Changed.MEMORY, 0x1000, four(1), four(2));
        tap.close();
        List<TraceEvent> events = RecorderTapTest.events(file);
        TraceText text = new TraceText(TraceNames.none());
        assertEquals(
                "changed    BAR0  0x8                    0x00000001 to 0x00000101 by meddler",
                text.line(events.get(1)).substring(18));
        assertEquals(
                "changed    MEM   0x1000                 4 bytes            0x00000001 to"
                        + " 0x00000002 by host side",
                text.line(events.get(3)).substring(18));
        assertThrows(
                IllegalArgumentException.class,
                () -> tap.changed("m", 0, 0, four(1), MemorySegment.ofArray(new byte[1])));
    }
}
