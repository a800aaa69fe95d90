package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LeaseStateTest {
    /** A thread for each: tasks here wait for each other. */
    private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

    private static final Instant NOW = Instant.EPOCH;

    /** What may happen to a reset group, in any order. */
    enum Step {
        ASK_NOW,
        ASK_AFTER_CLEANING,
        ASK_WAIT,
        ASK_NEXT,
        LEAVE_FIRST,
        LEAVE_LAST,
        END_CURRENT,
        END_OLD,
        END_FUTURE,
        CLEANED,
        CLOSE
    }

    @Property
    void noSequenceGivesTheGroupToTwoOrOutOfTurn(@ForAll @Size(max = 80) List<Step> steps) {
        LeaseState state = new LeaseState(1000);
        List<GrantedLease> granted = new ArrayList<>();
        List<LeaseState.Ticket> queue = new ArrayList<>();
        Set<LeaseState.Ticket> impatient = new HashSet<>();
        GrantedLease held = null;
        GrantedLease cleaning = null;
        boolean closed = false;
        int asked = 0;
        for (Step step : steps) {
            switch (step) {
                case ASK_NOW, ASK_AFTER_CLEANING, ASK_WAIT, ASK_NEXT -> {
                    var asking = LeaseState.Asking.valueOf(step.name().substring("ASK_".length()));
                    LeaseState.Ticket ticket = state.ask("v" + asked++, NOW, asking);
                    boolean free = held == null && cleaning == null && !closed;
                    boolean mayWait =
                            switch (asking) {
                                case NOW -> false;
                                case AFTER_CLEANING ->
                                        cleaning != null && impatient.containsAll(queue);
                                case WAIT, NEXT -> true;
                            };
                    assertEquals(free || (mayWait && !closed), ticket != null);
                    if (free) {
                        held = state.turn(ticket).lease();
                        granted.add(held);
                    } else if (ticket != null) {
                        queue.add(step == Step.ASK_NEXT ? 0 : queue.size(), ticket);
                        if (step == Step.ASK_AFTER_CLEANING) {
                            impatient.add(ticket);
                        }
                    }
                }
                case LEAVE_FIRST, LEAVE_LAST -> {
                    if (!queue.isEmpty()) {
                        LeaseState.Ticket leaving =
                                step == Step.LEAVE_FIRST ? queue.removeFirst() : queue.removeLast();
                        assertTrue(state.leave(leaving));
                        assertFalse(state.leave(leaving), "once only");
                        assertEquals(0, state.turn(leaving).place());
                    }
                }
                case END_CURRENT -> {
                    if (held != null) {
                        assertTrue(state.end(held.epoch()));
                        assertFalse(state.end(held.epoch()), "once only");
                        cleaning = held;
                        held = null;
                    }
                }
                case END_OLD -> {
                    for (GrantedLease old : granted) {
                        if (!old.equals(held)) {
                            assertFalse(state.end(old.epoch()));
                            assertFalse(state.holds(old.epoch()));
                        }
                    }
                }
                case END_FUTURE -> assertFalse(state.end(Long.MAX_VALUE));
                case CLEANED -> {
                    if (cleaning == null) {
                        assertThrows(IllegalStateException.class, () -> state.cleaned(1001, NOW));
                        break;
                    }
                    state.cleaned(cleaning.epoch(), NOW);
                    cleaning = null;
                    if (!queue.isEmpty()) {
                        LeaseState.Ticket next = queue.removeFirst();
                        held = state.turn(next).lease();
                        assertNotNull(held, "the first who waits has it");
                        assertFalse(state.leave(next), "it waits no more");
                        granted.add(held);
                        queue.removeAll(impatient);
                    }
                }
                case CLOSE -> {
                    closed = true;
                    queue.clear();
                    assertEquals(held, state.close());
                }
            }
            LeaseState.Phase expected =
                    held != null
                            ? LeaseState.Phase.LENT
                            : cleaning != null
                                    ? LeaseState.Phase.CLEANING
                                    : closed ? LeaseState.Phase.CLOSED : LeaseState.Phase.FREE;
            assertEquals(expected, state.phase());
            assertEquals(held != null ? held : cleaning, state.lease());
            assertEquals(queue.size(), state.waiting().size());
            for (int i = 0; i < queue.size(); i++) {
                assertEquals(
                        new LeaseState.Turn(null, i + 1, queue.size()), state.turn(queue.get(i)));
            }
            for (int i = 1; i < granted.size(); i++) {
                assertTrue(granted.get(i).epoch() > granted.get(i - 1).epoch(), "epochs grow");
            }
        }
    }

    @Test
    @Timeout(60)
    void manyThreadsNeverHoldItTogether() throws Exception {
        LeaseState state = new LeaseState(0);
        AtomicInteger holders = new AtomicInteger();
        AtomicLong lastEpoch = new AtomicLong();
        int rounds = "full".equals(System.getProperty("farslot.rounds")) ? 100_000 : 2000;
        List<CompletableFuture<Void>> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            threads.add(
                    CompletableFuture.runAsync(
                            () -> {
                                for (int round = 0; round < rounds; round++) {
                                    LeaseState.Ticket ticket =
                                            state.ask("t", NOW, LeaseState.Asking.NOW);
                                    if (ticket == null) {
                                        Thread.onSpinWait();
                                        continue;
                                    }
                                    GrantedLease lease = state.turn(ticket).lease();
                                    assertEquals(1, holders.incrementAndGet());
                                    assertTrue(lastEpoch.getAndSet(lease.epoch()) < lease.epoch());
                                    holders.decrementAndGet();
                                    assertTrue(state.end(lease.epoch()));
                                    state.cleaned(lease.epoch(), NOW);
                                }
                            },
                            THREADS));
        }
        for (CompletableFuture<Void> thread : threads) {
            thread.get(50, TimeUnit.SECONDS);
        }
        assertEquals(LeaseState.Phase.FREE, state.phase());
    }

    @Test
    @Timeout(60)
    void whoeverWaitsGetsItInTheOrderOfAsking() throws Exception {
        LeaseState state = new LeaseState(0);
        GrantedLease lease = state.turn(state.ask("a", NOW, LeaseState.Asking.WAIT)).lease();
        int waiters = 20;
        List<CompletableFuture<Integer>> places = new ArrayList<>();
        AtomicInteger served = new AtomicInteger();
        for (int i = 0; i < waiters; i++) {
            LeaseState.Ticket ticket = state.ask("w" + i, NOW, LeaseState.Asking.WAIT);
            places.add(
                    CompletableFuture.supplyAsync(
                            () -> {
                                LeaseState.Turn turn = state.turn(ticket);
                                while (!turn.isOver()) {
                                    turn = awaited(state, ticket, turn);
                                }
                                int place = served.getAndIncrement();
                                assertTrue(state.end(turn.lease().epoch()));
                                state.cleaned(turn.lease().epoch(), NOW);
                                return place;
                            },
                            THREADS));
        }
        assertNull(state.ask("b", NOW, LeaseState.Asking.AFTER_CLEANING), "nobody passes");
        assertTrue(state.end(lease.epoch()));
        state.cleaned(lease.epoch(), NOW);
        for (int i = 0; i < waiters; i++) {
            assertEquals(i, places.get(i).get(50, TimeUnit.SECONDS));
        }
        assertEquals(LeaseState.Phase.FREE, state.phase());
    }

    private static LeaseState.Turn awaited(
            LeaseState state, LeaseState.Ticket ticket, LeaseState.Turn last) {
        try {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(50);
            return state.await(ticket, last, deadline);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theTimeOfWhoeverWaitsIsOverWithoutALease() throws Exception {
        LeaseState state = new LeaseState(0);
        assertNotNull(state.ask("a", NOW, LeaseState.Asking.NOW));
        LeaseState.Ticket ticket = state.ask("b", NOW, LeaseState.Asking.WAIT);
        LeaseState.Turn turn = state.turn(ticket);
        assertEquals(turn, state.await(ticket, turn, System.nanoTime()));
        assertFalse(turn.isOver());
    }

    @Test
    void aLeaseThatWasHandedOverGoesOnAndTheNextIsYounger() {
        LeaseState state = new LeaseState(5);
        GrantedLease granted = new GrantedLease(40, "v1", Instant.EPOCH);
        assertTrue(state.adopt(granted));
        assertFalse(state.adopt(new GrantedLease(41, "v2", Instant.EPOCH)));
        assertEquals(granted, state.lease());
        assertTrue(state.end(40));
        state.cleaned(40, Instant.EPOCH);
        LeaseState.Ticket next = state.ask("v2", Instant.EPOCH, LeaseState.Asking.NOW);
        assertEquals(41, state.turn(next).lease().epoch());
    }
}
