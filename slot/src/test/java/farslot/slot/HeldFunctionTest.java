package farslot.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.link.HeldAccess;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a driver's side sees while its lender comes and goes. */
@Timeout(60)
class HeldFunctionTest {
    /** A thread for each: tasks here wait for each other. */
    private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

    /** So short that a test may wait for it, and no test asks how short it was. */
    private static final long SHORT = 30;

    private static final long LONG = 50_000;

    private final ScriptedLender lender = new ScriptedLender();
    private final BlockingQueue<String> talk = new LinkedBlockingQueue<>();
    private final NotingHost host = new NotingHost();
    private final CountDownLatch gone = new CountDownLatch(1);
    private HeldFunction held;

    @AfterEach
    void close() {
        if (held != null) {
            held.close();
        }
    }

    private ScriptedFunction hold(long holdMillis) throws Exception {
        ScriptedFunction first = lender.offer();
        return hold(first, holdMillis, true);
    }

    private ScriptedFunction hold(ScriptedFunction first, long holdMillis, boolean rejoin)
            throws Exception {
        HeldFunction.Rules rules = new HeldFunction.Rules(holdMillis, rejoin);
        held = HeldFunction.borrow(lender, rules, talk::add, gone::countDown);
        held.attach(host);
        return first;
    }

    /** A session whose connection broke and for which one access has waited in vain. */
    private ScriptedFunction suspended() throws Exception {
        ScriptedFunction function = hold(LONG);
        lender.detach();
        function.answer = CompletionStatus.TIMED_OUT;
        assertEquals(CompletionStatus.TIMED_OUT, read());
        function.answer = CompletionStatus.SUCCESS;
        return function;
    }

    private void awaitSaid(String words) throws Exception {
        String said;
        do {
            said = talk.poll(50, TimeUnit.SECONDS);
        } while (said != null && !said.contains(words));
        assertNotNull(said, words);
    }

    private CompletionStatus read() {
        return held.read(0, 8, MemorySegment.ofArray(new byte[4]), 4);
    }

    private CompletionStatus write(int region) {
        return held.write(
                region, 4, MemorySegment.ofArray(new byte[] {7}), 1, PciFunction.ALL_BYTES);
    }

    private <E extends FunctionEvent> E awaitEvent(Class<E> kind) throws Exception {
        while (true) {
            FunctionEvent event = host.events.poll(50, TimeUnit.SECONDS);
            if (kind.isInstance(event)) {
                return kind.cast(event);
            }
        }
    }

    private void awaitAttached() throws Exception {
        while (!awaitEvent(FunctionEvent.Presence.class).present()) {}
    }

    private static DmaMap map(long address, long length) {
        return new DmaMap(address, length, Direction.READ_WRITE, null, true);
    }

    @Test
    void passesEverythingOnWhileTheLenderIsThere() throws Exception {
        ScriptedFunction function = hold(LONG);
        assertEquals(CompletionStatus.SUCCESS, read());
        assertEquals(CompletionStatus.SUCCESS, write(0));
        held.map(map(0x1000, 0x1000));
        held.interrupts(InterruptKind.MSIX, 0, 2, InterruptAction.ENABLE);
        assertEquals(CompletionStatus.SUCCESS, held.unmap(0x1000, 0x1000));
        assertEquals(
                List.of(
                        "attach",
                        "read 0+8",
                        "write 0+4=7",
                        "map 4096+4096",
                        "MSIX 0+2 ENABLE",
                        "unmap 4096+4096"),
                function.asked);
    }

    @Test
    void saysWhyTheFunctionIsLostThoughItSeesSoBeforeItIsTold() throws Exception {
        hold(LONG);
        lender.crashUnheard();
        awaitSaid("n0@test is lost: the lender was killed");
    }

    @Test
    void passesTheFunctionsOwnRefusalsOn() throws Exception {
        ScriptedFunction function = hold(LONG);
        function.answer = CompletionStatus.UNSUPPORTED_REQUEST;
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, read());
        assertEquals("attached", held.status().state());
    }

    @Test
    void endsAccessesAsTimedOutWhenTheLenderStaysAway() throws Exception {
        hold(SHORT);
        lender.crash();
        assertEquals(CompletionStatus.TIMED_OUT, read());
        assertEquals("suspended", held.status().state());
        assertEquals(CompletionStatus.TIMED_OUT, read());
        assertEquals(CompletionStatus.TIMED_OUT, write(Region.CONFIGURATION), "not posted");
        assertEquals(CompletionStatus.TIMED_OUT, write(2), "I/O ports are not posted");
        assertEquals(CompletionStatus.SUCCESS, write(0), "posted, so taken, and dropped");
        assertEquals(4, held.status().unanswered());
        assertEquals(1, held.status().dropped());
    }

    @Test
    void anAccessThatWasHeldIsDoneOnTheFreshFunction() throws Exception {
        ScriptedFunction first = hold(LONG);
        first.release = new CountDownLatch(1);
        CompletableFuture<CompletionStatus> access =
                CompletableFuture.supplyAsync(this::read, THREADS);
        first.arrived.await();
        lender.crash();
        assertTrue(lender.refusals.tryAcquire(2, 50, TimeUnit.SECONDS), "asks again and again");
        assertFalse(access.isDone(), "held");
        ScriptedFunction second = lender.offer();
        assertEquals(CompletionStatus.SUCCESS, access.get(50, TimeUnit.SECONDS));
        assertTrue(second.asked.contains("read 0+8"));
        assertEquals(0, held.status().unanswered());
    }

    @Test
    void resumesAfterASuspension() throws Exception {
        hold(SHORT);
        lender.crash();
        assertEquals(CompletionStatus.TIMED_OUT, read());
        ScriptedFunction second = lender.offer();
        awaitAttached();
        assertEquals(CompletionStatus.SUCCESS, read());
        assertFalse(second.asked.contains("write 0+4=7"));
        assertEquals("attached", held.status().state());
        assertEquals(2, held.status().attachments());
    }

    @Test
    void givesAFreshFunctionTheMapsAndInterruptsOfBefore() throws Exception {
        hold(LONG);
        held.map(map(0x1000, 0x1000));
        held.map(map(0x8000, 0x2000));
        held.interrupts(InterruptKind.MSIX, 0, 3, InterruptAction.ENABLE);
        held.interrupts(InterruptKind.MSIX, 1, 1, InterruptAction.MASK);
        held.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.ENABLE);
        held.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.DISABLE);
        lender.crash();
        lender.refusals.acquire();
        // Changed while nobody is there.
        assertEquals(CompletionStatus.SUCCESS, held.unmap(0x1000, 0x1000));
        held.map(map(0x20000, 0x1000));
        held.interrupts(InterruptKind.MSIX, 5, 1, InterruptAction.ENABLE);
        ScriptedFunction second = lender.offer();
        awaitAttached();
        List<String> told = new ArrayList<>(second.asked);
        assertEquals("attach", told.removeFirst());
        assertEquals(
                List.of(
                        "map 32768+8192",
                        "map 131072+4096",
                        "MSIX 0+3 ENABLE",
                        "MSIX 5+1 ENABLE",
                        "MSIX 1+1 MASK"),
                told);
    }

    @Test
    void refusesToTakeBackMemoryThatWasNeverMapped() throws Exception {
        ScriptedFunction function = hold(LONG);
        held.map(map(0x1000, 0x1000));
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, held.unmap(0x1800, 0x100));
        assertFalse(function.asked.contains("unmap 6144+256"));
    }

    @Test
    void generationsOnlyGrow() throws Exception {
        ScriptedFunction first = hold(LONG);
        assertEquals(1, held.generation());
        assertEquals(CompletionStatus.SUCCESS, held.reset(ResetKind.FLR));
        assertEquals(2, held.generation());
        first.generation = 41;
        assertEquals(41, held.generation());
        lender.crash();
        assertEquals(42, held.generation());
        lender.refusals.acquire();
        assertEquals(CompletionStatus.SUCCESS, held.reset(ResetKind.HOT), "it comes back reset");
        int absent = held.generation();
        assertTrue(absent >= 42);
        ScriptedFunction second = lender.offer();
        second.generation = 3;
        FunctionEvent.NewGeneration event = awaitEvent(FunctionEvent.NewGeneration.class);
        assertEquals(absent, event.generation());
        assertEquals(absent, held.generation());
        assertEquals(CompletionStatus.SUCCESS, held.reset(ResetKind.FLR));
        assertEquals(absent + 1, held.generation());
    }

    @Test
    void theDriversSideSeesItsOwnGenerations() throws Exception {
        hold(LONG);
        lender.crash();
        ScriptedFunction second = new ScriptedFunction();
        second.generation = 7;
        lender.offer(second);
        awaitAttached();
        second.host.interrupt(7, InterruptKind.MSIX, 1);
        second.host.interrupt(6, InterruptKind.MSIX, 1);
        assertEquals(List.of("MSIX 1 in 2", "MSIX 1 in 1"), host.seen);
        second.host.event(new FunctionEvent.NewGeneration(8, ResetKind.FLR));
        FunctionEvent.NewGeneration event = awaitEvent(FunctionEvent.NewGeneration.class);
        assertEquals(3, event.generation());
    }

    @Test
    void nothingOfALostFunctionReachesTheDriver() throws Exception {
        ScriptedFunction first = hold(LONG);
        lender.crash();
        lender.refusals.acquire();
        first.host.interrupt(1, InterruptKind.MSIX, 0);
        assertEquals(
                CompletionStatus.STALE_GENERATION,
                first.host.write(1, 0, MemorySegment.ofArray(new byte[8])));
        assertNull(first.host.near(1, 0, 8, Direction.READ));
        assertEquals(List.of(), host.seen);
    }

    @Test
    void anotherFunctionIsNotTakenForTheLostOne() throws Exception {
        hold(SHORT);
        lender.crash();
        ScriptedFunction other = new ScriptedFunction();
        other.described = ScriptedFunction.description("other");
        lender.offer(other);
        assertTrue(lender.returns.tryAcquire(2, 50, TimeUnit.SECONDS), "lost one and other one");
        awaitSaid("another function");
        assertFalse(other.asked.contains("attach"));
        assertEquals(CompletionStatus.TIMED_OUT, read());
    }

    @Test
    void returnsTheFunctionWhenTheDriverGoesAndBorrowsForTheNext() throws Exception {
        ScriptedFunction first = hold(LONG);
        held.map(map(0x1000, 0x1000));
        held.attach(null);
        lender.returns.acquire();
        assertEquals("idle", held.status().state());
        first.host.interrupt(1, InterruptKind.MSIX, 0);
        assertEquals(List.of(), host.seen);
        ScriptedFunction second = lender.offer();
        held.attach(host);
        assertEquals("attached", held.status().state());
        assertEquals(List.of("attach"), second.asked, "maps did not survive the change of host");
        assertTrue(held.generation() > 1);
    }

    @Test
    void aSilentFunctionIsSuspendedUntilItAnswers() throws Exception {
        ScriptedFunction function = hold(LONG);
        function.answer = CompletionStatus.TIMED_OUT;
        assertEquals(CompletionStatus.TIMED_OUT, read());
        assertEquals("suspended", held.status().state());
        assertEquals(CompletionStatus.TIMED_OUT, read());
        function.answer = CompletionStatus.SUCCESS;
        awaitSaid("answers again");
        assertEquals(CompletionStatus.SUCCESS, read());
        assertEquals(1, held.generation(), "it was there all the time");
    }

    @Test
    void aResetOfASilentFunctionGivesItUpForAFreshOne() throws Exception {
        ScriptedFunction function = hold(LONG);
        ScriptedFunction second = lender.offer();
        function.answer = CompletionStatus.TIMED_OUT;
        assertEquals(CompletionStatus.SUCCESS, held.reset(ResetKind.COLD));
        awaitAttached();
        assertTrue(second.asked.contains("attach"));
        assertEquals(CompletionStatus.SUCCESS, read());
    }

    @Test
    void aFunctionThatDoesNotLetGoOfMemoryIsAbandoned() throws Exception {
        ScriptedFunction function = hold(LONG);
        held.map(map(0x1000, 0x1000));
        function.answer = CompletionStatus.TIMED_OUT;
        assertEquals(CompletionStatus.SUCCESS, held.unmap(0x1000, 0x1000));
        assertEquals(
                CompletionStatus.STALE_GENERATION,
                function.host.read(1, 0x1000, MemorySegment.ofArray(new byte[8])));
        lender.returns.acquire();
    }

    @Test
    void aFunctionThatNeverAnswersAnUnmapIsAbandoned() throws Exception {
        ScriptedFunction function = hold(SHORT);
        ScriptedFunction second = lender.offer();
        held.map(map(0x1000, 0x1000));
        function.release = new CountDownLatch(1);
        assertEquals(CompletionStatus.SUCCESS, held.unmap(0x1000, 0x1000));
        awaitAttached();
        assertFalse(second.asked.contains("map 4096+4096"));
    }

    @Test
    void shouldReportWhatTheLenderHoldsAndSinceWhen() throws Exception {
        hold(LONG);
        lender.hold(new HeldAccess("a read of BAR0 at offset 0x8", 200));
        assertEquals("", held.status().held(), "slow is not held");
        long earliest = System.currentTimeMillis() - 60_000;
        lender.hold(new HeldAccess("a read of BAR0 at offset 0x8", 60_000));
        long latest = System.currentTimeMillis() - 60_000;
        String said = talk.poll(50, TimeUnit.SECONDS);
        assertTrue(said.startsWith("n0@test: a read of BAR0 at offset 0x8 is held at the lender"));
        HeldFunction.Status status = held.status();
        if (!status.held().isEmpty()) {
            assertEquals("a read of BAR0 at offset 0x8", status.held());
            assertTrue(status.heldSinceMillis() >= earliest, "since");
            assertTrue(status.heldSinceMillis() <= latest, "since");
        }
        lender.crash();
        said = talk.poll(50, TimeUnit.SECONDS);
        assertEquals("n0@test: a read of BAR0 at offset 0x8 is held no longer, after 60 s.", said);
        assertEquals("", held.status().held());
    }

    @Test
    void nobodyNoticesAConnectionThatIsMadeAgainInTime() throws Exception {
        ScriptedFunction function = hold(LONG);
        held.map(map(0x1000, 0x1000));
        lender.detach();
        HeldFunction.Status detached = held.status();
        assertEquals("detached", detached.state());
        assertTrue(detached.detachedSinceMillis() > 0);
        assertEquals(CompletionStatus.SUCCESS, write(0), "kept by the link");
        lender.resume();
        assertEquals(CompletionStatus.SUCCESS, read());
        assertEquals(List.of("attach", "map 4096+4096", "write 0+4=7", "read 0+8"), function.asked);
        HeldFunction.Status status = held.status();
        assertEquals("attached", status.state());
        assertEquals(0, status.detachedSinceMillis());
        assertEquals(1, status.resumes());
        assertEquals(1, held.generation());
        assertEquals(List.of(), List.copyOf(host.events));
    }

    @Test
    void anAccessThatWaitsInVainForAConnectionSuspendsTheFunction() throws Exception {
        ScriptedFunction function = suspended();
        int asked = function.asked.size();
        assertEquals("suspended", held.status().state());
        assertEquals(CompletionStatus.TIMED_OUT, read());
        assertEquals(CompletionStatus.TIMED_OUT, write(Region.CONFIGURATION), "not posted");
        assertEquals(CompletionStatus.SUCCESS, write(0), "posted, so taken, and dropped");
        assertEquals(asked, function.asked.size(), "nothing gets as far as the link");
        assertEquals(3, held.status().unanswered());
        assertEquals(1, held.status().dropped());
        assertFalse(awaitEvent(FunctionEvent.Presence.class).present());
    }

    @Test
    void nothingOfASuspendedFunctionReachesTheDriver() throws Exception {
        ScriptedFunction function = hold(LONG);
        PciHost before = function.host;
        lender.detach();
        function.answer = CompletionStatus.TIMED_OUT;
        assertEquals(CompletionStatus.TIMED_OUT, read());
        before.interrupt(1, InterruptKind.MSIX, 0);
        assertEquals(
                CompletionStatus.STALE_GENERATION,
                before.write(1, 0, MemorySegment.ofArray(new byte[8])));
        assertEquals(List.of(), host.seen);
    }

    @Test
    void aSuspendedFunctionComesBackReset() throws Exception {
        ScriptedFunction function = hold(LONG);
        held.map(map(0x1000, 0x1000));
        lender.detach();
        function.answer = CompletionStatus.TIMED_OUT;
        assertEquals(CompletionStatus.TIMED_OUT, read());
        function.answer = CompletionStatus.SUCCESS;
        function.asked.clear();
        // What the driver's side changes meanwhile is not forgotten.
        assertEquals(CompletionStatus.SUCCESS, held.unmap(0x1000, 0x1000));
        held.map(map(0x8000, 0x1000));
        held.interrupts(InterruptKind.MSIX, 0, 2, InterruptAction.ENABLE);
        assertEquals(CompletionStatus.SUCCESS, write(0), "dropped");
        lender.resume();
        assertEquals(2, awaitEvent(FunctionEvent.NewGeneration.class).generation());
        awaitAttached();
        assertEquals(CompletionStatus.SUCCESS, read());
        assertEquals(
                List.of("reset COLD", "attach", "map 32768+4096", "MSIX 0+2 ENABLE", "read 0+8"),
                function.asked);
        assertEquals(1, held.status().attachments(), "the lease is the same");
        function.host.interrupt(function.generation, InterruptKind.MSIX, 1);
        assertEquals(List.of("MSIX 1 in 2"), host.seen);
    }

    @Test
    void aSuspendedFunctionWhoseSessionIsLostIsBorrowedAgain() throws Exception {
        suspended();
        ScriptedFunction second = lender.offer();
        lender.crash();
        awaitAttached();
        assertEquals(CompletionStatus.SUCCESS, read());
        assertTrue(second.asked.contains("read 0+8"));
        assertEquals(2, held.status().attachments());
    }

    @Test
    void accessesStayAnsweredAtOnceBetweenALostSessionAndTheNext() throws Exception {
        suspended();
        lender.crash();
        lender.refusals.acquire();
        assertEquals("suspended", held.status().state());
        assertEquals(CompletionStatus.TIMED_OUT, read());
    }

    @Test
    void aResetWhileThereIsNoConnectionIsDoneWhenThereIsOne() throws Exception {
        ScriptedFunction function = hold(LONG);
        lender.detach();
        function.answer = CompletionStatus.TIMED_OUT;
        assertEquals(CompletionStatus.SUCCESS, held.reset(ResetKind.HOT));
        int reset = held.generation();
        assertTrue(reset > 1);
        function.answer = CompletionStatus.SUCCESS;
        lender.resume();
        awaitAttached();
        assertEquals(reset, held.generation());
        assertEquals(CompletionStatus.SUCCESS, read());
        assertEquals(1, held.status().attachments());
    }

    @Test
    void memoryIsTakenBackWithoutAConnectionToo() throws Exception {
        ScriptedFunction function = hold(LONG);
        held.map(map(0x1000, 0x1000));
        PciHost before = function.host;
        lender.detach();
        function.answer = CompletionStatus.TIMED_OUT;
        assertEquals(CompletionStatus.SUCCESS, held.unmap(0x1000, 0x1000));
        assertEquals("suspended", held.status().state(), "it may still have the memory");
        assertEquals(
                CompletionStatus.STALE_GENERATION,
                before.write(1, 0x1000, MemorySegment.ofArray(new byte[8])));
        function.answer = CompletionStatus.SUCCESS;
        lender.resume();
        awaitAttached();
        assertEquals(1, function.asked.stream().filter(a -> a.startsWith("map ")).count());
    }

    @Test
    void aFunctionThatIsDeafWithoutAConnectionIsNotGivenUp() throws Exception {
        ScriptedFunction function = hold(SHORT);
        held.map(map(0x1000, 0x1000));
        lender.detach();
        function.release = new CountDownLatch(1);
        CompletableFuture<CompletionStatus> unmap =
                CompletableFuture.supplyAsync(() -> held.unmap(0x1000, 0x1000), THREADS);
        awaitSaid("suspended");
        function.release.countDown();
        assertEquals(CompletionStatus.SUCCESS, unmap.get(50, TimeUnit.SECONDS));
        lender.resume();
        awaitAttached();
        assertEquals(1, held.status().attachments());
    }

    @Test
    void aConnectionThatBreaksAgainWhileTheFunctionComesBackIsWaitedForAgain() throws Exception {
        ScriptedFunction function = suspended();
        function.answer = CompletionStatus.TIMED_OUT;
        CountDownLatch reset = new CountDownLatch(1);
        function.release = reset;
        lender.resume();
        while (!function.asked.contains("reset COLD")) {
            Thread.onSpinWait();
        }
        lender.detach();
        reset.countDown();
        assertEquals(CompletionStatus.TIMED_OUT, read());
        function.answer = CompletionStatus.SUCCESS;
        lender.resume();
        awaitAttached();
        assertEquals(CompletionStatus.SUCCESS, read());
        assertEquals(1, held.status().attachments());
    }

    @Test
    void aFunctionThatCannotBeResetIsBorrowedAnewAfterASuspension() throws Exception {
        ScriptedFunction function = suspended();
        ScriptedFunction second = lender.offer();
        function.answer = CompletionStatus.UNSUPPORTED_REQUEST;
        lender.resume();
        awaitAttached();
        assertEquals(CompletionStatus.SUCCESS, read());
        assertTrue(second.asked.contains("read 0+8"));
        lender.returns.acquire();
    }

    @Test
    void aSuspendedFunctionIsReturnedWhenTheDriverGoes() throws Exception {
        suspended();
        held.attach(null);
        lender.returns.acquire();
        assertEquals("idle", held.status().state());
        lender.offer();
        held.attach(host);
        assertEquals(CompletionStatus.SUCCESS, read());
    }

    @Test
    void aLostFunctionIsGoneWhereRejoiningIsNotWanted() throws Exception {
        hold(lender.offer(), LONG, false);
        lender.offer();
        lender.crash();
        gone.await();
        assertEquals(CompletionStatus.TIMED_OUT, read());
        assertEquals(CompletionStatus.SUCCESS, write(0), "dropped");
        lender.returns.acquire();
        assertEquals("gone", held.status().state());
        assertEquals(1, held.status().attachments());
    }

    @Test
    void closingEndsWhatIsHeld() throws Exception {
        hold(LONG);
        lender.crash();
        CompletableFuture<CompletionStatus> access =
                CompletableFuture.supplyAsync(this::read, THREADS);
        held.close();
        assertEquals(CompletionStatus.TIMED_OUT, access.get(50, TimeUnit.SECONDS));
        assertEquals(CompletionStatus.TIMED_OUT, read());
    }

    @Test
    void manyThreadsLiveThroughManyCrashes() throws Exception {
        hold(LONG);
        boolean full = "full".equals(System.getProperty("farslot.rounds"));
        int rounds = full ? 500 : 20;
        CountDownLatch stop = new CountDownLatch(1);
        List<CompletableFuture<Integer>> drivers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            drivers.add(
                    CompletableFuture.supplyAsync(
                            () -> {
                                int last = 0;
                                while (stop.getCount() > 0) {
                                    assertEquals(CompletionStatus.SUCCESS, read());
                                    assertEquals(CompletionStatus.SUCCESS, write(0));
                                    int generation = held.generation();
                                    assertTrue(generation >= last, "grows");
                                    last = generation;
                                }
                                return last;
                            },
                            THREADS));
        }
        for (int round = 0; round < rounds; round++) {
            held.map(map(0x1000L * (round + 1), 0x1000));
            ScriptedFunction next = lender.offer();
            lender.crash();
            awaitAttached();
            assertEquals(round + 1, next.asked.stream().filter(a -> a.startsWith("map ")).count());
        }
        stop.countDown();
        for (CompletableFuture<Integer> driver : drivers) {
            driver.get(50, TimeUnit.SECONDS);
        }
        assertEquals(rounds + 1, held.generation());
        assertEquals(0, held.status().unanswered());
    }
}
