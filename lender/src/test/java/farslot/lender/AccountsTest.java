package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Caller;
import farslot.link.Peer;
import farslot.link.RefusedException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What each identity may use at most, and that one's use is never another's. */
class AccountsTest {
    private static final Limits LIMITS = new Limits(2, 3, 1000, 5);
    private static final Peer ALICE = peer("alice", "10.0.0.1");
    private static final Peer STRANGER = peer("", "10.0.0.1");

    private long now;
    private final Accounts accounts = new Accounts(() -> now);

    private static Peer peer(String subject, String address) {
        return new Peer("somebody", subject, "v1", !subject.isEmpty(), -1, -1, address);
    }

    /** A link that buffers so much. */
    private static Caller link(Peer peer, long buffered) {
        return new Caller() {
            @Override
            public Peer peer() {
                return peer;
            }

            @Override
            public boolean observes() {
                return false;
            }

            @Override
            public long bufferedBytes() {
                return buffered;
            }

            @Override
            public void turnAway(String sentence) {}
        };
    }

    private static String refused(Executable what) {
        RefusedException e = assertThrows(RefusedException.class, what);
        assertEquals(RefusedException.Reason.UNAVAILABLE, e.reason());
        return e.getMessage();
    }

    @Test
    void shouldRefuseConnectionsBeyondTheLimitByName() throws Exception {
        Caller first = link(ALICE, 0);
        accounts.connect(first, LIMITS);
        accounts.connect(link(ALICE, 0), LIMITS);
        assertEquals(
                "The limit is reached: alice may have 2 connections to this lender.",
                refused(() -> accounts.connect(link(ALICE, 0), LIMITS)));
        accounts.disconnect(first);
        accounts.connect(link(ALICE, 0), LIMITS);
    }

    @Test
    void shouldShareOneAccountAmongStrangersOfOneAddress() throws Exception {
        accounts.connect(link(STRANGER, 0), LIMITS);
        accounts.connect(link(peer("", "10.0.0.1"), 0), LIMITS);
        assertTrue(
                refused(() -> accounts.connect(link(STRANGER, 0), LIMITS))
                        .contains("whoever comes from 10.0.0.1 may have 2 connections"));
        accounts.connect(link(peer("", "10.0.0.2"), 0), LIMITS);
        accounts.connect(link(ALICE, 0), LIMITS);
    }

    @Test
    void shouldCountFunctionsUntilTheyAreGivenBack() throws Exception {
        for (int i = 0; i < LIMITS.functions(); i++) {
            accounts.take(ALICE, LIMITS);
        }
        assertTrue(refused(() -> accounts.take(ALICE, LIMITS)).contains("wait for 3 functions"));
        accounts.take(STRANGER, LIMITS);
        accounts.giveBack(ALICE);
        accounts.take(ALICE, LIMITS);
    }

    @Test
    void shouldLetABurstOfRequestsPassAndThenItsRate() throws Exception {
        for (int i = 0; i < 2 * LIMITS.requestsPerSecond(); i++) {
            accounts.request(ALICE, LIMITS);
        }
        assertTrue(refused(() -> accounts.request(ALICE, LIMITS)).contains("5 times a second"));
        accounts.request(STRANGER, LIMITS);
        now += 200_000_000;
        accounts.request(ALICE, LIMITS);
        refused(() -> accounts.request(ALICE, LIMITS));
        now += 3600_000_000_000L;
        for (int i = 0; i < 2 * LIMITS.requestsPerSecond(); i++) {
            accounts.request(ALICE, LIMITS);
        }
        refused(() -> accounts.request(ALICE, LIMITS));
    }

    @Test
    void shouldNotForgetARateWithTheConnection() throws Exception {
        for (int i = 0; i < 2 * LIMITS.requestsPerSecond(); i++) {
            accounts.request(STRANGER, LIMITS);
        }
        // So many others that idle accounts are looked for.
        for (int i = 0; i < 1000; i++) {
            Caller other = link(peer("", "10.1." + i / 256 + "." + i % 256), 0);
            accounts.connect(other, LIMITS);
            accounts.disconnect(other);
        }
        refused(() -> accounts.request(STRANGER, LIMITS));
    }

    @Test
    void shouldNameTheLinkThatBuffersMostWhenAllTogetherBufferTooMuch() throws Exception {
        accounts.connect(link(ALICE, 400), LIMITS);
        Caller most = link(ALICE, 601);
        accounts.connect(most, LIMITS);
        accounts.connect(link(STRANGER, 1000), LIMITS);
        List<Accounts.Excess> excesses = new ArrayList<>(accounts.excesses(LIMITS));
        assertEquals(
                List.of(
                        new Accounts.Excess(
                                most,
                                "alice may have 1000 bytes waiting at this lender, and has"
                                        + " 1001.")),
                excesses);
    }
}
