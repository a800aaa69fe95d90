package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.PciFunction;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A borrow that waits for its turn, and links that are not admitted, as the link carries them. */
@Timeout(60)
class WaitingBorrowTest {
    private final BlockingQueue<Wish> wishes = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> callers = new LinkedBlockingQueue<>();
    private final CountDownLatch turn = new CountDownLatch(1);
    private final CountDownLatch waiterGone = new CountDownLatch(1);
    private volatile boolean shut;

    @TempDir Path folder;

    private LinkServer server;
    private Address address;

    /** Lets everybody wait until the test says so. */
    private final class Slow implements Offer {
        @Override
        public void arrived(Caller caller) throws RefusedException {
            if (shut) {
                throw new RefusedException(
                        RefusedException.Reason.UNAVAILABLE, "Too many of yours are here.");
            }
            callers.add("arrived");
        }

        @Override
        public void left(Caller caller) {
            callers.add("left, " + caller.bufferedBytes() + " bytes");
        }

        @Override
        public Grant borrow(Peer peer, Wish wish, Lease lease) throws RefusedException {
            wishes.add(wish);
            CountDownLatch over = new CountDownLatch(1);
            lease.whenEnded(() -> {
                waiterGone.countDown();
                over.countDown();
            });
            lease.waiting(2, 3, "n0 is borrowed by v1.");
            Thread.ofPlatform()
                    .daemon()
                    .start(() -> {
                        Connection.awaitUninterruptibly(turn);
                        over.countDown();
                    });
            Connection.awaitUninterruptibly(over);
            if (waiterGone.getCount() == 0) {
                throw new RefusedException(RefusedException.Reason.UNAVAILABLE, "Gone.");
            }
            lease.waiting(1, 1, "n0 is being reset.");
            return new Grant() {
                private final PciFunction function = new FakeFunction();

                @Override
                public PciFunction function() {
                    return function;
                }

                @Override
                public long epoch() {
                    return 7;
                }

                @Override
                public void ended(Ending how, String sentence) {}
            };
        }

        @Override
        public List<Entry> list(Peer peer) throws RefusedException {
            throw new RefusedException(RefusedException.Reason.NOT_ALLOWED, "Not for you.");
        }

        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) {
            return List.of();
        }

        @Override
        public AutoCloseable observe(Peer peer, Consumer<ObservedEvent> observer) {
            return () -> {};
        }
    }

    private final class Hearing implements RemoteFunction.Listener {
        @Override
        public void ended(LinkException why) {}

        @Override
        public void waiting(int place, int of, String sentence) {
            heard.add(place + "/" + of + " " + sentence);
        }
    }

    @BeforeEach
    void serve() throws Exception {
        address = new Address.Unix(folder.resolve("s"));
        server = LinkServer.open(LinkOptions.named("lender"), new Slow(), List.of(address));
    }

    @AfterEach
    void close() {
        turn.countDown();
        server.close();
    }

    private RemoteFunction borrow(Wish wish) throws Exception {
        return RemoteFunction.borrow(address, wish, LinkOptions.named("v2"), new Hearing());
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        return queue.poll(50, TimeUnit.SECONDS);
    }

    @Test
    void shouldTellWhereItStandsUntilItsTurnHasCome() throws Exception {
        Wish wish = new Wish("n0", Wish.FOREVER, true);
        var borrowed = new CompletableFuture<RemoteFunction>();
        Thread.ofPlatform()
                .daemon()
                .start(() -> {
                    try {
                        borrowed.complete(borrow(wish));
                    } catch (Exception e) {
                        borrowed.completeExceptionally(e);
                    }
                });
        assertEquals(wish, next(wishes));
        assertEquals("2/3 n0 is borrowed by v1.", next(heard));
        turn.countDown();
        try (RemoteFunction function = borrowed.get(50, TimeUnit.SECONDS)) {
            assertEquals(7, function.epoch());
        }
    }

    @Test
    void shouldBeForgottenAtOnceWhenItGivesUp() throws Exception {
        // One that gives up before the lender has begun with its wish is tried with more patience.
        int tries = 0;
        while (wishes.isEmpty()) {
            Wish wish = new Wish("n0", Duration.ofMillis(1L << tries++), false);
            RefusedException e = assertThrows(RefusedException.class, () -> borrow(wish));
            assertEquals(RefusedException.Reason.UNAVAILABLE, e.reason());
        }
        assertTrue(waiterGone.await(50, TimeUnit.SECONDS));
        List<String> heardOf = new ArrayList<>();
        for (int each = 0; each < 2 * tries; each++) {
            heardOf.add(next(callers));
        }
        assertEquals(tries, Collections.frequency(heardOf, "arrived"));
        assertEquals(tries, Collections.frequency(heardOf, "left, 0 bytes"));
    }

    @Test
    void shouldTravelAsItsFlags() throws Exception {
        turn.countDown();
        List<Wish> sent = new ArrayList<>();
        for (Wish wish :
                List.of(
                        new Wish("n0"),
                        new Wish("n0", Wish.FOREVER, false),
                        new Wish("n0", Duration.ZERO, true))) {
            sent.add(wish);
            borrow(wish).close();
        }
        assertEquals(sent, List.copyOf(wishes));
    }

    @Test
    void shouldBeToldWhyItIsTurnedAway() throws Exception {
        shut = true;
        LinkException e = assertThrows(LinkException.class, () -> borrow(new Wish("n0")));
        assertEquals(LinkException.Cause.GOODBYE, e.what());
        assertEquals("Too many of yours are here.", e.getMessage());
        assertTrue(callers.isEmpty(), "neither arrived nor left: " + callers);
    }

    @Test
    void shouldBeToldThatTheListIsNotForIt() throws Exception {
        try (ControlLink link = ControlLink.connect(address, LinkOptions.named("v2"))) {
            LinkException e = assertThrows(LinkException.class, link::list);
            assertEquals("Not for you.", e.getMessage());
        }
    }
}
