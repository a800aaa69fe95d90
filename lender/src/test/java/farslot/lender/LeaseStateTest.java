package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
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
        TAKE,
        END_CURRENT,
        END_OLD,
        END_FUTURE,
        CLEANED,
        CLOSE
    }

    @Property
    void noSequenceGivesTheGroupToTwo(@ForAll @Size(max = 60) List<Step> steps) {
        LeaseState state = new LeaseState(1000);
        List<GrantedLease> granted = new ArrayList<>();
        GrantedLease held = null;
        GrantedLease cleaning = null;
        boolean closed = false;
        for (Step step : steps) {
            switch (step) {
                case TAKE -> {
                    GrantedLease lease = state.take("v" + granted.size(), NOW);
                    boolean free = held == null && cleaning == null && !closed;
                    assertEquals(free, lease != null);
                    if (lease != null) {
                        long last = granted.isEmpty() ? 1000 : granted.getLast().epoch();
                        assertTrue(lease.epoch() > last, "epochs grow");
                        granted.add(lease);
                        held = lease;
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
                    if (cleaning != null) {
                        state.cleaned(cleaning.epoch());
                        cleaning = null;
                    } else {
                        assertThrows(IllegalStateException.class, () -> state.cleaned(1001));
                    }
                }
                case CLOSE -> {
                    closed = true;
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
                                    GrantedLease lease = state.take("t", NOW);
                                    if (lease == null) {
                                        Thread.onSpinWait();
                                        continue;
                                    }
                                    assertEquals(1, holders.incrementAndGet());
                                    assertTrue(lastEpoch.getAndSet(lease.epoch()) < lease.epoch());
                                    holders.decrementAndGet();
                                    assertTrue(state.end(lease.epoch()));
                                    state.cleaned(lease.epoch());
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
    void whoeverWaitsForTheCleaningGetsItThen() throws Exception {
        LeaseState state = new LeaseState(0);
        GrantedLease lease = state.take("a", NOW);
        assertNotNull(lease);
        assertTrue(state.end(lease.epoch()));
        assertEquals(LeaseState.Phase.CLEANING, state.awaitCleaned(1), "not clean yet");
        CompletableFuture<LeaseState.Phase> waiting =
                CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                return state.awaitCleaned(50_000);
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        THREADS);
        state.cleaned(lease.epoch());
        assertEquals(LeaseState.Phase.FREE, waiting.get(50, TimeUnit.SECONDS));
        assertNull(state.lease());
    }
}
