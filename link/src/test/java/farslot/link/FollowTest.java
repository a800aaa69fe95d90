package farslot.link;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Bench.Over;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
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

@Timeout(60)
class FollowTest {
    private static final FollowRequest F0 = new FollowRequest("f0", true, Map.of("dma", "whole"));

    @TempDir Path folder;

    /** Checks that records are their numbers, and counts what is missing. */
    private static final class Sink implements RecordSink {
        final BlockingQueue<Long> came = new LinkedBlockingQueue<>();
        final CompletableFuture<String> end = new CompletableFuture<>();
        final CountDownLatch go = new CountDownLatch(1);
        long next;
        long missed;
        long repeated;
        long wrong;
        volatile boolean waited;
        volatile boolean full;

        @Override
        public boolean records(long first, long lost, boolean waitedFor, MemorySegment records) {
            awaitUninterruptibly(go);
            long count = records.byteSize() / RecordFeed.RECORD_BYTES;
            for (long index = 0; index < count; index++) {
                long at = index * RecordFeed.RECORD_BYTES;
                wrong += records.get(FakeFeed.NUMBER, at) == first + index ? 0 : 1;
            }
            if (first < next) {
                repeated += count;
            } else {
                missed += first - next;
                next = first + count;
            }
            waited |= waitedFor;
            came.add(next);
            return !full;
        }

        private static void awaitUninterruptibly(CountDownLatch latch) {
            Connection.awaitUninterruptibly(latch);
        }

        void awaitNext(long wanted) throws InterruptedException {
            long at = 0;
            while (at < wanted) {
                Long more = came.poll(20, TimeUnit.SECONDS);
                assertNotNull(more, "records do not come");
                at = more;
            }
        }

        @Override
        public void ended(long last, long lost, String sentence) {
            end.complete(last + " " + lost + " " + sentence);
        }

        String end() throws Exception {
            return end.get(20, TimeUnit.SECONDS);
        }
    }

    private static Sink follow(ControlLink control) throws Exception {
        Sink sink = new Sink();
        control.follow(F0);
        control.take(sink, why -> sink.end.complete(why.what().toString()));
        return sink;
    }

    @ParameterizedTest
    @EnumSource(Over.class)
    void shouldBringTheHeaderAndAllRecordsInTheirOrderAndThenTheEnd(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            FakeFeed feed = new FakeFeed(1 << 30, 100_000);
            bench.lender.feeds.add(feed);
            ControlLink control = bench.control();
            Sink sink = new Sink();
            feed.record(7);
            ControlLink.Followed followed = control.follow(F0);
            assertEquals(F0, bench.lender.followed.poll(20, TimeUnit.SECONDS));
            assertArrayEquals(feed.header(), followed.header());
            assertEquals(0, followed.first());
            // Others come in between.
            assertEquals(List.of(Map.of("a", "b")), control.operate("echo", Map.of("a", "b")));
            control.take(sink, why -> sink.end.complete(why.what().toString()));
            sink.go.countDown();
            sink.awaitNext(7);
            feed.record(100_000);
            sink.awaitNext(100_007);
            feed.end("The recording has ended.");
            assertEquals("100007 100 The recording has ended.", sink.end());
            assertEquals(0, sink.missed);
            assertEquals(0, sink.wrong);
            long kept = 0;
            while (kept < 100_007) {
                long more = feed.kept.poll(20, TimeUnit.SECONDS);
                assertTrue(more > kept);
                kept = more;
            }
            assertEquals(1, control.operate("echo", Map.of("a", "b")).size());
            control.close();
            assertTrue(feed.closed.await(20, TimeUnit.SECONDS));
        }
    }

    @ParameterizedTest
    @EnumSource(Over.class)
    void aSlowFollowerMissesRecordsAndKnowsHowManyAndTheRecorderNeverWaits(Over over)
            throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            FakeFeed feed = new FakeFeed(4096, 16);
            bench.lender.feeds.add(feed);
            Sink sink = follow(bench.control());
            long recorded = 0;
            // More than all buffers between take: 24 MiB.
            for (int round = 0; round < 384; round++) {
                feed.record(1024);
                recorded += 1024;
            }
            sink.go.countDown();
            sink.awaitNext(recorded);
            feed.end("That was all.");
            sink.end();
            assertEquals(recorded, sink.next);
            assertTrue(sink.missed > 0, "nothing was missed");
            assertEquals(0, sink.wrong);
        }
    }

    @Test
    void whatComesAgainReplacesAndWhatIsWaitedForIsAcknowledged() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            FakeFeed feed = new FakeFeed(4096, 16);
            bench.lender.feeds.add(feed);
            Sink sink = follow(bench.control());
            sink.go.countDown();
            feed.record(10);
            sink.awaitNext(10);
            assertEquals(10, feed.kept.poll(20, TimeUnit.SECONDS));
            feed.waitFor();
            feed.repeat(3);
            assertEquals(10, feed.kept.poll(20, TimeUnit.SECONDS));
            assertEquals(3, sink.repeated);
            assertEquals(0, sink.missed);
            assertTrue(sink.waited);
        }
    }

    @Test
    void whatIsNotKeptIsNotAcknowledgedNorAnythingBehindIt() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            FakeFeed feed = new FakeFeed(4096, 16);
            bench.lender.feeds.add(feed);
            Sink sink = follow(bench.control());
            sink.go.countDown();
            feed.record(10);
            assertEquals(10, feed.kept.poll(20, TimeUnit.SECONDS));
            sink.full = true;
            feed.record(10);
            assertEquals(10, feed.kept.poll(20, TimeUnit.SECONDS));
            sink.full = false;
            feed.record(10);
            assertEquals(10, feed.kept.poll(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void whoWantsNoMoreGetsWhatIsThereAndTheEnd() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            FakeFeed feed = new FakeFeed(1 << 20, 16);
            bench.lender.feeds.add(feed);
            ControlLink control = bench.control();
            Sink sink = follow(control);
            feed.record(50_000);
            control.unfollow();
            sink.go.countDown();
            assertEquals("50000 50 You wanted no more.", sink.end());
            assertEquals(50_000, sink.next);
        }
    }

    @Test
    void theEndOfTheLinkEndsTheFeedAndTellsTheFollower() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            FakeFeed feed = new FakeFeed(1 << 20, 16);
            bench.lender.feeds.add(feed);
            Sink sink = follow(bench.control());
            bench.server.close("The lender leaves.");
            assertEquals("GOODBYE", sink.end());
            assertTrue(feed.closed.await(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void whoTakesTooLateIsToldThatTheLinkHasEnded() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            FakeFeed feed = new FakeFeed(1 << 20, 16);
            bench.lender.feeds.add(feed);
            ControlLink control = bench.control();
            control.follow(F0);
            feed.record(10);
            control.close();
            Sink sink = new Sink();
            control.take(sink, why -> sink.end.complete(why.what().toString()));
            assertEquals("CLOSED", sink.end());
            assertEquals(0, sink.next);
        }
    }

    @Test
    void whatCannotBeFollowedIsRefusedAndTheLinkGoesOn() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder)) {
            ControlLink control = bench.control();
            RefusedException none = assertThrows(RefusedException.class, () -> control.follow(F0));
            assertEquals(RefusedException.Reason.NOT_FOUND, none.reason());
            bench.lender.feeds.add(new FakeFeed(1, 16));
            control.follow(F0);
            RefusedException again = assertThrows(RefusedException.class, () -> control.follow(F0));
            assertEquals(RefusedException.Reason.BAD_ARGUMENT, again.reason());
            assertEquals(2, control.list().size());
        }
    }

    @ParameterizedTest
    @EnumSource(Over.class)
    void clocksOfOneMachineAreTheSameWithinTheUncertainty(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            ClockRelation relation = bench.control().clock();
            assertNotNull(relation);
            assertTrue(relation.uncertaintyNanos() > 0);
            assertTrue(
                    Math.abs(relation.offsetNanos()) <= relation.uncertaintyNanos(),
                    relation.toString());
        }
    }

    @Test
    void aPeerThatAnswersNoClockIsNotAsked() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder);
                RawPeer peer = bench.peer()) {
            // A question of a stranger is answered, with its own words.
            peer.open(1);
            peer.send(0x09, Messages.LINK, 0, 0, new Composer().u64(0xabcdefL).toBytes());
            RawPeer.Frame told = peer.next(0x0a);
            assertEquals(0xabcdefL, MemorySegment.ofBuffer(told.payload()).get(FakeFeed.NUMBER, 0));
            // An answer that nobody asked for is ignored.
            peer.send(0x0a, Messages.LINK, 0, 0, new byte[32]);
            peer.send(0x60, Messages.NON_POSTED, 0, 7, new byte[0]);
            assertNotNull(peer.next(0x61));
            assertNull(bench.lender.feeds.peek());
        }
    }
}
