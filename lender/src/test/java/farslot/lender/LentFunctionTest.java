package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.link.Grant;
import farslot.link.Lease;
import farslot.link.Peer;
import farslot.link.RefusedException;
import farslot.link.Wish;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a lease allows, and what its end takes away. */
@Timeout(60)
class LentFunctionTest {
    /** A thread for each: tasks here wait for each other. */
    private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

    private final CountingFunction function = new CountingFunction();
    private final BlockingQueue<String> happened = new LinkedBlockingQueue<>();
    private final LentFunction lent =
            new LentFunction(
                    "n0", function, function, (subject, what, sentence) -> happened.add(what));

    private static Peer peer(String name) {
        return new Peer("uid 1000 (pid 42)", "user:alice", name, true, 1000, 42, "");
    }

    private static Lease link(String name) {
        return new Lease() {
            @Override
            public Peer borrower() {
                return peer(name);
            }

            @Override
            public void revoke(String sentence) {}
        };
    }

    private Grant borrow(String name) throws RefusedException {
        return lent.lend(peer(name), new Wish("n0"), link(name));
    }

    private void await(String what) throws InterruptedException {
        String next;
        do {
            next = happened.poll(50, TimeUnit.SECONDS);
        } while (next != null && !next.equals(what));
        assertEquals(what, next);
    }

    private static CompletionStatus read(PciFunction function) {
        return function.read(0, 0, MemorySegment.ofArray(new byte[4]), 4);
    }

    @Test
    void aSecondBorrowerIsToldWhoHasItAndSinceWhen() throws Exception {
        borrow("v1");
        RefusedException e = assertThrows(RefusedException.class, () -> borrow("v2"));
        assertEquals(RefusedException.Reason.TAKEN, e.reason());
        assertTrue(e.getMessage().contains("\"v1\", uid 1000 (pid 42)"), e.getMessage());
        assertTrue(e.getMessage().matches(".*since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d.*"));
        assertEquals("\"v1\", uid 1000 (pid 42)", lent.entry().borrower());
        assertFalse(function.asked.contains("reset COLD"), "nothing was changed");
    }

    @Test
    void theEndOfALeaseLeavesAFreshFunction() throws Exception {
        Grant grant = borrow("v1");
        grant.function().attach(new SilentHost());
        grant.ended(Grant.Ending.RETURNED, "Returned.");
        await("free");
        assertEquals(
                List.of("attach", "detach", "INTX DISABLE", "MSIX DISABLE", "unmap", "reset COLD"),
                function.asked);
        assertEquals("", lent.entry().borrower());
        Grant next = borrow("v2");
        assertTrue(next.epoch() > grant.epoch());
    }

    @Test
    void nothingPassesAfterTheEnd() throws Exception {
        Grant grant = borrow("v1");
        SilentHost host = new SilentHost();
        grant.function().attach(host);
        PciHost seen = function.hosts.getFirst();
        grant.ended(Grant.Ending.ABANDONED, "The connection broke.");
        await("free");
        int asked = function.asked.size();
        PciFunction old = grant.function();
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, read(old));
        assertEquals(
                CompletionStatus.UNSUPPORTED_REQUEST,
                old.write(0, 0, MemorySegment.ofArray(new byte[4]), 4, PciFunction.ALL_BYTES));
        old.attach(host);
        old.attach(null);
        assertEquals(asked, function.asked.size());
        MemorySegment data = MemorySegment.ofArray(new byte[8]);
        assertEquals(CompletionStatus.STALE_GENERATION, seen.read(1, 0, data));
        assertEquals(CompletionStatus.STALE_GENERATION, seen.write(1, 0, data));
        assertNull(seen.near(1, 0, 8, Direction.WRITE));
        seen.interrupt(1, InterruptKind.MSIX, 0);
        assertEquals(0, host.reached.get());
    }

    @Test
    void itIsNotLentAgainWhileOldDmaIsUnderWay() throws Exception {
        Grant grant = borrow("v1");
        SilentHost host = new SilentHost();
        host.release = new CountDownLatch(1);
        grant.function().attach(host);
        CompletableFuture<CompletionStatus> dma =
                CompletableFuture.supplyAsync(
                        () ->
                                function.hosts
                                        .getFirst()
                                        .read(1, 0, MemorySegment.ofArray(new byte[8])),
                        THREADS);
        host.arrived.await();
        CompletableFuture<Void> ending =
                CompletableFuture.runAsync(
                        () -> grant.ended(Grant.Ending.ABANDONED, "It fell silent."), THREADS);
        await("ended");
        assertEquals("resetting", lent.entry().details().get("state"));
        assertFalse(function.asked.contains("reset COLD"));
        host.release.countDown();
        await("free");
        assertEquals(CompletionStatus.SUCCESS, dma.get(50, TimeUnit.SECONDS));
        ending.get(50, TimeUnit.SECONDS);
        borrow("v2");
    }

    @Test
    void anAccessThatIsStillInTheFunctionIsWaitedFor() throws Exception {
        Grant grant = borrow("v1");
        function.release = new CountDownLatch(1);
        CompletableFuture<CompletionStatus> access =
                CompletableFuture.supplyAsync(() -> read(grant.function()), THREADS);
        function.arrived.await();
        CompletableFuture<Void> ending =
                CompletableFuture.runAsync(
                        () -> grant.ended(Grant.Ending.BROKEN, "It broke the protocol."), THREADS);
        await("ended");
        assertFalse(function.asked.contains("reset COLD"));
        function.release.countDown();
        await("free");
        access.get(50, TimeUnit.SECONDS);
        ending.get(50, TimeUnit.SECONDS);
        assertTrue(function.asked.contains("reset COLD"));
    }

    @Test
    void whomAnOperatorTookItFromCannotGrabItAtOnce() throws Exception {
        Grant grant = borrow("v1");
        assertEquals("\"v1\", uid 1000 (pid 42)", lent.takeBack("An operator took it back."));
        grant.ended(Grant.Ending.REVOKED, "An operator took it back.");
        await("free");
        RefusedException e = assertThrows(RefusedException.class, () -> borrow("v1"));
        assertEquals(RefusedException.Reason.UNAVAILABLE, e.reason());
        borrow("v2");
        assertNull(
                new LentFunction("n1", function, function, (a, b, c) -> {})
                        .takeBack("Nobody has it."));
    }

    private static final Wish TAKE_OVER = new Wish("n0", Duration.ZERO, true);

    private static final Wish WAIT = new Wish("n0", Wish.FOREVER, false);

    /** A link whose life the test decides, and who may prove nothing. */
    private static final class TestLink implements Lease {
        private final Peer peer;
        private final BlockingQueue<String> told = new LinkedBlockingQueue<>();
        private final AtomicReference<Runnable> whenEnded = new AtomicReference<>();
        private volatile String revoked = "";

        TestLink(String subject, String name) {
            peer = new Peer("somebody", subject, name, !subject.isEmpty(), -1, -1, "10.0.0.9");
        }

        @Override
        public Peer borrower() {
            return peer;
        }

        @Override
        public void revoke(String sentence) {
            revoked = sentence;
        }

        @Override
        public void waiting(int place, int of, String sentence) {
            told.add(place + "/" + of + ": " + sentence);
        }

        @Override
        public void whenEnded(Runnable then) {
            whenEnded.set(then);
        }

        String next() throws InterruptedException {
            return told.poll(50, TimeUnit.SECONDS);
        }
    }

    private Grant borrow(TestLink link, Wish wish) throws RefusedException {
        return lent.lend(link.borrower(), wish, link);
    }

    private CompletableFuture<Grant> waiting(TestLink link, Wish wish) throws InterruptedException {
        var granted = new CompletableFuture<Grant>();
        THREADS.execute(() -> {
            try {
                granted.complete(borrow(link, wish));
            } catch (RefusedException e) {
                granted.completeExceptionally(e);
            }
        });
        return granted;
    }

    private static Grant got(CompletableFuture<Grant> granted) throws Exception {
        return granted.get(50, TimeUnit.SECONDS);
    }

    @Test
    void whoWaitsIsServedInOrderAndToldWhereItStands() throws Exception {
        Grant first = borrow(new TestLink("alice", "v1"), WAIT);
        TestLink second = new TestLink("bob", "v2");
        var secondGranted = waiting(second, WAIT);
        String told = second.next();
        assertTrue(
                told.startsWith("1/1: You are number 1 of 1; n0 is borrowed by \"v1\", somebody"),
                told);
        TestLink third = new TestLink("", "v3");
        var thirdGranted = waiting(third, WAIT);
        assertTrue(third.next().startsWith("2/2: You are number 2 of 2"));
        assertTrue(second.next().startsWith("1/2: "));
        assertEquals("2", lent.entry().details().get("waiting"));
        assertEquals("\"v2\", somebody; \"v3\", somebody", lent.entry().details().get("queue"));
        RefusedException e = assertThrows(RefusedException.class, () -> borrow("v4"));
        assertEquals(RefusedException.Reason.TAKEN, e.reason());
        first.ended(Grant.Ending.RETURNED, "Returned.");
        Grant next = got(secondGranted);
        assertFalse(thirdGranted.isDone());
        next.ended(Grant.Ending.RETURNED, "Returned.");
        assertTrue(got(thirdGranted).epoch() > next.epoch());
        assertFalse(lent.entry().details().containsKey("waiting"));
    }

    @Test
    void aWaiterThatDiesLeavesTheQueueAtOnce() throws Exception {
        Grant first = borrow(new TestLink("alice", "v1"), WAIT);
        TestLink dying = new TestLink("bob", "v2");
        var dyingGranted = waiting(dying, WAIT);
        assertTrue(dying.next().startsWith("1/1"));
        TestLink next = new TestLink("carol", "v3");
        var nextGranted = waiting(next, WAIT);
        assertTrue(next.next().startsWith("2/2"));
        dying.whenEnded.get().run();
        assertTrue(next.next().startsWith("1/1"));
        assertThrows(ExecutionException.class, () -> got(dyingGranted));
        first.ended(Grant.Ending.RETURNED, "Returned.");
        assertTrue(got(nextGranted).epoch() > first.epoch());
    }

    @Test
    void whoeverWaitsHearsThatTheLenderLeaves() throws Exception {
        borrow(new TestLink("alice", "v1"), WAIT);
        TestLink waiter = new TestLink("bob", "v2");
        var granted = waiting(waiter, WAIT);
        waiter.next();
        lent.close();
        assertThrows(ExecutionException.class, () -> got(granted));
    }

    @Test
    void aNewSessionOfTheSameSlotTakesOverAtOnceAndBeforeWhoWaits() throws Exception {
        TestLink old = new TestLink("alice", "v1");
        Grant first = borrow(old, TAKE_OVER);
        first.function().attach(new SilentHost());
        TestLink waiter = new TestLink("bob", "v2");
        var waiterGranted = waiting(waiter, WAIT);
        waiter.next();
        // Its link has not even noticed; it may never.
        Grant second = borrow(new TestLink("alice", "v1"), TAKE_OVER);
        assertTrue(second.epoch() > first.epoch());
        assertTrue(old.revoked.contains("A new session of the same slot"), old.revoked);
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, read(first.function()));
        assertEquals(CompletionStatus.SUCCESS, read(second.function()));
        assertTrue(function.asked.indexOf("reset COLD") > function.asked.indexOf("detach"));
        first.ended(Grant.Ending.REVOKED, "It has noticed.");
        assertEquals(CompletionStatus.SUCCESS, read(second.function()));
        assertFalse(waiterGranted.isDone());
        second.ended(Grant.Ending.RETURNED, "Returned.");
        got(waiterGranted);
    }

    @Test
    void nobodyElseTakesOver() throws Exception {
        TestLink holder = new TestLink("alice", "v1");
        borrow(holder, TAKE_OVER);
        for (TestLink other :
                List.of(
                        new TestLink("bob", "v1"),
                        new TestLink("alice", "v2"),
                        new TestLink("alice", ""),
                        new TestLink("", "v1"))) {
            assertThrows(RefusedException.class, () -> borrow(other, TAKE_OVER));
        }
        TestLink same = new TestLink("alice", "v1");
        assertThrows(RefusedException.class, () -> borrow(same, new Wish("n0")), "it did not ask");
        assertEquals("", holder.revoked);
    }

    @Test
    void strangersOfOneNameAndAddressDoNotTakeOver() throws Exception {
        TestLink holder = new TestLink("", "v1");
        borrow(holder, TAKE_OVER);
        TestLink other = new TestLink("", "v1");
        assertThrows(RefusedException.class, () -> borrow(other, TAKE_OVER));
        assertEquals("", holder.revoked);
    }

    @Test
    void aFunctionThatKeepsATraceIsNotLentUntilItHasNone() throws Exception {
        Grant grant = borrow("v1");
        function.configuration[4] = 6;
        CompletableFuture<Void> ending =
                CompletableFuture.runAsync(
                        () -> grant.ended(Grant.Ending.RETURNED, "Returned."), THREADS);
        await("spoilt");
        String state = lent.entry().details().get("state");
        assertTrue(
                state.endsWith(
                        "its configuration space has 0x00000006 at 0x004, and had 0x00000000"),
                state);
        TestLink waiter = new TestLink("bob", "v2");
        var granted = waiting(waiter, WAIT);
        assertTrue(waiter.next().contains("n0 is being reset after its last borrower"));
        RefusedException e = assertThrows(RefusedException.class, () -> borrow("v3"));
        assertTrue(e.getMessage().contains("n0 cannot be lent: its configuration space"));
        function.configuration[4] = 0;
        got(granted);
        ending.get(50, TimeUnit.SECONDS);
        assertEquals("lent", lent.entry().details().get("state"));
    }

    @Test
    void aSessionWithoutAConnectionIsShownAsAway() throws Exception {
        Grant grant = borrow("v1");
        assertEquals("connected", lent.entry().details().get("session"));
        grant.detached("The connection broke.");
        await("away");
        assertEquals("away", lent.entry().details().get("session"));
        assertTrue(lent.entry().details().get("state").startsWith("lent, away since "));
        assertTrue(lent.entry().details().containsKey("away-since"));
        grant.resumed();
        await("back");
        assertEquals("lent", lent.entry().details().get("state"));
        grant.detached("The connection broke.");
        grant.ended(Grant.Ending.ABANDONED, "It stayed away.");
        assertFalse(lent.entry().details().containsKey("session"));
    }

    @Test
    void ofTwoThatRaceExactlyOneHasItEachTime() throws Exception {
        int races = "few".equals(System.getProperty("farslot.rounds")) ? 100 : 1000;
        CyclicBarrier together = new CyclicBarrier(2);
        AtomicInteger wins = new AtomicInteger();
        List<CompletableFuture<Void>> racers = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            String name = "v" + i;
            racers.add(
                    CompletableFuture.runAsync(
                            () -> {
                                for (int race = 0; race < races; race++) {
                                    race(name, together, wins, race);
                                }
                            },
                            THREADS));
        }
        for (CompletableFuture<Void> racer : racers) {
            racer.get(50, TimeUnit.SECONDS);
        }
        assertEquals(races, wins.get());
        assertEquals(races, function.asked.stream().filter("reset COLD"::equals).count());
    }

    private void race(String name, CyclicBarrier together, AtomicInteger wins, int race) {
        try {
            Grant grant = null;
            together.await();
            try {
                grant = borrow(name);
                wins.incrementAndGet();
            } catch (RefusedException e) {
                assertEquals(RefusedException.Reason.TAKEN, e.reason());
            }
            together.await();
            assertEquals(race + 1, wins.get());
            if (grant != null) {
                grant.ended(Grant.Ending.RETURNED, "Returned.");
            }
            together.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aLenderThatLeavesLendsNoMore() throws Exception {
        lent.close();
        RefusedException e = assertThrows(RefusedException.class, () -> borrow("v1"));
        assertEquals(RefusedException.Reason.UNAVAILABLE, e.reason());
    }

    @Test
    void manyBorrowersHaveItOneAtATime() throws Exception {
        boolean full = "full".equals(System.getProperty("farslot.rounds"));
        int rounds = full ? 300 : 30;
        AtomicInteger holders = new AtomicInteger();
        AtomicInteger leases = new AtomicInteger();
        List<CompletableFuture<Void>> borrowers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            String name = "v" + i;
            borrowers.add(
                    CompletableFuture.runAsync(
                            () -> {
                                for (int round = 0; round < rounds; round++) {
                                    try {
                                        Grant grant = borrow(name);
                                        assertEquals(1, holders.incrementAndGet());
                                        assertEquals(
                                                CompletionStatus.SUCCESS, read(grant.function()));
                                        holders.decrementAndGet();
                                        leases.incrementAndGet();
                                        grant.ended(Grant.Ending.RETURNED, "Returned.");
                                        assertEquals(
                                                CompletionStatus.UNSUPPORTED_REQUEST,
                                                read(grant.function()));
                                    } catch (RefusedException e) {
                                        assertEquals(RefusedException.Reason.TAKEN, e.reason());
                                    }
                                }
                            },
                            THREADS));
        }
        for (CompletableFuture<Void> borrower : borrowers) {
            borrower.get(50, TimeUnit.SECONDS);
        }
        assertTrue(leases.get() > 0);
        assertEquals(leases.get(), function.asked.stream().filter("reset COLD"::equals).count());
        assertEquals("free", lent.entry().details().get("state"));
    }
}
