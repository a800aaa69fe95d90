package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.ForwardingHost;
import farslot.core.PciHost;
import farslot.link.Bench.Over;
import farslot.posix.Descriptor;
import farslot.posix.EventFd;
import farslot.posix.Memfd;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a correct peer never sends ends its link by name, and disturbs nobody else. */
@Timeout(60)
class MalformedFramesTest {
    @TempDir Path folder;

    private static byte[] read(int region, int width, int length, long offset) {
        return new Composer().u8(region).u8(width).u16(0).u32(length).u64(offset).toBytes();
    }

    private static byte[] write(int region, int width, int says, long enables, int bytes) {
        return new Composer()
                .u8(region)
                .u8(width)
                .u16(0)
                .u32(says)
                .u64(0)
                .u64(enables)
                .bytes(new byte[bytes])
                .toBytes();
    }

    private static byte[] map(long address, long length, int direction) {
        return new Composer()
                .u64(address)
                .u64(length)
                .u64(0)
                .u8(direction)
                .u8(1)
                .bytes(new byte[6])
                .toBytes();
    }

    private static byte[] interrupts(int kind, int action, int first, int count) {
        return new Composer().u8(kind).u8(action).u16(first).u16(count).u16(0).toBytes();
    }

    /** What a slot's peer may do wrong, and the error it gets. */
    static Map<String, Consumer<RawPeer>> toTheLender() {
        Map<String, Consumer<RawPeer>> wrongs = new TreeMap<>();
        int np = Messages.NON_POSTED;
        int posted = Messages.POSTED;
        wrongs.put("BAD_FRAME: a length of 0", peer -> peer.bytes(new byte[Messages.Header.BYTES]));
        wrongs.put(
                "BAD_FRAME: a length beyond the limit",
                peer -> {
                    byte[] frame = peer.frame(0x24, posted, 1, 0, write(0, 4, 4, -1, 4));
                    frame[2] = 0x11;
                    peer.bytes(frame);
                });
        wrongs.put("BAD_FRAME: a short READ", peer -> peer.send(0x22, np, 1, 7, new byte[8]));
        wrongs.put("BAD_FRAME: a long RESET", peer -> peer.send(0x29, np, 1, 7, new byte[16]));
        wrongs.put(
                "BAD_FRAME: a posted READ",
                peer -> peer.send(0x22, posted, 1, 0, read(0, 4, 4, 0)));
        wrongs.put("UNKNOWN_TYPE: 0x7e", peer -> peer.send(0x7e, posted, 1, 0, new byte[0]));
        wrongs.put(
                "OUT_OF_STATE: WAITING to a lender",
                peer ->
                        peer.send(
                                0x14,
                                Messages.LINK,
                                1,
                                7,
                                new Composer().u32(1).u32(1).text("", 1).toBytes()));
        wrongs.put("OUT_OF_STATE: HELLO again", peer -> peer.hello(1));
        wrongs.put("OUT_OF_STATE: LIST", peer -> peer.send(0x60, np, 1, 7, new byte[0]));
        wrongs.put(
                "OUT_OF_STATE: BORROW again",
                peer -> peer.send(0x10, np, 1, 7, new Composer().u64(0).text("f1", 9).toBytes()));
        wrongs.put(
                "OUT_OF_STATE: a DMA_READ by a slot",
                peer -> peer.send(0x40, np, 1, 7, new Composer().u64(0).u32(4).u32(0).toBytes()));
        wrongs.put(
                "BAD_VALUE: a READ of nothing",
                peer -> peer.send(0x22, np, 1, 7, read(0, 4, 0, 0)));
        wrongs.put(
                "BAD_VALUE: a READ of more than 1 MiB",
                peer -> peer.send(0x22, np, 1, 7, read(0, 4, 0x100001, 0)));
        wrongs.put("BAD_VALUE: a width of 3", peer -> peer.send(0x22, np, 1, 7, read(0, 3, 4, 0)));
        wrongs.put(
                "BAD_VALUE: a WRITE shorter than it says",
                peer -> peer.send(0x24, posted, 1, 0, write(0, 4, 8, -1, 4)));
        wrongs.put(
                "BAD_VALUE: byte enables of a long WRITE",
                peer -> peer.send(0x24, posted, 1, 0, write(0, 0, 128, 1, 128)));
        wrongs.put(
                "BAD_VALUE: a posted WRITE to I/O ports",
                peer -> peer.send(0x24, posted, 1, 0, write(2, 4, 4, -1, 4)));
        wrongs.put(
                "BAD_VALUE: a non-posted WRITE to memory",
                peer -> peer.send(0x24, np, 1, 7, write(0, 4, 4, -1, 4)));
        wrongs.put(
                "BAD_VALUE: interrupt vectors beyond the last",
                peer -> peer.send(0x26, posted, 1, 0, interrupts(2, 1, 10, 7)));
        wrongs.put(
                "BAD_VALUE: no interrupt vectors",
                peer -> peer.send(0x26, posted, 1, 0, interrupts(2, 1, 0, 0)));
        wrongs.put(
                "BAD_VALUE: an interrupt kind that does not exist",
                peer -> peer.send(0x26, posted, 1, 0, interrupts(9, 1, 0, 1)));
        wrongs.put(
                "BAD_VALUE: an interrupt action that does not exist",
                peer -> peer.send(0x26, posted, 1, 0, interrupts(2, 9, 0, 1)));
        wrongs.put(
                "BAD_VALUE: a map of nothing",
                peer -> peer.send(0x27, posted, 1, 0, map(0x1000, 0, 3)));
        wrongs.put(
                "BAD_VALUE: a map beyond 2^64",
                peer -> peer.send(0x27, posted, 1, 0, map(-0x1000L, 0x1001, 3)));
        wrongs.put(
                "BAD_VALUE: a map without direction",
                peer -> peer.send(0x27, posted, 1, 0, map(0x1000, 0x1000, 0)));
        wrongs.put(
                "BAD_VALUE: overlapping maps",
                peer -> {
                    peer.send(0x27, posted, 1, 0, map(0x1000, 0x2000, 3));
                    peer.send(0x27, posted, 1, 0, map(0x2000, 0x2000, 3));
                });
        wrongs.put(
                "BAD_VALUE: a reset kind that does not exist",
                peer -> peer.send(0x29, np, 1, 7, new byte[] {9, 0, 0, 0, 0, 0, 0, 0}));
        wrongs.put(
                "BAD_SEQUENCE: a gap",
                peer -> {
                    peer.sequence++;
                    peer.send(0x22, np, 1, 7, read(0, 4, 4, 0));
                });
        wrongs.put(
                "BAD_SEQUENCE: what was never sent is acknowledged",
                peer -> {
                    peer.received += 1_000_000;
                    peer.send(0x22, np, 1, 7, read(0, 4, 4, 0));
                });
        wrongs.put("BAD_GENERATION: 2 of 1", peer -> peer.send(0x22, np, 2, 7, read(0, 4, 4, 0)));
        wrongs.put(
                "BAD_TAG: none with non-posted",
                peer -> peer.send(0x22, np, 1, 0, read(0, 4, 4, 0)));
        wrongs.put(
                "BAD_TAG: one with posted",
                peer -> peer.send(0x24, posted, 1, 7, write(0, 4, 4, -1, 4)));
        wrongs.put(
                "BAD_TAG: a completion of nothing",
                peer -> peer.send(0x25, Messages.COMPLETION, 1, 7, new byte[8]));
        wrongs.put(
                "BAD_DESCRIPTOR: announced with READ",
                peer -> {
                    byte[] frame = peer.frame(0x22, np, 1, 7, read(0, 4, 4, 0));
                    frame[7] = 1;
                    peer.bytes(frame);
                });
        wrongs.put(
                "BAD_DESCRIPTOR: announced and not sent",
                peer -> {
                    byte[] frame = peer.frame(0x27, posted, 1, 0, map(0x1000, 0x1000, 3));
                    frame[7] = 1;
                    peer.bytes(frame);
                });
        wrongs.put(
                "UNSUPPORTED: relaxed ordering",
                peer -> peer.send(0x24, posted | 0x10, 1, 0, write(0, 4, 4, -1, 4)));
        wrongs.put(
                "UNSUPPORTED: memory differences",
                peer -> peer.send(0x45, posted, 1, 0, new byte[8]));
        wrongs.put(
                "CREDIT_EXCEEDED: too many posted frames",
                peer -> {
                    // The first is held at the function by the test, so no credit comes back.
                    for (int count = 0; count < 1100; count++) {
                        peer.send(0x24, posted, 1, 0, write(0, 4, 4, -1, 4));
                    }
                });
        return wrongs;
    }

    /** What a follower may do wrong, and the error it gets. */
    static Map<String, Consumer<RawPeer>> toTheFollowed() {
        Map<String, Consumer<RawPeer>> wrongs = new TreeMap<>();
        int np = Messages.NON_POSTED;
        int posted = Messages.POSTED;
        byte[] follow = new Composer().u64(1).text("f0", 9).pairs(Map.of("dma", "whole")).toBytes();
        byte[] number = new Composer().u64(0).toBytes();
        wrongs.put("OUT_OF_STATE: KEPT before", peer -> peer.send(0x69, posted, 0, 0, number));
        wrongs.put("OUT_OF_STATE: UNFOLLOW before", peer -> peer.send(0x6b, np, 0, 7, new byte[0]));
        wrongs.put(
                "OUT_OF_STATE: RECORDS to a lender",
                peer -> peer.send(0x68, posted, 0, 0, new byte[88]));
        wrongs.put(
                "OUT_OF_STATE: BORROW behind it",
                peer -> {
                    peer.send(0x66, np, 0, 7, follow);
                    peer.next(0x67);
                    byte[] borrow = new Composer().u64(0).text("f1", 9).toBytes();
                    peer.send(0x10, np, 0, 8, borrow);
                });
        wrongs.put(
                "BAD_VALUE: KEPT of what was not sent",
                peer -> {
                    peer.send(0x66, np, 0, 7, follow);
                    peer.next(0x67);
                    peer.send(0x69, posted, 0, 0, new Composer().u64(11).toBytes());
                });
        wrongs.put(
                "BAD_FRAME: FOLLOW with a tail",
                peer -> peer.send(0x66, np, 0, 7, new Composer().bytes(follow).u8(0).toBytes()));
        return wrongs;
    }

    static Iterable<Map.Entry<String, Consumer<RawPeer>>> wrongsToTheFollowed() {
        return toTheFollowed().entrySet();
    }

    @ParameterizedTest
    @MethodSource("wrongsToTheFollowed")
    void aLinkThatFollowsEndsByNameAndSoDoesItsFeed(Map.Entry<String, Consumer<RawPeer>> wrong)
            throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder);
                RawPeer peer = bench.peer()) {
            FakeFeed feed = new FakeFeed(100, 16);
            feed.record(10);
            bench.lender.feeds.add(feed);
            peer.open(1);
            wrong.getValue().accept(peer);
            String name = wrong.getKey().substring(0, wrong.getKey().indexOf(':'));
            assertEquals(name, peer.error());
            if (bench.lender.feeds.isEmpty()) {
                assertTrue(feed.closed.await(20, TimeUnit.SECONDS));
            }
        }
    }

    /** What a recorder's peer may do wrong to a follower, and the error it gets. */
    static Map<String, Consumer<RawPeer>> toTheFollower() {
        Map<String, Consumer<RawPeer>> wrongs = new TreeMap<>();
        int posted = Messages.POSTED;
        byte[] end = new Composer().u64(0).u64(0).text("", 9).toBytes();
        wrongs.put(
                "BAD_VALUE: records of no bytes",
                peer -> peer.send(0x68, posted, 0, 0, new byte[24]));
        wrongs.put(
                "BAD_VALUE: records that are not whole",
                peer -> peer.send(0x68, posted, 0, 0, new byte[24 + 65]));
        wrongs.put(
                "BAD_VALUE: records beyond 2^63",
                peer ->
                        peer.send(
                                0x68,
                                posted,
                                0,
                                0,
                                new Composer().u64(-1).bytes(new byte[80]).toBytes()));
        wrongs.put(
                "OUT_OF_STATE: records behind the end",
                peer -> {
                    peer.send(0x6a, posted, 0, 0, end);
                    peer.send(0x68, posted, 0, 0, new byte[88]);
                });
        wrongs.put(
                "OUT_OF_STATE: the end twice",
                peer -> {
                    peer.send(0x6a, posted, 0, 0, end);
                    peer.send(0x6a, posted, 0, 0, end);
                });
        wrongs.put(
                "OUT_OF_STATE: a FOLLOW by a lender",
                peer ->
                        peer.send(
                                0x66,
                                Messages.NON_POSTED,
                                0,
                                9,
                                new Composer().u64(0).text("", 9).u16(0).toBytes()));
        return wrongs;
    }

    static Iterable<Map.Entry<String, Consumer<RawPeer>>> wrongsToTheFollower() {
        return toTheFollower().entrySet();
    }

    @ParameterizedTest
    @MethodSource("wrongsToTheFollower")
    void aFollowerEndsTheLinkByName(Map.Entry<String, Consumer<RawPeer>> wrong) throws Exception {
        BlockingQueue<String> errors = new LinkedBlockingQueue<>();
        try (ServerSocketChannel listening = ServerSocketChannel.open()) {
            listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            RawPeer.serveOne(
                    listening.socket(),
                    peer -> {
                        peer.abilities = Messages.Hello.TRACES;
                        peer.open(2);
                        RawPeer.Frame follow = peer.next(0x66);
                        byte[] following = new Composer().u64(0).u32(64).u32(0).toBytes();
                        peer.send(0x67, Messages.COMPLETION, 0, follow.tag(), following);
                        wrong.getValue().accept(peer);
                        errors.add(peer.error());
                    });
            Address address = new Address.Tcp("127.0.0.1", listening.socket().getLocalPort());
            BlockingQueue<LinkException> ends = new LinkedBlockingQueue<>();
            try (ControlLink control = ControlLink.connect(address, Bench.SLOT)) {
                control.follow(new FollowRequest("f0", false, Map.of()));
                control.take(
                        new RecordSink() {
                            @Override
                            public boolean records(
                                    long first,
                                    long lost,
                                    boolean waitedFor,
                                    MemorySegment records) {
                                return true;
                            }

                            @Override
                            public void ended(long end, long lost, String sentence) {}
                        },
                        ends::add);
                String name = wrong.getKey().substring(0, wrong.getKey().indexOf(':'));
                assertEquals(name, errors.poll(20, TimeUnit.SECONDS));
                LinkException why = ends.poll(20, TimeUnit.SECONDS);
                assertEquals(LinkException.Cause.PROTOCOL, why.what());
            }
        }
    }

    static List<Arguments> wrongsToTheLender() {
        List<Arguments> all = new ArrayList<>();
        for (Over over : List.of(Over.UNIX, Over.TLS)) {
            toTheLender().forEach((name, wrong) -> all.add(Arguments.of(over, name, wrong)));
        }
        return all;
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("wrongsToTheLender")
    void aLenderEndsTheLinkByNameAndOthersGoOn(Over over, String words, Consumer<RawPeer> wrong)
            throws Exception {
        try (Bench bench = new Bench(over, folder);
                RawPeer peer = bench.peer().borrow("f0")) {
            RemoteFunction other = bench.borrow("f1");
            BlockingQueue<String> release = new LinkedBlockingQueue<>();
            boolean flood = words.startsWith("CREDIT");
            if (flood) {
                bench.lender.f0().onWrite =
                        (region, offset, data) -> {
                            try {
                                release.poll(20, TimeUnit.SECONDS);
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        };
            }
            wrong.accept(peer);
            String name = words.substring(0, words.indexOf(':'));
            assertEquals(name, peer.error());
            MemorySegment into = MemorySegment.ofArray(new byte[4]);
            assertEquals(CompletionStatus.SUCCESS, other.read(0, 0, into, 4));
            release.add("go on");
            release.add("and on");
            assertEquals("BROKEN f0", bench.lender.ending());
            assertEquals(CompletionStatus.SUCCESS, bench.borrow("f0").read(0, 0, into, 4));
        }
    }

    @Test
    void whatADriverCanCauseIsAnsweredAndTheLinkGoesOn() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder);
                RawPeer peer = bench.peer().borrow("f0")) {
            int np = Messages.NON_POSTED;
            // Outside the regions, past the end, longer than the region takes, no such region.
            peer.send(0x22, np, 1, 7, read(0, 4, 8, 0xffffc));
            assertEquals(1, peer.next(0x23).payload().get(0));
            peer.send(0x22, np, 1, 7, read(2, 4, 16, 0));
            assertEquals(1, peer.next(0x23).payload().get(0));
            peer.send(0x22, np, 1, 7, read(5, 4, 4, 0));
            assertEquals(1, peer.next(0x23).payload().get(0));
            peer.send(0x22, np, 1, 7, read(200, 4, 4, 0));
            assertEquals(1, peer.next(0x23).payload().get(0));
            peer.send(0x24, np, 1, 7, write(1, 4, 4, -1, 4));
            assertEquals(1, peer.next(0x25).payload().get(0));
            // An older generation, also of a posted write, which is only dropped.
            bench.lender.f0().generation.set(5);
            peer.send(0x24, Messages.POSTED, 4, 0, write(0, 4, 4, -1, 4));
            peer.send(0x22, np, 4, 7, read(0, 4, 4, 0));
            RawPeer.Frame stale = peer.next(0x23);
            assertEquals(7, stale.payload().get(0));
            assertEquals(5, stale.generation());
            assertTrue(bench.lender.f0().log.stream().noneMatch(line -> line.startsWith("write")));
        }
    }

    @Test
    void whatIsReservedIsAnsweredUnsupported() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer peer = bench.peer().borrow("f0")) {
            Map<Integer, Integer> lengths = Map.of(0x2a, 0, 0x2b, 0, 0x2d, 5, 0x2e, 24, 0x44, 24);
            for (Map.Entry<Integer, Integer> one : lengths.entrySet()) {
                byte[] payload = new byte[one.getValue()];
                peer.send(one.getKey(), Messages.NON_POSTED, 1, 7, payload);
                assertEquals(6, peer.next(0x25).payload().get(0), "type " + one.getKey());
            }
        }
    }

    @Test
    void aDescriptorThatIsNoMemoryOrTooShortEndsTheLink() throws Exception {
        try (Bench bench = new Bench(Over.UNIX, folder);
                Descriptor memory = Memfd.create("short", 0x1000);
                EventFd event = EventFd.create()) {
            int[] wrong = {event.descriptor().number(), memory.number()};
            for (int descriptor : wrong) {
                try (RawPeer peer = bench.peer().borrow("f0")) {
                    peer.sendWith(descriptor, 0x27, 1, map(0x1000, 0x2000, 3));
                    assertEquals("BAD_DESCRIPTOR", peer.error());
                    assertEquals("BROKEN f0", bench.lender.ending());
                }
            }
        }
    }

    /** What a lender's peer may do wrong, and the error it gets. */
    static Map<String, Consumer<RawPeer>> toTheSlot() {
        Map<String, Consumer<RawPeer>> wrongs = new TreeMap<>();
        int posted = Messages.POSTED;
        wrongs.put("BAD_FRAME: a short DATA", peer -> answer(peer, 0x23, new byte[4]));
        wrongs.put("BAD_VALUE: DATA too many", peer -> answer(peer, 0x23, new byte[13]));
        wrongs.put("BAD_VALUE: DATA too few", peer -> answer(peer, 0x23, new byte[11]));
        wrongs.put(
                "BAD_VALUE: a status that does not exist",
                peer -> answer(peer, 0x23, new byte[] {9, 0, 0, 0, 0, 0, 0, 0}));
        wrongs.put(
                "BAD_VALUE: a read that is done without data",
                peer -> answer(peer, 0x25, new byte[8]));
        wrongs.put(
                "OUT_OF_STATE: REFUSED for a read",
                peer -> answer(peer, 0x12, new Composer().u16(1).u16(0).toBytes()));
        wrongs.put("UNKNOWN_TYPE: 0x7e", peer -> peer.send(0x7e, posted, 1, 0, new byte[0]));
        wrongs.put(
                "OUT_OF_STATE: a WRITE by a lender",
                peer -> peer.send(0x24, posted, 1, 0, write(0, 4, 4, -1, 4)));
        wrongs.put(
                "BAD_VALUE: an interrupt vector beyond the last",
                peer -> peer.send(0x42, posted, 1, 0, new byte[] {2, 0, 16, 0, 0, 0, 0, 0}));
        wrongs.put(
                "BAD_VALUE: a DMA read of nothing",
                peer -> peer.send(0x40, Messages.NON_POSTED, 1, 7, new byte[16]));
        wrongs.put(
                "BAD_VALUE: a DMA write of nothing",
                peer -> peer.send(0x41, posted, 1, 0, new byte[8]));
        wrongs.put(
                "BAD_VALUE: an event of an unknown direction",
                peer -> {
                    Composer event = new Composer().u8(7).u8(9).u16(0).u32(0).u64(0).u64(0);
                    peer.send(0x43, posted, 1, 0, event.text("", 1).toBytes());
                });
        wrongs.put(
                "BAD_TAG: a completion of nothing",
                peer -> peer.send(0x25, Messages.COMPLETION, 1, 0x7fff07, new byte[8]));
        wrongs.put(
                "CREDIT_EXCEEDED: too many bytes",
                peer -> {
                    // The slot's host holds the first.
                    for (int count = 0; count < 6; count++) {
                        byte[] payload = new byte[0x100008];
                        payload[1] = 0x10;
                        peer.send(0x41, posted, 1, 0, payload);
                    }
                });
        return wrongs;
    }

    private static void answer(RawPeer peer, int type, byte[] payload) {
        RawPeer.Frame read = peer.next(0x22);
        peer.send(type, Messages.COMPLETION, 1, read.tag(), payload);
    }

    static Iterable<Map.Entry<String, Consumer<RawPeer>>> wrongsToTheSlot() {
        return toTheSlot().entrySet();
    }

    @ParameterizedTest
    @MethodSource("wrongsToTheSlot")
    void aSlotEndsTheLinkByName(Map.Entry<String, Consumer<RawPeer>> wrong) throws Exception {
        BlockingQueue<String> errors = new LinkedBlockingQueue<>();
        BlockingQueue<String> release = new LinkedBlockingQueue<>();
        try (ServerSocketChannel listening = ServerSocketChannel.open()) {
            listening.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            RawPeer.serveOne(
                    listening.socket(),
                    peer -> {
                        peer.lend();
                        // The map, or the read: what the slot does first.
                        peer.next(0x27);
                        wrong.getValue().accept(peer);
                        errors.add(peer.error());
                    });
            int port = listening.socket().getLocalPort();
            Bench.Hearing hearing = new Bench.Hearing();
            RemoteFunction function =
                    RemoteFunction.borrow(
                            new Address.Tcp("127.0.0.1", port),
                            new Wish("f0"),
                            Bench.SLOT,
                            hearing);
            FakeHost host = new FakeHost();
            PciHost slow =
                    new ForwardingHost(host) {
                        @Override
                        public CompletionStatus write(
                                int generation, long address, MemorySegment from) {
                            try {
                                release.poll(20, TimeUnit.SECONDS);
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                            return CompletionStatus.SUCCESS;
                        }
                    };
            function.attach(slow);
            function.map(new DmaMap(0x1000, 0x200000, Direction.READ_WRITE, null, true));
            assertEquals(
                    CompletionStatus.TIMED_OUT,
                    function.read(0, 0, MemorySegment.ofArray(new byte[4]), 4));
            String name = wrong.getKey().substring(0, wrong.getKey().indexOf(':'));
            assertEquals(name, errors.poll(20, TimeUnit.SECONDS));
            LinkException why = hearing.await();
            assertEquals(LinkException.Cause.PROTOCOL, why.what());
            assertTrue(why.getMessage().contains(name), why.getMessage());
            for (int count = 0; count < 10; count++) {
                release.add("go on");
            }
            function.close();
        }
    }
}
