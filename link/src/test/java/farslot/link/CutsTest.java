package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import farslot.link.Bench.Over;
import farslot.link.Cutter.Cut;
import farslot.link.Cutter.Plan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Both directions are full of numbered traffic, posted and non-posted, short and long, and the
 * connection is cut again and again after any byte: each number must come once, in its order.
 */
@Timeout(300)
class CutsTest {
    private static final int CUTS = Integer.getInteger("farslot.test.cuts", 60);
    private static final long WINDOW_BYTES = 0x20000;

    @TempDir Path folder;

    private final AtomicReference<String> wrong = new AtomicReference<>();
    private volatile boolean over;

    private void expect(String what, long expected, long came) {
        if (expected != came) {
            wrong.compareAndSet(null, what + ": expected " + expected + ", and " + came + " came");
            over = true;
        }
    }

    /** The driver's side: what the function does is numbered. */
    private final class Driver implements PciHost {
        private long reads;
        private long shortWrites;
        private long longWrites;
        private long interrupts;

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            reads++;
            for (long at = 0; at < into.byteSize(); at += 8) {
                into.set(ValueLayout.JAVA_LONG_UNALIGNED, at, reads);
            }
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            long number = from.byteSize() > 8 ? ++longWrites : ++shortWrites;
            for (long at = 0; at < from.byteSize(); at += 8) {
                String what = "DMA write of " + from.byteSize();
                expect(what, number, from.get(ValueLayout.JAVA_LONG_UNALIGNED, at));
            }
            return CompletionStatus.SUCCESS;
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            return null;
        }

        @Override
        public boolean servedWhileWaiting(long address, long length) {
            return true;
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            expect("interrupt", interrupts % 16, vector);
            expect("DMA writes before the interrupt", interrupts + 1, shortWrites);
            interrupts++;
        }

        @Override
        public void event(FunctionEvent event) {}
    }

    /** The function's DMA and interrupts, until all is over. */
    private void work(FakeFunction function) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment word = arena.allocate(8, 8);
            MemorySegment block = arena.allocate(WINDOW_BYTES, 8);
            PciHost host = function.host;
            for (long round = 1; !over; round++) {
                word.set(ValueLayout.JAVA_LONG, 0, round);
                if (!host.write(1, FakeHost.BASE, word).isSuccess()) {
                    break;
                }
                host.interrupt(1, InterruptKind.MSIX, (int) ((round - 1) % 16));
                for (long at = 0; at < 0x10000; at += 8) {
                    block.set(ValueLayout.JAVA_LONG, at, round);
                }
                host.write(1, FakeHost.BASE, block.asSlice(0, 0x10000));
                long length = round % 2 == 0 ? 0x10000 : 0x100;
                if (!host.read(1, FakeHost.BASE, block.asSlice(0, length)).isSuccess()) {
                    break;
                }
                expect("DMA read", round, block.get(ValueLayout.JAVA_LONG, 0));
                expect("DMA read's end", round, block.get(ValueLayout.JAVA_LONG, length - 8));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Over.class,
            names = {"TCP", "TLS"})
    void eachNumberComesOnceAndInOrderHoweverOftenTheConnectionIsCut(Over kind) throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        LinkOptions lender =
                LinkOptions.named("lender")
                        .withInsecure(true)
                        .withKeepAlive(Duration.ofMillis(100), Duration.ofMillis(500));
        LinkOptions slot =
                Bench.SLOT
                        .withKeepAlive(Duration.ofMillis(100), Duration.ofMillis(500))
                        .withAccessTimeout(Duration.ZERO);
        try (Bench bench = new Bench(kind, folder, lender);
                Cutter cutter = new Cutter(bench.address)) {
            cutter.planBy(() -> {
                long bytes = 2000L + random.nextInt(1 + random.nextInt(400_000));
                int how = random.nextInt(20);
                Cut cut =
                        how == 0
                                ? Cut.SILENCE
                                : how < 3 ? Cut.HALF_OPEN : how < 8 ? Cut.END : Cut.RESET;
                return new Plan(cut, random.nextBoolean() ? bytes : -bytes);
            });
            FakeFunction fake = bench.lender.f0();
            fake.logsAccesses = false;
            long[] seen = new long[2];
            fake.onWrite =
                    (region, offset, data) ->
                            expect(
                                    "posted write",
                                    ++seen[0],
                                    data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
            fake.onRead =
                    (region, offset, data) ->
                            fake.memory.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, ++seen[1]);
            Bench.Hearing hearing = new Bench.Hearing();
            RemoteFunction function = bench.borrow(cutter.address(), "f0", slot, hearing);
            Driver driver = new Driver();
            function.attach(driver);
            function.map(new DmaMap(FakeHost.BASE, WINDOW_BYTES, Direction.READ_WRITE, null, true));
            MemorySegment word = MemorySegment.ofArray(new byte[8]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0x100, word, 8));
            List<CompletableFuture<Void>> all = new ArrayList<>();
            all.add(CompletableFuture.runAsync(() -> work(fake), task -> new Thread(task).start()));
            long writes = 0;
            long reads = 1;
            while (!over && function.resumes().times() < CUTS && !function.isEnded()) {
                for (int post = 0; post < 20; post++) {
                    word.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, ++writes);
                    function.write(0, 0, word, 8, -1);
                }
                assertEquals(CompletionStatus.SUCCESS, function.read(0, 0x100, word, 8));
                expect("read", ++reads, word.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
            }
            cutter.planBy(() -> new Plan(Cut.END, 0));
            over = true;
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0x100, word, 8));
            for (CompletableFuture<Void> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
            assertEquals(null, wrong.get(), () -> "seed " + seed);
            assertEquals(writes, seen[0]);
            assertTrue(function.resumes().times() >= CUTS, () -> hearing.why.toString());
            function.close();
            assertEquals("RETURNED f0", bench.lender.ending());
        }
    }
}
