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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
