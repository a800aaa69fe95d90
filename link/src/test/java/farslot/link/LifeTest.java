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
import farslot.core.NearMemory;
import farslot.core.PciHost;
import farslot.link.Bench.Over;
import farslot.posix.MappedMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who is dead, who is held, who floods: and that nobody else is disturbed. */
@Timeout(60)
class LifeTest {
    @TempDir Path folder;

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anAccessThatIsHeldLongerThanAPeerMayBeSilentIsHeldAndNotDead(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            Bench.Hearing hearing = new Bench.Hearing();
            LinkOptions patient = Bench.SLOT.withAccessTimeout(Duration.ZERO);
            RemoteFunction function = bench.borrow("f0", patient, hearing);
            CountDownLatch release = new CountDownLatch(1);
            bench.lender.f0().onRead = (region, offset, data) -> await(release);
            CompletableFuture<CompletionStatus> status =
                    CompletableFuture.supplyAsync(
                            () -> function.read(0, 0x1c, MemorySegment.ofArray(new byte[4]), 4));
            // Six notices are a quarter of a second apart: more than the second of a dead peer.
            for (int notice = 0; notice < 6; notice++) {
                assertEquals(
                        "a read of BAR0 at offset 0x1c", hearing.held.poll(20, TimeUnit.SECONDS));
            }
            assertFalse(status.isDone());
            assertFalse(function.isEnded());
            assertEquals(2, bench.control().list().size());
            release.countDown();
            assertEquals(CompletionStatus.SUCCESS, status.get(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void aLenderKnowsWhatIsHeldAndThatItIsNoMore() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            RemoteFunction function = bench.borrow("f0");
            BlockingQueue<String> held = bench.lender.held;
            for (long offset : new long[] {0x8, 0x10}) {
                CountDownLatch release = new CountDownLatch(1);
                bench.lender.f0().onWrite = (region, at, data) -> await(release);
                function.write(0, offset, MemorySegment.ofArray(new byte[4]), 4, -1);
                String what = "a write to BAR0 at offset 0x" + Long.toHexString(offset);
                assertEquals(what, held.poll(20, TimeUnit.SECONDS));
                release.countDown();
                // What comes behind it is carried out: it is over by then.
                bench.lender.f0().onWrite = (region, at, data) -> held.add("behind it");
                function.write(0, 0, MemorySegment.ofArray(new byte[4]), 4, -1);
                String next = held.poll(20, TimeUnit.SECONDS);
                while (what.equals(next)) {
                    next = held.poll(20, TimeUnit.SECONDS);
                }
                assertEquals("no more", next);
                assertEquals("behind it", held.poll(20, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    void anAccessThatNobodyAnswersInTimeIsTimedOutAndItsLateAnswerIsDropped() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            LinkOptions hasty = Bench.SLOT.withAccessTimeout(Duration.ofMillis(100));
            RemoteFunction function = bench.borrow("f0", hasty, new Bench.Hearing());
            CountDownLatch release = new CountDownLatch(1);
            FakeFunction fake = bench.lender.f0();
            fake.onRead = (region, offset, data) -> await(release);
            MemorySegment into = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.TIMED_OUT, function.read(0, 0, into, 4));
            fake.memory.set(ValueLayout.JAVA_INT_UNALIGNED, 0, 0x55);
            release.countDown();
            // Answered behind the late one.
            CompletionStatus next = function.read(0, 4, into, 4);
            while (next == CompletionStatus.TIMED_OUT) {
                next = function.read(0, 4, into, 4);
            }
            assertEquals(CompletionStatus.SUCCESS, next);
            assertEquals(0, into.get(ValueLayout.JAVA_INT_UNALIGNED, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"UNIX", "TCP"})
    void aPeerThatFallsSilentIsNoticedByBothSides(Over over) throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                Proxy proxy = new Proxy(bench.address)) {
            Bench.Hearing hearing = new Bench.Hearing();
            LinkOptions once = Bench.SLOT.withGrace(Duration.ZERO);
            RemoteFunction function =
                    RemoteFunction.borrow(proxy.address(), new Wish("f0"), once, hearing);
            RemoteFunction other = bench.borrow("f1");
            if (over == Over.TCP) {
                CompletableFuture<CompletionStatus> waiting = new CompletableFuture<>();
                CountDownLatch there = new CountDownLatch(1);
                bench.lender.f0().onRead =
                        (region, offset, data) -> {
                            proxy.stop();
                            there.countDown();
                        };
                Thread.ofPlatform()
                        .start(() ->
                                waiting.complete(
                                        function.read(
                                                0, 0, MemorySegment.ofArray(new byte[4]), 4)));
                await(there);
                assertEquals(CompletionStatus.TIMED_OUT, waiting.get(20, TimeUnit.SECONDS));
            } else {
                proxy.stop();
            }
            LinkException why = hearing.await();
            assertEquals(LinkException.Cause.LOST, why.what());
            assertTrue(why.getMessage().contains("silent"), why.getMessage());
            assertEquals("ABANDONED f0", bench.lender.ending());
            MemorySegment into = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, other.read(0, 0, into, 4));
            assertEquals(CompletionStatus.TIMED_OUT, function.read(0, 0, into, 4));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSlotThatBreaksOffAbandonsItsFunction(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            try (RawPeer slot = bench.peer().borrow("f0")) {
                assertEquals("attached", bench.lender.f0().log.getLast());
                slot.send(
                        0x22,
                        Messages.NON_POSTED,
                        1,
                        1,
                        new byte[] {0, 4, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
            }
            assertEquals("ABANDONED f0", bench.lender.ending());
            assertEquals("detached", bench.lender.f0().log.getLast());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSlotThatStopsReadingIsEndedAndOthersGoOn(Over over) throws Exception {
        LinkOptions quick =
                LinkOptions.named("lender")
                        .withInsecure(true)
                        .withKeepAlive(Duration.ofMillis(100), Duration.ofMillis(500));
        try (Bench bench = new Bench(over, folder, quick);
                RawPeer slot = bench.peer().borrow("f0")) {
            RemoteFunction other = bench.borrow("f1");
            byte[] map =
                    new Composer()
                            .u64(0x1000)
                            .u64(0x100000)
                            .u64(0)
                            .u8(3)
                            .u8(1)
                            .bytes(new byte[6])
                            .toBytes();
            slot.send(0x27, Messages.POSTED, 1, 0, map);
            slot.send(
                    0x22,
                    Messages.NON_POSTED,
                    1,
                    1,
                    new byte[] {0, 4, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
            slot.next(0x23);
            slot.stayAlive();
            FakeFunction fake = bench.lender.f0();
            CompletableFuture<CompletionStatus> end = new CompletableFuture<>();
            PciHost host = fake.host;
            Thread.ofPlatform()
                    .start(() -> {
                        // The raw slot gave credit for a terabyte, and reads nothing.
                        MemorySegment data = MemorySegment.ofArray(new byte[0x100000]);
                        CompletionStatus status = CompletionStatus.SUCCESS;
                        while (status.isSuccess()) {
                            status = host.write(1, 0x1000, data);
                        }
                        end.complete(status);
                    });
            assertFalse(end.get(30, TimeUnit.SECONDS).isSuccess());
            assertEquals("ABANDONED f0", bench.lender.ending());
            MemorySegment into = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, other.read(0, 0, into, 4));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aWriterWaitsForCreditWhileTheFunctionIsHeldAndNothingIsLost(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            LinkOptions patient = Bench.SLOT.withAccessTimeout(Duration.ZERO);
            RemoteFunction function = bench.borrow("f0", patient, new Bench.Hearing());
            RemoteFunction other = bench.borrow("f1");
            FakeFunction fake = bench.lender.f0();
            fake.logsAccesses = false;
            CountDownLatch begun = new CountDownLatch(1);
            CountDownLatch release = new CountDownLatch(1);
            List<Long> seen = new ArrayList<>();
            fake.onWrite =
                    (region, offset, data) -> {
                        begun.countDown();
                        await(release);
                        seen.add(offset);
                    };
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            int count = 5000;
            CompletableFuture<Void> writing =
                    CompletableFuture.runAsync(() -> {
                        for (int index = 0; index < count; index++) {
                            function.write(0, 4L * index, word, 4, -1);
                        }
                    });
            await(begun);
            assertEquals(CompletionStatus.SUCCESS, other.read(0, 0, word, 4));
            assertFalse(writing.isDone());
            release.countDown();
            writing.get(30, TimeUnit.SECONDS);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            assertEquals(count, seen.size());
            for (int index = 0; index < count; index++) {
                assertEquals(4L * index, seen.get(index));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void manyDmaReadsAreUnderWayAtOnceBothWaysLoaded(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            FakeHost host = new FakeHost();
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x200000, Direction.READ_WRITE, null, true));
            for (long at = 0; at < 0x100000; at += 8) {
                host.memory.set(ValueLayout.JAVA_LONG, at, at * 0x9e3779b97f4a7c15L);
            }
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            function.read(0, 0, word, 4);
            FakeFunction fake = bench.lender.f0();
            fake.logsAccesses = false;
            int threads = 4;
            List<CompletableFuture<CompletionStatus>> all = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                long target = FakeHost.BASE + 0x100000 + thread * 0x40000L;
                all.add(
                        CompletableFuture.supplyAsync(
                                () -> copies(fake, target), task -> new Thread(task).start()));
            }
            for (int access = 0; access < 500; access++) {
                assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
                assertEquals(CompletionStatus.SUCCESS, function.write(0, 0, word, 4, -1));
            }
            for (CompletableFuture<CompletionStatus> one : all) {
                assertEquals(CompletionStatus.SUCCESS, one.get(40, TimeUnit.SECONDS));
            }
            function.read(0, 0, word, 4);
            MemorySegment expected = host.memory.asSlice(0, 0x40000);
            for (int thread = 0; thread < threads; thread++) {
                MemorySegment written = host.memory.asSlice(0x100000 + thread * 0x40000L, 0x40000);
                assertEquals(-1, expected.mismatch(written));
            }
        }
    }

    /** Reads 1 MiB in 256 pieces at once and writes 256 KiB of it back, ten times. */
    private static CompletionStatus copies(FakeFunction fake, long target) {
        MemorySegment data = Arena.ofAuto().allocate(0x100000);
        for (int round = 0; round < 10; round++) {
            List<DmaSegment> pieces = new ArrayList<>();
            for (long at = 0; at < 0x100000; at += 0x1000) {
                pieces.add(new DmaSegment(FakeHost.BASE + at, data.asSlice(at, 0x1000)));
            }
            CompletionStatus status = fake.host.readAll(1, pieces);
            if (status.isSuccess()) {
                status = fake.host.write(1, target, data.asSlice(0, 0x40000));
            }
            if (!status.isSuccess()) {
                return status;
            }
        }
        return CompletionStatus.SUCCESS;
    }

    @ParameterizedTest
    @EnumSource
    void aCompletionDoesNotWaitForMemoryThatIsOutOfReachMeanwhile(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            FakeHost host = new FakeHost();
            CountDownLatch release = new CountDownLatch(1);
            host.onInterrupt = () -> await(release);
            function.attach(host);
            function.map(new DmaMap(FakeHost.BASE, 0x1000, Direction.READ_WRITE, null, false));
            FakeFunction fake = bench.lender.f0();
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            fake.onRead =
                    (region, offset, data) -> {
                        assertFalse(fake.host.servedWhileWaiting(FakeHost.BASE, 4));
                        fake.host.interrupt(1, InterruptKind.INTX, 0);
                    };
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            release.countDown();
            assertEquals("INTX 0 in 1", host.next());
        }
    }

    @Test
    void memoryWhoseDescriptorTravelsIsReachedWithoutMessages() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder);
                MappedMemory memory = MappedMemory.create("guest", 0x10000)) {
            RemoteFunction function = bench.borrow("f0");
            FakeHost host = new FakeHost(memory.segment());
            host.onRead = () -> host.told.add("a message");
            function.attach(host);
            int number = memory.descriptor().number();
            NearMemory low = new NearMemory(memory.segment().asSlice(0, 0x8000), number, 0);
            NearMemory high =
                    new NearMemory(memory.segment().asSlice(0x8000, 0x8000), number, 0x8000);
            function.map(new DmaMap(FakeHost.BASE, 0x8000, Direction.READ_WRITE, low, true));
            function.map(new DmaMap(FakeHost.BASE + 0x8000, 0x8000, Direction.READ, high, true));
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
            FakeFunction fake = bench.lender.f0();
            assertTrue(fake.log.contains("map 0x1000 0x8000 READ_WRITE near true"));
            memory.segment().set(ValueLayout.JAVA_LONG, 0x8000, 0x1234);
            MemorySegment into = Arena.ofAuto().allocate(16, 8);
            assertEquals(CompletionStatus.SUCCESS, fake.host.read(1, FakeHost.BASE + 0x7ff8, into));
            assertEquals(0x1234, into.get(ValueLayout.JAVA_LONG, 8));
            into.set(ValueLayout.JAVA_LONG, 0, 0x77);
            assertEquals(CompletionStatus.SUCCESS, fake.host.write(1, FakeHost.BASE + 0x10, into));
            assertEquals(0x77, memory.segment().get(ValueLayout.JAVA_LONG, 0x10));
            assertEquals(
                    CompletionStatus.COMPLETER_ABORT,
                    fake.host.write(1, FakeHost.BASE + 0x8000, into));
            assertTrue(host.next().startsWith("DmaRefused"));
            MemorySegment near = fake.host.near(1, FakeHost.BASE, 0x100, Direction.READ);
            assertEquals(0x77, near.get(ValueLayout.JAVA_LONG, 0x10));
            assertEquals(CompletionStatus.SUCCESS, function.unmap(FakeHost.BASE, 0x8000));
            assertEquals(CompletionStatus.COMPLETER_ABORT, fake.host.read(1, FakeHost.BASE, into));
            assertFalse(near.scope().isAlive());
        }
    }

    @Test
    void aLenderKnowsASlotOfItsMachineByItsCredentials() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            bench.borrow("f0");
            Peer borrower = bench.lender.leases.get("f0").borrower();
            assertTrue(borrower.known());
            assertEquals(ProcessHandle.current().pid(), borrower.pid());
            String user = System.getProperty("user.name");
            assertEquals(
                    "\"s1\", uid " + user + " (pid " + borrower.pid() + ")", borrower.toString());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aLenderThatRevokesOrEndsSaysGoodbye(Over over) throws Exception {
        Bench.Hearing first = new Bench.Hearing();
        Bench.Hearing second = new Bench.Hearing();
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0", Bench.SLOT, first);
            FakeHost host = new FakeHost();
            function.attach(host);
            function.read(0, 0, MemorySegment.ofArray(new byte[4]), 4);
            FakeFunction fake = bench.lender.f0();
            fake.host.event(new FunctionEvent.GoingAway("soon"));
            assertEquals("GoingAway[sentence=soon]", host.next());
            bench.lender.leases.get("f0").revoke("The owner wants it back.");
            assertEquals("REVOKED f0", bench.lender.ending());
            LinkException why = first.await();
            assertEquals(LinkException.Cause.GOODBYE, why.what());
            assertEquals("The owner wants it back.", why.getMessage());
            bench.borrow("f0", Bench.SLOT, second);
            bench.server.close("The lender is stopped.");
            assertEquals("The lender is stopped.", second.await().getMessage());
            assertEquals("REVOKED f0", bench.lender.ending());
        }
    }

    @Test
    void aChangeOfHostTakesMapsAndInterruptsBack() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            RemoteFunction function = bench.borrow("f0");
            function.attach(new FakeHost());
            function.map(new DmaMap(FakeHost.BASE, 0x1000, Direction.READ, null, true));
            FakeHost second = new FakeHost();
            function.attach(second);
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            function.read(0, 0, word, 4);
            assertEquals(
                    List.of(
                            "attached",
                            "map 0x1000 0x1000 READ far true",
                            "unmap 0x0 0x0",
                            "interrupts INTX 0 1 DISABLE",
                            "interrupts MSI 0 4 DISABLE",
                            "interrupts MSIX 0 16 DISABLE",
                            "read 0+0x0 4/4"),
                    bench.lender.f0().log);
            bench.lender.f0().host.interrupt(1, InterruptKind.INTX, 0);
            assertEquals("INTX 0 in 1", second.next());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aDeviceThatThrowsAbortsTheAccessAndLives(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            RemoteFunction function = bench.borrow("f0");
            FakeFunction fake = bench.lender.f0();
            fake.onRead =
                    (region, offset, data) -> {
                        throw new IllegalStateException("by order of a test");
                    };
            MemorySegment word = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.COMPLETER_ABORT, function.read(0, 0, word, 4));
            fake.onRead = (region, offset, data) -> {};
            assertEquals(CompletionStatus.SUCCESS, function.read(0, 0, word, 4));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aControlLinkListsOperatesAndObserves(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            bench.borrow("f0");
            ControlLink control = bench.control();
            List<Entry> entries = control.list();
            assertEquals("f0", entries.get(0).name());
            assertTrue(entries.get(0).taken());
            assertFalse(entries.get(1).taken());
            Map<String, String> arguments = new LinkedHashMap<>();
            arguments.put("zeta", "1");
            arguments.put("alpha", "ü".repeat(1000));
            List<Map<String, String>> rows = control.operate("echo", arguments);
            assertEquals(List.of(arguments), rows);
            assertEquals(List.of("zeta", "alpha"), List.copyOf(rows.getFirst().keySet()));
            // Several frames.
            Map<String, String> many = Map.of("rows", "5000", "text", "x".repeat(100));
            assertEquals(5000, control.operate("many", many).size());
            RefusedException refused =
                    org.junit.jupiter.api.Assertions.assertThrows(
                            RefusedException.class, () -> control.operate("dance", Map.of()));
            assertEquals(RefusedException.Reason.NOT_FOUND, refused.reason());
            BlockingQueue<ObservedEvent> events = new LinkedBlockingQueue<>();
            CompletableFuture<LinkException> end = new CompletableFuture<>();
            control.observe(events::add, end::complete);
            var observer = bench.lender.observing.poll(20, TimeUnit.SECONDS);
            ObservedEvent event = new ObservedEvent(12345, "f0", "reset", "f0 was reset.");
            observer.accept(event);
            assertEquals(event, events.poll(20, TimeUnit.SECONDS));
            control.close();
            assertEquals(LinkException.Cause.CLOSED, end.get(20, TimeUnit.SECONDS).what());
            assertFalse(end.get().getMessage().isBlank());
        }
    }

    @Test
    void anObserverThatReadsTooSlowlyLosesEventsAndIsToldHowMany() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            BlockingQueue<ObservedEvent> events = new LinkedBlockingQueue<>();
            CountDownLatch release = new CountDownLatch(1);
            ControlLink control = bench.control();
            control.observe(
                    event -> {
                        await(release);
                        events.add(event);
                    },
                    end -> {});
            var observer = bench.lender.observing.poll(20, TimeUnit.SECONDS);
            int told = 20_000;
            for (int count = 0; count < told; count++) {
                observer.accept(new ObservedEvent(count, "f0", "tick", ""));
            }
            release.countDown();
            int heard = 0;
            ObservedEvent last = null;
            while (heard < told) {
                last = events.poll(500, TimeUnit.MILLISECONDS);
                if (last == null) {
                    observer.accept(new ObservedEvent(-1, "f0", "last", ""));
                    last = events.poll(20, TimeUnit.SECONDS);
                    heard += 1 + last.lostBefore();
                    if (last.what().equals("last")) {
                        heard--;
                        break;
                    }
                } else {
                    heard += 1 + last.lostBefore();
                }
            }
            assertEquals(told, heard);
        }
    }
}
