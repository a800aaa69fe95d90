package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaSegment;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.link.Bench.Over;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Credits, used up in both directions at once: nothing locks up, piles up or changes places. */
@Timeout(300)
class FlowControlTest {
    private static final long PATTERN_AT = 0x80000;
    private static final int WRITERS = 4;
    private static final int BIG_BYTES = 0x10000;

    /** More than there are requests under way at once. */
    private static final int READERS = 260;

    private static final int WINDOWED_READERS = 4;

    /** Nothing else that a test does comes near; garbage of a growing ring is in it. */
    private static final long MOST_DIRECT_BYTES = 64 << 20;

    private static final LinkOptions PATIENT = Bench.SLOT.withAccessTimeout(Duration.ZERO);

    @TempDir Path folder;

    private static int cycles() {
        return switch (System.getProperty("farslot.rounds", "short")) {
            case "full" -> 600;
            case "few" -> 2;
            default -> 20;
        };
    }

    /** Lets pass, or holds whoever comes until it is opened. */
    private static final class Turnstile {
        private boolean closed;
        private boolean held;

        synchronized void pass() {
            while (closed) {
                held = true;
                try {
                    wait();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        }

        synchronized void close() {
            closed = true;
            held = false;
        }

        synchronized void open() {
            closed = false;
            notifyAll();
        }

        synchronized boolean holds() {
            return held;
        }
    }

    private static void until(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            LockSupport.parkNanos(200_000);
        }
    }

    /** Everything that slot and lender can have under way, all the time, and what came of it. */
    private static final class Traffic implements AutoCloseable {
        final Turnstile atLender = new Turnstile();
        final Turnstile atSlot = new Turnstile();
        final AtomicLong done = new AtomicLong();
        final List<CompletableFuture<Void>> all = new ArrayList<>();
        final RemoteFunction function;
        final FakeFunction fake;
        final FakeHost host;
        private final long[] written = new long[WRITERS + 1];
        private final long[] signalled = new long[WRITERS];
        private volatile boolean stop;

        Traffic(RemoteFunction function, FakeFunction fake) {
            this.function = function;
            this.fake = fake;
            host = new FakeHost();
            fake.logsAccesses = false;
            for (long at = 0; at < 0x20000; at += 8) {
                host.memory.set(ValueLayout.JAVA_LONG, at, pattern(at));
                fake.memory.set(ValueLayout.JAVA_LONG_UNALIGNED, PATTERN_AT + at, pattern(at));
            }
            fake.onWrite = (region, offset, data) -> writeCame(offset, data);
            host.onInterruptOf = this::interruptCame;
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x200000, Direction.READ_WRITE, null, true));
        }

        private static long pattern(long at) {
            return (at + 1) * 0x9e3779b97f4a7c15L;
        }

        /** Each writer's own place and numbers, small or with 64 KiB behind. */
        private void writeCame(long offset, MemorySegment data) {
            atLender.pass();
            int writer = (int) (offset >= BIG_BYTES ? offset / BIG_BYTES - 1 : offset / 8);
            long number = data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
            assertEquals(++written[writer], number, "writes of writer " + writer);
        }

        /** The DMA write before each interrupt is there, and the one after it is not. */
        private void interruptCame(int vector) {
            atSlot.pass();
            signalled[vector]++;
            long place = 0x100000 + vector * (long) BIG_BYTES;
            assertEquals(signalled[vector], host.memory.get(ValueLayout.JAVA_LONG, place));
        }

        void start() {
            for (int writer = 0; writer < WRITERS; writer++) {
                int which = writer;
                run(() -> write(which));
                run(() -> dmaWrite(which));
            }
            run(this::writeAndReadBack);
            for (int reader = 0; reader < READERS; reader++) {
                long at = 8L * reader;
                run(() -> read(at));
                run(() -> dmaRead(at));
            }
            for (int reader = 0; reader < WINDOWED_READERS; reader++) {
                run(this::dmaReadMany);
            }
        }

        private void run(Runnable task) {
            CompletableFuture<Void> ended = new CompletableFuture<>();
            all.add(ended);
            Thread.ofPlatform()
                    .daemon(true)
                    .start(() -> {
                        try {
                            while (!stop) {
                                task.run();
                                done.incrementAndGet();
                            }
                            ended.complete(null);
                        } catch (Throwable failed) {
                            ended.completeExceptionally(failed);
                        }
                    });
        }

        private final long[] next = new long[WRITERS + 1];
        private final long[] nextDma = new long[WRITERS];

        private void write(int writer) {
            long number = ++next[writer];
            boolean big = number % 16 == 0;
            byte[] bytes = new byte[big ? BIG_BYTES : 8];
            MemorySegment data = MemorySegment.ofArray(bytes);
            data.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, number);
            long offset = big ? (writer + 1L) * BIG_BYTES : writer * 8L;
            success(function.write(0, offset, data, big ? 0 : 8, -1));
        }

        /** A read comes behind the writes before it. */
        private void writeAndReadBack() {
            long number = ++next[WRITERS];
            MemorySegment data = MemorySegment.ofArray(new byte[8]);
            data.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, number);
            success(function.write(0, WRITERS * 8L, data, 8, -1));
            data.fill((byte) 0);
            success(function.read(0, WRITERS * 8L, data, 8));
            assertEquals(number, data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        }

        private void read(long at) {
            MemorySegment data = MemorySegment.ofArray(new byte[8]);
            success(function.read(0, PATTERN_AT + at, data, 8));
            assertEquals(pattern(at), data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        }

        private void dmaWrite(int writer) {
            long number = ++nextDma[writer];
            MemorySegment data = MemorySegment.ofArray(new byte[number % 16 == 0 ? BIG_BYTES : 64]);
            data.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, number);
            long address = FakeHost.BASE + 0x100000 + writer * (long) BIG_BYTES;
            success(fake.host.write(1, address, data));
            fake.host.interrupt(1, InterruptKind.MSIX, writer);
        }

        private void dmaRead(long at) {
            MemorySegment data = MemorySegment.ofArray(new byte[8]);
            success(fake.host.read(1, FakeHost.BASE + at, data));
            assertEquals(pattern(at), data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        }

        /** Many under way at once. */
        private void dmaReadMany() {
            MemorySegment data = MemorySegment.ofArray(new byte[0x20000]);
            List<DmaSegment> pieces = new ArrayList<>();
            for (long at = 0; at < 0x20000; at += 0x1000) {
                pieces.add(new DmaSegment(FakeHost.BASE + at, data.asSlice(at, 0x1000)));
            }
            success(fake.host.readAll(1, pieces));
            assertEquals(-1, data.mismatch(host.memory.asSlice(0, 0x20000)));
        }

        private void success(CompletionStatus status) {
            LinkException ending = function.link().ending();
            assertEquals(CompletionStatus.SUCCESS, status, () -> String.valueOf(ending));
        }

        /** Waits; whoever fails says so at once. */
        void until(BooleanSupplier condition) {
            FlowControlTest.until(() -> {
                all.stream()
                        .filter(CompletableFuture::isCompletedExceptionally)
                        .forEach(CompletableFuture::join);
                return condition.getAsBoolean();
            });
        }

        /** Ends all threads, wherever they are. */
        @Override
        public void close() {
            stop = true;
            atLender.open();
            atSlot.open();
            function.close();
        }

        void finish() throws Exception {
            stop = true;
            for (CompletableFuture<Void> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
            MemorySegment word = MemorySegment.ofArray(new byte[8]);
            success(function.read(0, 0, word, 8));
            assertEquals(Arrays.toString(next), Arrays.toString(written));
            assertEquals(Arrays.toString(nextDma), Arrays.toString(signalled));
        }
    }

    /** No credit is left; of requests, there may be no more than are under way. */
    private static boolean isUsedUp(Connection side) {
        return !side.out.hasCredit(Messages.POSTED, BIG_BYTES + Messages.Write.DATA_AT)
                && (!side.hasFreeRequest()
                        || !side.out.hasCredit(Messages.NON_POSTED, Messages.Read.BYTES));
    }

    @ParameterizedTest
    @EnumSource
    void shouldGoOnInOrderWhenEveryCreditWasUsedUpBothWays(Over over, TestReporter reporter)
            throws Exception {
        try (Bench bench = new Bench(over, folder);
                Traffic traffic =
                        new Traffic(
                                bench.borrow("f0", PATIENT, new Bench.Hearing()),
                                bench.lender.f0())) {
            Connection slot = traffic.function.link();
            Connection lender = bench.server.links().getFirst();
            RemoteFunction other = bench.borrow("f1");
            ControlLink control = bench.control();
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            Footprint before = Footprint.now(bench.address);
            Footprint full = before;
            traffic.start();
            long mostDirect = 0;
            int cycles = cycles();
            for (int cycle = 0; cycle < cycles; cycle++) {
                // The lender first: requests that are answered already would hold places.
                traffic.atLender.close();
                traffic.until(() -> traffic.atLender.holds() && isUsedUp(slot));
                traffic.atSlot.close();
                traffic.until(() -> traffic.atSlot.holds() && isUsedUp(lender) && isUsedUp(slot));
                assertEquals(CompletionStatus.SUCCESS, other.read(0, 0, word, 4));
                assertEquals(2, control.list().size());
                mostDirect = Math.max(mostDirect, Footprint.directBytesNow());
                if (cycle == 0 || cycle == cycles - 1) {
                    full = Footprint.now(bench.address);
                }
                List<Turnstile> order =
                        cycle % 2 == 0
                                ? List.of(traffic.atLender, traffic.atSlot)
                                : List.of(traffic.atSlot, traffic.atLender);
                long done = traffic.done.get();
                order.forEach(Turnstile::open);
                traffic.until(() -> traffic.done.get() > done + 2000);
            }
            traffic.finish();
            assertFalse(traffic.function.isEnded());
            reporter.publishEntry(
                    String.format(
                            "%s: %d cycles, %d calls; before %s, full %s, most native %d",
                            over, cycles, traffic.done.get(), before, full, mostDirect));
            assertTrue(mostDirect - before.directBytes() < MOST_DIRECT_BYTES, "native memory");
            assertTrue(full.heapBytes() - before.heapBytes() < MOST_DIRECT_BYTES, "heap");
            assertTrue(full.linkObjects() - before.linkObjects() < 10_000, "objects");
        }
    }

    /** Longer than any ring at the receiver, many times over, while nothing collects garbage. */
    @ParameterizedTest
    @EnumSource
    void shouldBufferNoMoreThanCreditWasGivenForWhenBulkFloodsIn(Over over) throws Exception {
        long most = 0;
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0", PATIENT, new Bench.Hearing());
            function.attach(new FakeHost());
            function.map(new DmaMap(FakeHost.BASE, 0x200000, Direction.READ_WRITE, null, true));
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            function.read(0, 0, word, 4);
            FakeFunction fake = bench.lender.f0();
            fake.logsAccesses = false;
            long before = Footprint.now(bench.address).directBytes();
            MemorySegment data = MemorySegment.ofArray(new byte[0x100000]);
            int megabytes = 100 + 10 * cycles();
            for (int count = 0; count < megabytes; count++) {
                assertEquals(CompletionStatus.SUCCESS, fake.host.write(1, 0x1000, data));
                assertEquals(CompletionStatus.SUCCESS, function.write(0, 0, data, 0, -1));
                most = Math.max(most, Footprint.directBytesNow() - before);
            }
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            assertTrue(most < MOST_DIRECT_BYTES, most + " bytes of native memory");
        }
    }

    /** The device's handler waits for the slot's thread, which must not wait for the device. */
    @Test
    void shouldServeDmaWhenItHasNoCreditToTellOfRefusedDma() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            RemoteFunction function = bench.borrow("f0", PATIENT, new Bench.Hearing());
            Connection slot = function.link();
            FakeHost host = new FakeHost();
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x1000, Direction.READ_WRITE, null, true));
            host.refusesWrites = true;
            FakeFunction fake = bench.lender.f0();
            fake.logsAccesses = false;
            CountDownLatch usedUp = new CountDownLatch(1);
            CompletableFuture<CompletionStatus> inHandler = new CompletableFuture<>();
            fake.onRead =
                    (region, offset, data) -> {
                        try {
                            assertTrue(usedUp.await(60, TimeUnit.SECONDS));
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                        MemorySegment piece = MemorySegment.ofArray(new byte[8]);
                        fake.host.write(1, FakeHost.BASE, piece);
                        inHandler.complete(fake.host.read(1, FakeHost.BASE, piece));
                    };
            CompletableFuture<CompletionStatus> reading =
                    CompletableFuture.supplyAsync(
                            () -> function.read(0, 0, MemorySegment.ofArray(new byte[4]), 4),
                            task -> new Thread(task).start());
            CompletableFuture<Void> writing =
                    CompletableFuture.runAsync(
                            () -> {
                                MemorySegment word = MemorySegment.ofArray(new byte[4]);
                                for (int count = 0; count < 3000; count++) {
                                    function.write(0, 0, word, 4, -1);
                                }
                            },
                            task -> new Thread(task).start());
            until(() -> !slot.out.hasCredit(Messages.POSTED, Messages.Interrupts.BYTES));
            usedUp.countDown();
            assertEquals(CompletionStatus.SUCCESS, inHandler.get(60, TimeUnit.SECONDS));
            assertEquals(CompletionStatus.SUCCESS, reading.get(60, TimeUnit.SECONDS));
            writing.get(60, TimeUnit.SECONDS);
            assertTrue(host.next().startsWith("DmaRefused"));
        }
    }

    @Test
    void shouldServeDmaWhenItAsksForANewDescription() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            RemoteFunction function = bench.borrow("f0", PATIENT, new Bench.Hearing());
            FakeHost host = new FakeHost();
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x1000, Direction.READ_WRITE, null, true));
            FakeFunction fake = bench.lender.f0();
            CompletableFuture<CompletionStatus> inHandler = new CompletableFuture<>();
            fake.onRead =
                    (region, offset, data) -> {
                        fake.host.event(new FunctionEvent.DescriptionChanged());
                        MemorySegment piece = MemorySegment.ofArray(new byte[8]);
                        inHandler.complete(fake.host.read(1, FakeHost.BASE, piece));
                    };
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            assertEquals(CompletionStatus.SUCCESS, inHandler.get(60, TimeUnit.SECONDS));
            assertEquals("DescriptionChanged[]", host.next());
        }
    }
}
