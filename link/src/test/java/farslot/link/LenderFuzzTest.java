package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import farslot.core.CompletionStatus;
import farslot.link.Messages.Hello;
import farslot.posix.Descriptor;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a slot or an operator sends to a lender, at whatever time: its session goes on, or ends
 * in words, and nothing of it is left; the function saw nothing that it should not have, and who
 * borrows its neighbour notices nothing.
 */
@Timeout(60)
class LenderFuzzTest {
    private static final LinkOptions OPTIONS =
            LinkOptions.named("wild")
                    .withKeepAlive(Duration.ofSeconds(60), Duration.ofSeconds(300));
    private static final long PATIENCE_SECONDS = 20;

    /** Of what a script's byte means: from here on what came later than the rest. */
    private static final int FOLLOWING = 250;

    @TempDir static Path folder;
    private static Bench bench;
    private static RemoteFunction neighbour;
    private static ExecutorService device;
    private static List<byte[]> vectors;

    @BeforeAll
    static void lend() throws Exception {
        bench = new Bench(Bench.Over.UNIX, folder, OPTIONS);
        neighbour = bench.borrow("f1", OPTIONS, new Bench.Hearing());
        device =
                Executors.newSingleThreadExecutor(
                        Thread.ofPlatform().daemon(true).name("device").factory());
        vectors =
                VectorsTest.vectors().stream()
                        .filter(vector -> !vector.name().equals("preamble"))
                        .map(VectorsTest.Vector::bytes)
                        .toList();
    }

    @AfterAll
    static void takeBack() {
        device.shutdown();
        bench.close();
    }

    @FuzzTest(maxDuration = "30m")
    void session(byte[] input) throws Exception {
        new Session(input).run();
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void shouldLiveThroughWhatWasFoundBefore(Path input) throws Exception {
        new Session(Files.readAllBytes(input)).run();
    }

    static List<Path> corpus() throws IOException {
        return Corpus.of(LenderFuzzTest.class, "session");
    }

    /** One link to a lender of its own. */
    private static final class Session implements Offer {
        private final Script script;
        private final WildFunction function = new WildFunction(device);
        private final List<Grant.Ending> endings = Collections.synchronizedList(new ArrayList<>());
        private final List<Consumer<ObservedEvent>> observers = new CopyOnWriteArrayList<>();
        private final List<FakeFeed> feeds = new CopyOnWriteArrayList<>();
        private volatile Lease lease;
        private int grants;
        private WildPeer peer;
        private int tag = 100;

        Session(byte[] input) {
            script = new Script(input);
        }

        void run() throws Exception {
            try (Aftermath aftermath = new Aftermath()) {
                UnixStream.Pair pair = UnixStream.pair();
                Connector.Connected connected = Connector.unix(pair.first());
                ServedLink link =
                        new ServedLink(
                                connected.wire(), OPTIONS, this, connected.peer(), secret -> null);
                try (WildPeer wild = new WildPeer(pair.second(), Hello.CLIENT, script)) {
                    peer = wild;
                    link.start();
                    begin(script.u8());
                    while (!script.isOver() && !wild.isOver) {
                        act(script.u8());
                        wild.drain(0);
                    }
                    wild.flush();
                    assertGoesOnOrHasEnded(wild);
                }
                assertTrue(
                        link.awaitClosed(TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)),
                        "the link does not end");
                device.submit(() -> {}).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                assertEnded(link);
                aftermath.assertNothingIsLeft();
            }
            MemorySegment into = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, neighbour.read(0, 0, into, 4));
        }

        private void assertGoesOnOrHasEnded(WildPeer wild) {
            if (wild.strayed || !wild.helloCame || !wild.hasSaidHello) {
                return;
            }
            wild.frame(Messages.Credit.TYPE, Messages.LINK, 0, credit(1 << 20));
            while (!wild.asked.isEmpty()) {
                answer(wild.asked.poll(), 0);
                wild.drain(0);
            }
            int type = grants > 0 ? Messages.Describe.TYPE : Messages.ListEntries.TYPE;
            while (!wild.answers(type, ++tag, new Composer())) {
                assertFalse(wild.asked.isEmpty(), "it neither answers nor ends the link");
                answer(wild.asked.poll(), 0);
            }
        }

        private void assertEnded(ServedLink link) {
            LinkException why = link.ending();
            assertNotNull(why);
            assertFalse(why.getMessage().isBlank());
            assertEquals(grants, endings.size(), "each lease ends once: " + endings);
            assertFalse(function.isAttached(), "the function keeps its host");
            assertEquals(List.of(), List.copyOf(function.wrongs));
            assertEquals(List.of(), observers, "somebody observes still");
            for (FakeFeed feed : feeds) {
                assertEquals(0, feed.closed.getCount(), "somebody follows still");
            }
        }

        // What the script makes this side do.

        private void begin(int how) {
            if ((how & 1) == 0) {
                peer.preamble();
                peer.hello(true);
                peer.drain(1000);
            }
            if ((how & 3) == 0) {
                ask(Messages.Borrow.TYPE, new Composer().u64(0).text("f0", 255));
                for (int waits = 0; waits < 100 && peer.answered.isEmpty(); waits++) {
                    peer.drain(100);
                }
                peer.generation = function.generation();
            }
        }

        private void ask(int type, Composer payload) {
            peer.frame(type, Messages.NON_POSTED, ++tag, payload);
        }

        private void post(int type, Composer payload, Descriptor... descriptors) {
            peer.frame(type, Messages.POSTED, 0, payload, descriptors);
        }

        private void act(int what) {
            if (what >= FOLLOWING) {
                follow(what - FOLLOWING);
                return;
            }
            switch (what % 34) {
                case 0 -> peer.preamble();
                case 1 -> peer.hello(script.yes());
                case 2 -> borrow();
                case 3 -> ask(Messages.Return.TYPE, new Composer());
                case 4 -> ask(Messages.Describe.TYPE, new Composer());
                case 5 -> read();
                case 6, 7 -> write();
                case 8 -> interrupts();
                case 9, 10 -> map();
                case 11 -> unmap();
                case 12 -> ask(Messages.Reset.TYPE, new Composer().u64(script.below(5)));
                case 13 -> event();
                case 14 -> ask(Messages.ListEntries.TYPE, new Composer());
                case 15 -> operate();
                case 16 -> ask(Messages.Observe.TYPE, new Composer());
                case 17 -> link(Messages.Credit.TYPE, credit(script.u16()));
                case 18 -> link(Messages.Goodbye.TYPE, new Composer().u16(script.u8()).text("", 9));
                case 19 ->
                        link(
                                Messages.ErrorMessage.TYPE,
                                new Composer().u16(script.u8()).u16(0).u32(0).u64(0).text("e", 9));
                case 20 -> link(Messages.Held.TYPE, new Composer().u64(script.u8()));
                case 21 -> link(Messages.KeepAlive.TYPE, new Composer());
                case 22, 23 -> {
                    peer.drain(5);
                    if (!peer.asked.isEmpty()) {
                        answer(peer.asked.poll(), script.below(6));
                    }
                }
                case 24 ->
                        peer.frame(
                                Messages.Done.TYPE,
                                Messages.COMPLETION,
                                script.u16(),
                                new Composer().u64(script.u8()));
                case 25 -> vector();
                case 26 ->
                        peer.frame(
                                script.u8(),
                                script.u8(),
                                script.u8(),
                                new Composer().bytes(script.bytes(script.u8())));
                case 27 -> peer.raw();
                case 28, 29 -> peer.twist();
                case 30 -> peer.join();
                case 31 -> peer.drain(5);
                case 32 -> peer.cutMemoryShort();
                default -> happen(script.below(6));
            }
        }

        private void follow(int how) {
            switch (how) {
                case 0, 1 -> {
                    String[] names = {"f0", "f0", "f1", ""};
                    Composer follow = new Composer().u32(script.u8()).u32(0);
                    follow.text(names[script.below(4)], 255).pairs(Map.of("dma", "whole"));
                    ask(Messages.Follow.TYPE, follow);
                }
                case 2 -> post(Messages.Kept.TYPE, new Composer().u64(script.u8()));
                case 3 -> ask(Messages.Unfollow.TYPE, new Composer());
                case 4 -> link(Messages.Clock.TYPE, new Composer().u64(script.u16()));
                default ->
                        link(
                                Messages.ClockTold.TYPE,
                                new Composer().u64(script.u16()).u64(1).u64(2).u64(3));
            }
        }

        private void link(int type, Composer payload) {
            peer.frame(type, Messages.LINK, 0, payload);
        }

        private static Composer credit(long more) {
            Composer credit = new Composer();
            for (int account = 0; account < 3; account++) {
                credit.u64(more).u64(more << 12);
            }
            return credit;
        }

        private void borrow() {
            String[] names = {"f0", "f0", "f1", "", "none"};
            String name = names[script.below(names.length)];
            ask(Messages.Borrow.TYPE, new Composer().u64(0).text(name, 255));
        }

        private int region() {
            int[] regions = {0, 0, 2, 7, 1, 200};
            return regions[script.below(regions.length)];
        }

        private int width() {
            return new int[] {4, 1, 2, 8, 0, 64, 3, 128}[script.below(8)];
        }

        private void read() {
            Composer read = new Composer().u8(region()).u8(width()).u16(0);
            long[] lengths = {4, 8, 1, 0x1000, 0x100000, 0x100001, 0, 0xffffffffL};
            read.u32(lengths[script.below(8)]);
            ask(Messages.Read.TYPE, read.u64(script.yes() ? script.u64() : script.u16()));
        }

        private void write() {
            int region = region();
            int length = script.below(72);
            Composer write = new Composer().u8(region).u8(width()).u16(0);
            write.u32(script.below(8) == 7 ? script.u32() : length).u64(script.u16());
            write.u64(length > 64 || script.yes() ? -1 : script.u64()).bytes(script.bytes(length));
            boolean posted = (region == 0) == (script.below(8) != 7);
            if (posted) {
                post(Messages.Write.TYPE, write);
            } else {
                ask(Messages.Write.TYPE, write);
            }
        }

        private void interrupts() {
            Composer interrupts = new Composer().u8(script.below(4)).u8(script.below(6));
            interrupts.u16(script.u8()).u16(script.u8()).u16(0);
            post(Messages.Interrupts.TYPE, interrupts);
        }

        private void map() {
            Composer map = new Composer().u64(address()).u64(length());
            map.u64(script.below(4) == 3 ? script.u64() : script.below(3) * 0x1000L);
            map.u8(script.below(5)).u8(script.u8()).u16(0).u32(0);
            switch (script.below(4)) {
                case 0 -> post(Messages.MapMemory.TYPE, map);
                case 3 ->
                        post(Messages.MapMemory.TYPE, map, peer.descriptor(1), peer.descriptor(1));
                default ->
                        post(Messages.MapMemory.TYPE, map, peer.descriptor(1 + script.below(16)));
            }
        }

        private long address() {
            return script.below(8) == 7 ? script.u64() : script.below(64) * 0x1000L;
        }

        private long length() {
            return script.below(8) == 7 ? script.u64() : script.below(16) * 0x1000L;
        }

        private void unmap() {
            boolean all = script.below(4) == 0;
            ask(
                    Messages.Unmap.TYPE,
                    new Composer().u64(all ? 0 : address()).u64(all ? 0 : length()));
        }

        private void event() {
            Composer event = new Composer().u8(script.below(9)).u8(script.below(5)).u16(0);
            event.u32(script.u8()).u64(script.u16()).u64(script.u16()).text("An event.", 99);
            post(Messages.Event.TYPE, event);
        }

        private void operate() {
            String[] actions = {"echo", "many", "crash", "none", ""};
            Composer order = new Composer().text(actions[script.below(5)], 255);
            int count = script.below(4);
            order.u16(script.below(16) == 15 ? script.u16() : count);
            for (int index = 0; index < count; index++) {
                order.text("n" + script.below(8), 255).longText("v".repeat(script.u8()));
            }
            ask(Messages.Operate.TYPE, order);
        }

        /** An answer to a DMA_READ, right or wrong. */
        private void answer(WildPeer.Asked asked, int how) {
            int done = Messages.COMPLETION;
            int length = Math.min(asked.length(), Messages.MAX_DMA_BYTES);
            switch (how) {
                case 0, 1 ->
                        peer.frame(
                                Messages.Data.TYPE,
                                done,
                                asked.tag(),
                                new Composer().u64(0).bytes(new byte[length]));
                case 2 ->
                        peer.frame(
                                Messages.Data.TYPE,
                                done,
                                asked.tag(),
                                new Composer().u64(0).bytes(new byte[script.u8()]));
                case 3 ->
                        peer.frame(
                                Messages.Data.TYPE,
                                done,
                                asked.tag(),
                                new Composer().u64(script.u8()));
                case 4 ->
                        peer.frame(
                                Messages.Done.TYPE,
                                done,
                                asked.tag(),
                                new Composer().u64(script.u8()));
                default -> {
                    peer.asked.addLast(asked);
                    answer(asked, 0);
                }
            }
        }

        /** A message of the protocol's examples, with this session's numbers. */
        private void vector() {
            byte[] vector = vectors.get(script.below(vectors.size()));
            MemorySegment frame = MemorySegment.ofArray(vector);
            int from = Messages.Header.BYTES;
            peer.frame(
                    Messages.Header.TYPE.getInt(frame, 0),
                    Messages.Header.FLAGS.getInt(frame, 0),
                    Messages.Header.TAG.getInt(frame, 0) == 0 ? 0 : ++tag,
                    new Composer()
                            .bytes(java.util.Arrays.copyOfRange(vector, from, vector.length)));
        }

        /** What happens at the lender meanwhile. */
        private void happen(int what) {
            byte[] order = script.bytes(4);
            switch (what) {
                case 0, 1 -> device.execute(() -> function.act(order));
                // An operator at the lender resets it.
                case 2 -> function.generation.incrementAndGet();
                case 3 -> {
                    Lease now = lease;
                    if (now != null) {
                        now.revoke("It is needed elsewhere.");
                    }
                }
                case 4 -> {
                    ObservedEvent event = new ObservedEvent(1, "f0", "reset", "As ordered.");
                    observers.forEach(observer -> observer.accept(event));
                }
                default -> device.execute(() -> function.act(new byte[] {5, 0, 0, 0}));
            }
        }

        // What the lender offers.

        @Override
        public List<Entry> list(Peer from) {
            return List.of(new Entry("f0", "fake", "", 1, "", 0, Map.of("a", "b")));
        }

        @Override
        public Grant borrow(Peer from, Wish wish, Lease given) throws RefusedException {
            if (!wish.function().equals("f0")) {
                throw new RefusedException(RefusedException.Reason.NOT_FOUND, "Only f0 is here.");
            }
            lease = given;
            grants++;
            return new Grant() {
                @Override
                public WildFunction function() {
                    return function;
                }

                @Override
                public long epoch() {
                    return 1;
                }

                @Override
                public void ended(Ending how, String sentence) {
                    assertFalse(sentence.isBlank());
                    endings.add(how);
                }
            };
        }

        @Override
        public List<Map<String, String>> operate(
                Peer from, String action, Map<String, String> arguments) throws RefusedException {
            return switch (action) {
                case "echo" -> List.of(arguments);
                case "many" -> Collections.nCopies(300, arguments);
                default ->
                        throw new RefusedException(
                                RefusedException.Reason.NOT_FOUND, "No action " + action);
            };
        }

        @Override
        public AutoCloseable observe(Peer from, Consumer<ObservedEvent> observer) {
            observers.add(observer);
            return () -> observers.remove(observer);
        }

        @Override
        public RecordFeed follow(Peer from, FollowRequest request) throws RefusedException {
            if (!request.function().equals("f0")) {
                throw new RefusedException(RefusedException.Reason.NOT_FOUND, "Only f0 is here.");
            }
            FakeFeed feed = new FakeFeed(64, 40_000);
            feed.record(100);
            feeds.add(feed);
            return feed;
        }
    }
}
