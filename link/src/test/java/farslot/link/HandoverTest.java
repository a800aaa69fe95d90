package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.NearMemory;
import farslot.link.Bench.Over;
import farslot.posix.MappedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions go on with another server, as with another process. */
@Timeout(120)
class HandoverTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final LinkOptions LENDER = LinkOptions.named("lender").withInsecure(true);

    @TempDir Path folder;

    private final Bench.Lender lender = new Bench.Lender();
    private volatile LinkServer server;
    private volatile Address address;

    private void open(Over over, List<SavedSession> saved) throws IOException {
        Address at =
                over == Over.UNIX
                        ? new Address.Unix(folder.resolve("l"))
                        : new Address.Tcp("127.0.0.1", 0);
        server = LinkServer.open(LENDER, lender, List.of(at), saved);
        address = server.addresses().getFirst();
    }

    private List<SavedSession> leave() {
        List<SavedSession> sessions;
        try (Standstill standstill = server.standStill(PATIENCE)) {
            sessions = standstill.sessions();
            standstill.handOver("The test hands over.");
        }
        server.close();
        return sessions;
    }

    private RemoteFunction borrow() throws Exception {
        return RemoteFunction.borrow(
                address,
                () -> List.of(address),
                new Wish("f0"),
                Bench.SLOT.withAccessTimeout(Duration.ZERO),
                new Bench.Hearing());
    }

    @AfterEach
    void close() {
        server.close();
    }

    @ParameterizedTest
    @EnumSource(
            value = Over.class,
            names = {"UNIX", "TCP"})
    void aSessionGoesOnWithOneSuccessorAfterTheOtherDuringTraffic(Over over) throws Exception {
        open(over, List.of());
        FakeFunction fake = lender.f0();
        fake.logsAccesses = false;
        AtomicLong written = new AtomicLong();
        AtomicLong reads = new AtomicLong();
        fake.onWrite =
                (region, offset, data) -> {
                    long number = data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
                    assertEquals(written.incrementAndGet(), number);
                };
        fake.onRead =
                (region, offset, data) ->
                        fake.memory.set(
                                ValueLayout.JAVA_LONG_UNALIGNED, offset, reads.incrementAndGet());
        CountDownLatch enough = new CountDownLatch(6);
        try (MappedMemory memory = MappedMemory.create("guest", 0x10000);
                RemoteFunction function = borrow()) {
            FakeHost host = new FakeHost(memory.segment());
            function.attach(host);
            int number = memory.descriptor().number();
            NearMemory near = new NearMemory(memory.segment(), number, 0);
            function.map(new DmaMap(FakeHost.BASE, 0x10000, Direction.READ_WRITE, near, true));
            while (List.copyOf(fake.log).stream().noneMatch(line -> line.startsWith("map"))) {
                Thread.onSpinWait();
            }
            CompletableFuture<Long> driver =
                    CompletableFuture.supplyAsync(() -> drive(function, enough));
            MemorySegment word = Arena.ofAuto().allocate(8, 8);
            for (int round = 1; round <= 5; round++) {
                open(over, leave());
                assertEquals("resumed", next(lender));
                word.set(ValueLayout.JAVA_LONG, 0, round);
                assertEquals(CompletionStatus.SUCCESS, fake.host.write(1, FakeHost.BASE, word));
                word.set(ValueLayout.JAVA_LONG, 0, 0);
                assertEquals(CompletionStatus.SUCCESS, fake.host.read(1, FakeHost.BASE, word));
                assertEquals(round, word.get(ValueLayout.JAVA_LONG, 0));
                long before = reads.get();
                while (reads.get() < before + 20) {
                    Thread.onSpinWait();
                }
                enough.countDown();
            }
            if (over == Over.UNIX) {
                assertTrue(fake.log.contains("map 0x1000 0x10000 READ_WRITE near true"));
                assertTrue(fake.log.getLast().contains("near"), fake.log::toString);
            }
            enough.countDown();
            long posted = driver.get(60, TimeUnit.SECONDS);
            assertEquals(posted, written.get());
            assertEquals(5, function.resumes().times());
            assertEquals(List.of(), List.copyOf(lender.endings));
        }
        assertEquals("RETURNED f0", lender.ending());
    }

    private static String next(Bench.Lender lender) throws InterruptedException {
        String change = lender.change();
        while ("detached".equals(change)) {
            change = lender.change();
        }
        return change;
    }

    /** Writes and reads, each numbered; how many were written. */
    private static long drive(RemoteFunction function, CountDownLatch enough) {
        MemorySegment word = MemorySegment.ofArray(new byte[8]);
        long writes = 0;
        for (long round = 1; enough.getCount() > 0; round++) {
            for (int post = 0; post < 5; post++) {
                word.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, ++writes);
                assertEquals(CompletionStatus.SUCCESS, function.write(0, 0, word, 8, -1));
            }
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0x100, word, 8));
            assertEquals(round, word.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        }
        return writes;
    }

    @ParameterizedTest
    @EnumSource(
            value = Over.class,
            names = {"UNIX", "TCP"})
    void whatIsNotHandedOverGoesOnWithTheSameServer(Over over) throws Exception {
        open(over, List.of());
        try (RemoteFunction function = borrow()) {
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            try (Standstill standstill = server.standStill(PATIENCE)) {
                assertEquals("f0", standstill.sessions().getFirst().function());
                assertThrows(IllegalStateException.class, () -> server.standStill(PATIENCE));
            }
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            assertFalse(function.isEnded());
            server.standStill(PATIENCE).close();
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
        }
        assertEquals("RETURNED f0", lender.ending());
    }

    @Test
    void aFunctionThatHoldsAnAccessIsNotHandedOverAndGoesOn() throws Exception {
        open(Over.TCP, List.of());
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        lender.f0().onRead =
                (region, offset, data) -> {
                    begun.countDown();
                    try {
                        release.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                };
        try (RemoteFunction function = borrow()) {
            CompletableFuture<CompletionStatus> status =
                    CompletableFuture.supplyAsync(
                            () -> function.read(0, 0, MemorySegment.ofArray(new byte[4]), 4));
            begun.await();
            IllegalStateException why =
                    assertThrows(
                            IllegalStateException.class,
                            () -> server.standStill(Duration.ofMillis(50)));
            assertTrue(why.getMessage().contains("under way"), why.getMessage());
            release.countDown();
            assertEquals(CompletionStatus.SUCCESS, status.get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void aSavedSessionThatWasBentIsNotGoneOnWith() throws Exception {
        open(Over.TCP, List.of());
        try (RemoteFunction function = borrow()) {
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            List<SavedSession> saved = leave();
            byte[] state = saved.getFirst().state();
            for (int length = 0; length < state.length; length++) {
                byte[] shorter = Arrays.copyOf(state, length);
                SavedSession bent = new SavedSession("f0", 1, shorter);
                assertThrows(
                        LinkException.class,
                        () -> ServedLink.restored(bent, LENDER, lender, secret -> null));
            }
            open(Over.TCP, saved);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
        }
    }
}
