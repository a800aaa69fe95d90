package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.link.Bench.Over;
import farslot.link.LinkException.Cause;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Peers that stop reading, that trickle and that flood, at either end of a link: it ends with a
 * sentence or goes on slowly, what it holds is bounded, and its neighbours in the same process
 * notice nothing.
 */
@Timeout(120)
class HostilePeerTest {
    private static final long MOST_DIRECT_BYTES = 48 << 20;
    private static final int READ = Messages.Read.TYPE;
    private static final int WRITE = Messages.Write.TYPE;

    /** Whoever is under attack: a peer that stops reading is given four times the silence. */
    private static final LinkOptions ATTACKED =
            LinkOptions.named("attacked")
                    .withInsecure(true)
                    .withAccessTimeout(Duration.ZERO)
                    .withKeepAlive(Duration.ofMillis(100), Duration.ofMillis(1500));

    /** Who is decent may be slow on a busy machine. */
    private static final LinkOptions DECENT =
            LinkOptions.named("decent")
                    .withInsecure(true)
                    .withAccessTimeout(Duration.ofSeconds(60))
                    .withKeepAlive(Duration.ofMillis(250), Duration.ofSeconds(60));

    @TempDir Path folder;

    private static int rounds(int few, int number, int full) {
        return switch (System.getProperty("farslot.rounds", "short")) {
            case "full" -> full;
            case "few" -> few;
            default -> number;
        };
    }

    private static byte[] read(long offset) {
        return new Composer().u8(0).u8(4).u16(0).u32(4).u64(offset).toBytes();
    }

    private static byte[] write(long offset, int length) {
        return new Composer()
                .u8(0)
                .u8(0)
                .u16(0)
                .u32(length)
                .u64(offset)
                .u64(-1)
                .bytes(new byte[length])
                .toBytes();
    }

    private static byte[] map() {
        return new Composer()
                .u64(FakeHost.BASE)
                .u64(0x200000)
                .u64(0)
                .u8(3)
                .u8(1)
                .bytes(new byte[6])
                .toBytes();
    }

    private static Thread start(Runnable task) {
        return Thread.ofPlatform().daemon(true).start(task);
    }

    /**
     * A lender with a hostile slot on one function, a decent one on the other that never stops
     * reading, and an operator.
     */
    private static final class Neighbourhood implements AutoCloseable {
        final Bench bench;
        final FakeFunction fake;
        final RawPeer slot;
        private final RemoteFunction neighbour;
        private final ControlLink operator;
        private final long directBefore;
        private final AtomicLong mostDirect = new AtomicLong();
        private final AtomicLong served = new AtomicLong();
        private final CompletableFuture<Void> serving = new CompletableFuture<>();
        private volatile boolean over;

        Neighbourhood(Over over, Path folder) throws Exception {
            bench = new Bench(over, folder, ATTACKED);
            fake = bench.lender.f0();
            fake.logsAccesses = false;
            bench.lender.functions.get("f1").logsAccesses = false;
            neighbour = bench.borrow("f1", DECENT, new Bench.Hearing());
            operator = bench.control(DECENT);
            directBefore = Footprint.now(bench.address).directBytes();
            start(this::useNeighbour);
            slot = bench.peer().borrow("f0");
            slot.send(Messages.MapMemory.TYPE, Messages.POSTED, 1, 0, map());
            slot.send(READ, Messages.NON_POSTED, 1, 1, read(0));
            slot.next(Messages.Data.TYPE);
        }

        private void useNeighbour() {
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            try {
                while (!over) {
                    assertEquals(CompletionStatus.SUCCESS, neighbour.read(0, 0, word, 4));
                    mostDirect.accumulateAndGet(Footprint.directBytesNow(), Math::max);
                    served.incrementAndGet();
                }
                serving.complete(null);
            } catch (Throwable failed) {
                serving.completeExceptionally(failed);
            }
        }

        /** The neighbours are served now, not only before and after. */
        void assertUnharmed() throws Exception {
            long before = served.get();
            while (served.get() < before + 20) {
                if (serving.isDone()) {
                    serving.join();
                }
                Thread.onSpinWait();
            }
            assertEquals(2, operator.list().size());
            assertTrue(mostDirect.get() - directBefore < MOST_DIRECT_BYTES, "native memory");
        }

        @Override
        public void close() {
            over = true;
            slot.close();
            serving.orTimeout(60, TimeUnit.SECONDS).join();
            operator.close();
            bench.close();
        }
    }

    @DisabledIfSystemProperty(
            named = "farslot.rounds",
            matches = "few",
            disabledReason = "a peer that stops reading is given six seconds")
    @ParameterizedTest
    @EnumSource
    void shouldEndASlotThatStopsReadingItsAnswers(Over over) throws Exception {
        try (Neighbourhood at = new Neighbourhood(over, folder)) {
            at.slot.stayAlive();
            byte[] megabyte = new Composer().u8(0).u8(0).u16(0).u32(0x100000).u64(0).toBytes();
            // It asks for 200 MB, and gave credit for a terabyte.
            for (int tag = 2; tag < 202; tag++) {
                synchronized (at.slot) {
                    at.slot.send(READ, Messages.NON_POSTED, 1, tag, megabyte);
                }
            }
            at.assertUnharmed();
            assertEquals("ABANDONED f0", at.bench.lender.ending());
            at.assertUnharmed();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldHoldDmaForASlotThatGivesNoMoreCreditAndLiveOn(Over over) throws Exception {
        try (Neighbourhood at = new Neighbourhood(over, folder)) {
            at.slot.stayAlive();
            AtomicLong written = new AtomicLong();
            CompletableFuture<CompletionStatus> writing =
                    CompletableFuture.supplyAsync(
                            () -> {
                                MemorySegment data = MemorySegment.ofArray(new byte[4]);
                                CompletionStatus status = CompletionStatus.SUCCESS;
                                while (status.isSuccess()) {
                                    status = at.fake.host.write(1, FakeHost.BASE, data);
                                    written.incrementAndGet();
                                }
                                return status;
                            },
                            task -> new Thread(task).start());
            // All that credit was given for comes; then there are only signs of life.
            long came = 0;
            for (int alive = 0; alive < 8; ) {
                RawPeer.Frame frame = at.slot.next();
                if (frame.type() == Messages.DmaWrite.TYPE) {
                    came++;
                } else if (came == RawPeer.CREDIT_FRAMES) {
                    alive++;
                }
            }
            assertEquals(RawPeer.CREDIT_FRAMES, came);
            assertFalse(writing.isDone());
            at.assertUnharmed();
            at.slot.close();
            assertFalse(writing.get(30, TimeUnit.SECONDS).isSuccess());
            assertEquals("ABANDONED f0", at.bench.lender.ending());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldServeASlotThatSendsAByteAtATime(Over over) throws Exception {
        try (Neighbourhood at = new Neighbourhood(over, folder)) {
            int accesses = rounds(5, 20, 500);
            for (int access = 0; access < accesses; access++) {
                at.fake.memory.set(ValueLayout.JAVA_INT_UNALIGNED, 4, access * 7);
                for (byte one : at.slot.frame(READ, Messages.NON_POSTED, 1, 2, read(4))) {
                    at.slot.bytes(new byte[] {one});
                }
                RawPeer.Frame data = at.slot.next(Messages.Data.TYPE);
                assertEquals(access * 7, data.payload().getInt(8));
            }
            at.assertUnharmed();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldServeASlotThatReadsAByteAtATime(Over over) throws Exception {
        try (Neighbourhood at = new Neighbourhood(over, folder)) {
            at.slot.readsAtMost = 1;
            at.slot.stayAlive();
            int pieces = rounds(100, 400, 20_000);
            CompletableFuture<Void> writing =
                    CompletableFuture.runAsync(
                            () -> {
                                MemorySegment data = MemorySegment.ofArray(new byte[4]);
                                for (int piece = 0; piece < pieces; piece++) {
                                    data.set(ValueLayout.JAVA_INT_UNALIGNED, 0, piece);
                                    at.fake.host.write(1, FakeHost.BASE, data);
                                }
                            },
                            task -> new Thread(task).start());
            for (int piece = 0; piece < pieces; piece++) {
                RawPeer.Frame frame = at.slot.next(Messages.DmaWrite.TYPE);
                assertEquals(piece, frame.payload().getInt(8));
            }
            writing.get(30, TimeUnit.SECONDS);
            at.assertUnharmed();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndASlotThatFloodsBeyondItsCredit(Over over) throws Exception {
        try (Neighbourhood at = new Neighbourhood(over, folder)) {
            CountDownLatch release = new CountDownLatch(1);
            at.fake.onWrite = (region, offset, data) -> await(release);
            Thread flood =
                    start(() -> {
                        try {
                            while (true) {
                                at.slot.send(WRITE, Messages.POSTED, 1, 0, write(0, 0x10000));
                            }
                        } catch (IllegalStateException ended) {
                            // As it must.
                        }
                    });
            assertEquals("CREDIT_EXCEEDED", at.slot.error());
            at.assertUnharmed();
            at.slot.close();
            flood.join();
            release.countDown();
            assertEquals("BROKEN f0", at.bench.lender.ending());
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldServeASlotThatFloodsWithinItsCreditAndItsNeighbours(Over over) throws Exception {
        try (Neighbourhood at = new Neighbourhood(over, folder)) {
            int requests = rounds(2_000, 20_000, 2_000_000);
            int window = 128;
            int answered = 0;
            for (int sent = 0; answered < requests; ) {
                while (sent < requests && sent - answered < window) {
                    at.slot.send(READ, Messages.NON_POSTED, 1, 2 + sent % window, read(0));
                    sent++;
                }
                at.slot.next(Messages.Data.TYPE);
                at.slot.grantAll();
                answered++;
            }
            at.assertUnharmed();
        }
    }

    // At the slot's end.

    /** A slot process with a hostile lender and a decent one. */
    private static final class TwoLenders implements AutoCloseable {
        final Bench bench;
        final RemoteFunction neighbour;
        final Bench.Hearing hearing = new Bench.Hearing();
        final FakeHost host = new FakeHost();
        final CompletableFuture<RawPeer> lender = new CompletableFuture<>();
        private final ServerSocketChannel listening = ServerSocketChannel.open();
        private final CountDownLatch over = new CountDownLatch(1);
        private RemoteFunction function;

        TwoLenders(Path folder) throws Exception {
            bench = new Bench(Over.UNIX, folder, DECENT);
            neighbour = bench.borrow("f0", DECENT, new Bench.Hearing());
            listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        }

        /** The hostile lender, once it has lent. */
        RemoteFunction borrow(Consumer<RawPeer> then) throws Exception {
            RawPeer.serveOne(
                    listening.socket(),
                    peer -> {
                        peer.lend();
                        lender.complete(peer);
                        then.accept(peer);
                        await(over);
                    });
            Address at = new Address.Tcp("127.0.0.1", listening.socket().getLocalPort());
            function = RemoteFunction.borrow(at, new Wish("f0"), ATTACKED, hearing);
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x200000, Direction.READ_WRITE, null, true));
            return function;
        }

        void assertUnharmed() {
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, neighbour.read(0, 0, word, 4));
        }

        @Override
        public void close() throws IOException {
            over.countDown();
            if (function != null) {
                function.close();
            }
            listening.close();
            bench.close();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @DisabledIfSystemProperty(
            named = "farslot.rounds",
            matches = "few",
            disabledReason = "a peer that stops reading is given six seconds")
    @Test
    void shouldEndALenderThatStopsReading() throws Exception {
        try (TwoLenders with = new TwoLenders(folder)) {
            RemoteFunction function = with.borrow(RawPeer::stayAlive);
            long before = Footprint.directBytesNow();
            MemorySegment data = MemorySegment.ofArray(new byte[0x10000]);
            CompletionStatus status = CompletionStatus.SUCCESS;
            long taken = 0;
            while (status.isSuccess()) {
                status = function.write(0, 0, data, 0, -1);
                taken += data.byteSize();
                with.assertUnharmed();
            }
            LinkException why = with.hearing.await();
            assertEquals(Cause.LOST, why.what());
            assertTrue(why.getMessage().contains("has stopped reading"), why.getMessage());
            assertTrue(Footprint.directBytesNow() - before < MOST_DIRECT_BYTES);
            // What the sockets and the outbox hold; the lender gave credit for a terabyte.
            assertTrue(taken < MOST_DIRECT_BYTES, taken + " bytes taken");
            with.assertUnharmed();
        }
    }

    @Test
    void shouldWaitForALenderThatAnswersAByteAtATime() throws Exception {
        int accesses = rounds(5, 20, 500);
        try (TwoLenders with = new TwoLenders(folder)) {
            RemoteFunction function =
                    with.borrow(peer -> {
                        for (int access = 0; access < accesses; access++) {
                            RawPeer.Frame asked = peer.next(READ);
                            byte[] data = new Composer().u64(0).u32(7L * access).toBytes();
                            for (byte one :
                                    peer.frame(
                                            Messages.Data.TYPE,
                                            Messages.COMPLETION,
                                            1,
                                            asked.tag(),
                                            data)) {
                                peer.bytes(new byte[] {one});
                            }
                        }
                        peer.stayAlive();
                    });
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            for (int access = 0; access < accesses; access++) {
                assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
                assertEquals(access * 7, word.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
            }
            with.assertUnharmed();
        }
    }

    @Test
    void shouldEndALenderThatFloodsBeyondItsCredit() throws Exception {
        try (TwoLenders with = new TwoLenders(folder)) {
            CountDownLatch release = new CountDownLatch(1);
            with.host.onInterrupt = () -> await(release);
            long before = Footprint.directBytesNow();
            byte[] interrupt = new Composer().u8(2).u8(0).u16(0).u32(0).toBytes();
            byte[] dma = new Composer().u64(FakeHost.BASE).bytes(new byte[0x10000]).toBytes();
            with.borrow(peer -> {
                try {
                    peer.send(Messages.Interrupt.TYPE, Messages.POSTED, 1, 0, interrupt);
                    while (true) {
                        peer.send(Messages.DmaWrite.TYPE, Messages.POSTED, 1, 0, dma);
                    }
                } catch (IllegalStateException ended) {
                    // As it must.
                }
            });
            LinkException why = with.hearing.await();
            assertEquals(Cause.PROTOCOL, why.what());
            assertTrue(why.getMessage().contains("CREDIT_EXCEEDED"), why.getMessage());
            assertTrue(Footprint.directBytesNow() - before < MOST_DIRECT_BYTES);
            with.assertUnharmed();
            release.countDown();
        }
    }

    @Test
    void shouldTakeInAllOfALenderThatFloodsWithinItsCredit() throws Exception {
        int batches = rounds(5, 50, 5000);
        long perBatch = 400;
        AtomicLong interrupts = new AtomicLong();
        try (TwoLenders with = new TwoLenders(folder)) {
            with.host.onInterruptOf = vector -> interrupts.incrementAndGet();
            CountDownLatch attached = new CountDownLatch(1);
            CountDownLatch done = new CountDownLatch(1);
            byte[] interrupt = new Composer().u8(2).u8(0).u16(3).u32(0).toBytes();
            byte[] dma = new Composer().u64(FakeHost.BASE).u32(4).u32(0).toBytes();
            with.borrow(peer -> {
                await(attached); // Interrupts of before have nowhere to go.
                for (int batch = 0; batch < batches; batch++) {
                    for (int one = 0; one < perBatch; one++) {
                        peer.send(Messages.Interrupt.TYPE, Messages.POSTED, 1, 0, interrupt);
                    }
                    // Its answer comes behind all of them, so their credit is back or on its way.
                    peer.send(Messages.DmaRead.TYPE, Messages.NON_POSTED, 1, 1 + batch, dma);
                    peer.next(Messages.Data.TYPE);
                }
                done.countDown();
                peer.stayAlive();
            });
            attached.countDown();
            while (done.getCount() > 0) {
                with.assertUnharmed();
            }
            assertEquals(batches * perBatch, interrupts.get());
            assertFalse(with.hearing.why.isDone());
        }
    }
}
