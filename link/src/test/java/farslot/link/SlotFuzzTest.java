package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.NearMemory;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import farslot.link.Messages.Hello;
import farslot.posix.MappedMemory;
import farslot.posix.UnixListener;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a lender sends to a slot or to an operator, at whatever time: each access comes to an
 * end, DMA reaches what the driver mapped and nothing else, the link goes on or ends in words, and
 * nothing of it is left.
 */
@Timeout(60)
class SlotFuzzTest {
    private static final LinkOptions OPTIONS =
            LinkOptions.named("wild")
                    .withKeepAlive(Duration.ofSeconds(60), Duration.ofSeconds(300))
                    .withAccessTimeout(Duration.ZERO);
    private static final long PATIENCE_MILLIS = 20_000;
    private static final int MEMORY_BYTES = 0x100000;

    /** Of what a script's byte means: from here on what came later than the rest. */
    private static final int FOLLOWING = 250;

    @TempDir static Path folder;
    private static UnixListener door;
    private static MappedMemory memory;
    private static List<byte[]> vectors;

    @BeforeAll
    static void listen() throws IOException {
        door = UnixListener.listen(folder.resolve("l"));
        memory = MappedMemory.create("farslot-driver", MEMORY_BYTES);
        vectors =
                VectorsTest.vectors().stream()
                        .filter(vector -> !vector.name().equals("preamble"))
                        .map(VectorsTest.Vector::bytes)
                        .toList();
    }

    @AfterAll
    static void close() {
        memory.close();
        door.close();
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
        return Corpus.of(SlotFuzzTest.class, "session");
    }

    /** The driver's side: what it has mapped, and what was wrong. */
    private static final class Host implements PciHost {
        final Queue<String> wrongs = new ConcurrentLinkedQueue<>();

        /**
         * What may be mapped: in before the function is told, out when it has given it back. What
         * is not served while the driver waits stays: nothing waits for DMA that is under way
         * there.
         */
        final CopyOnWriteArrayList<DmaMap> maps = new CopyOnWriteArrayList<>();

        private CompletionStatus dma(long address, MemorySegment data, Direction direction) {
            for (long at = address; at < address + data.byteSize(); at += 0x800) {
                if (!reaches(at, direction)) {
                    wrongs.add(direction + " at " + address + " of " + data.byteSize());
                }
            }
            return address == 0xf000 ? CompletionStatus.COMPLETER_ABORT : CompletionStatus.SUCCESS;
        }

        private boolean reaches(long at, Direction direction) {
            return maps.stream()
                    .anyMatch(map ->
                            at >= map.address()
                                    && at < map.address() + map.length()
                                    && (map.direction().bits() & direction.bits()) != 0);
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            into.fill((byte) 0x77);
            return dma(address, into, Direction.READ);
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            return dma(address, from, Direction.WRITE);
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            return null;
        }

        @Override
        public boolean servedWhileWaiting(long address, long length) {
            return true;
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            if (vector >= FakeFunction.description().vectors(kind)) {
                wrongs.add("interrupt " + kind + " " + vector);
            }
        }

        @Override
        public void event(FunctionEvent event) {
            if (event == null) {
                wrongs.add("no event");
            }
        }
    }

    /** What the driver or operator does; on its own thread, one after another. */
    private interface Order {
        void run() throws RefusedException, LinkException;
    }

    private static final class Session {
        private final Script script;
        private final Host host = new Host();
        private final LinkedBlockingQueue<Order> orders = new LinkedBlockingQueue<>();
        private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        private final Queue<LinkException> endings = new ConcurrentLinkedQueue<>();
        private volatile boolean done;

        private volatile RemoteFunction function;
        private volatile ControlLink control;
        private boolean operates;
        private WildPeer peer;

        Session(byte[] input) {
            script = new Script(input);
        }

        void run() throws Exception {
            try (Aftermath aftermath = new Aftermath()) {
                int how = script.u8();
                operates = (how & 4) != 0;
                Thread driver = Thread.ofPlatform().daemon(true).name("driver").start(this::drive);
                try (WildPeer wild = new WildPeer(door.accept(), Hello.SERVER, script)) {
                    peer = wild;
                    begin(how);
                    while (!script.isOver() && !wild.isOver) {
                        act(script.u8());
                        wild.drain(0);
                    }
                    wild.flush();

                    assertGoesOnOrHasEnded();
                }
                orders.add(() -> done = true);
                driver.join(PATIENCE_MILLIS);
                assertFalse(
                        driver.isAlive(), () -> "held: " + Arrays.toString(driver.getStackTrace()));
                aftermath.assertNothingIsLeft();
                for (Throwable failure : failures) {
                    throw new AssertionError("the driver's side failed", failure);
                }
                assertEquals(List.of(), List.copyOf(host.wrongs));
                assertTrue(endings.size() <= 1, () -> "it ends again: " + endings);
                endings.forEach(why -> assertFalse(why.getMessage().isBlank()));
            }
        }

        // The driver's side.

        private void drive() {
            Address address = new Address.Unix(door.path());
            try {
                if (operates) {
                    control = ControlLink.connect(address, OPTIONS);
                } else {
                    function =
                            RemoteFunction.borrow(address, new Wish("f0"), OPTIONS, endings::add);
                    function.attach(host);
                }
                while (!done) {
                    take();
                }
            } catch (RefusedException | LinkException refused) {
                if (refused.getMessage() == null || refused.getMessage().isBlank()) {
                    failures.add(refused);
                }
            } catch (InterruptedException | RuntimeException | Error failed) {
                failures.add(failed);
            } finally {
                if (function != null) {
                    function.close();
                }
                if (control != null) {
                    control.close();
                }
            }
        }

        private void take() throws InterruptedException {
            try {
                orders.take().run();
            } catch (RefusedException | LinkException refused) {
                if (refused.getMessage() == null) {
                    failures.add(refused);
                }
            }
        }

        private void told(ObservedEvent event) {
            if (event.sentence() == null) {
                host.wrongs.add("an event without a sentence");
            }
        }

        private void read() {
            int[] lengths = {4, 8, 1, 64, 0x1000, 0x20000, 3, 0};
            int length = lengths[script.below(8)];
            int region = script.yes() ? 0 : script.below(9);
            long offset = script.u16();
            MemorySegment into = Arena.ofAuto().allocate(Math.max(length, 1)).asSlice(0, length);
            orders.add(() -> function.read(region, offset, into, Math.min(length, 8)));
        }

        private void write() {
            int length = 1 + script.below(80);
            int region = script.yes() ? 0 : script.below(9);
            long offset = script.u16();
            MemorySegment from = Arena.ofAuto().allocate(length);
            orders.add(() -> function.write(region, offset, from, 4, -1));
        }

        private void map() {
            long address = script.below(32) * 0x1000L;
            long length = (1 + script.below(8)) * 0x1000L;
            Direction direction = Direction.ofBits(1 + script.below(3));
            boolean served = script.yes();
            MemorySegment near = memory.segment().asSlice(address, length);
            int descriptor = memory.descriptor().number();
            DmaMap map =
                    new DmaMap(
                            address,
                            length,
                            direction,
                            script.yes() ? new NearMemory(near, descriptor, address) : null,
                            served);
            orders.add(() -> {
                host.maps.add(map);
                try {
                    function.map(map);
                } catch (IllegalArgumentException overlaps) {
                    host.maps.remove(map);
                }
            });
        }

        private void unmap() {
            boolean all = script.below(4) == 0;
            long address = all ? 0 : script.below(32) * 0x1000L;
            long length = all ? 0 : (1 + script.below(8)) * 0x1000L;
            orders.add(() -> {
                boolean isDone = function.unmap(address, length).isSuccess();
                if (isDone) {
                    host.maps.removeIf(map ->
                            map.servedWhileWaiting() && (all || within(map, address, length)));
                }
            });
        }

        private static boolean within(DmaMap map, long address, long length) {
            return map.address() >= address && map.address() + map.length() <= address + length;
        }

        private void interrupts() {
            InterruptKind kind = InterruptKind.ofCode(script.below(3));
            InterruptAction action = InterruptAction.ofCode(1 + script.below(4));
            int first = script.below(20);
            int count = script.below(20);
            orders.add(() -> {
                try {
                    function.interrupts(kind, first, count, action);
                } catch (IllegalArgumentException notThere) {
                    // A driver's side knows the description; this one guesses.
                }
            });
        }

        private void orderDriver(int what) {
            switch (what) {
                case 0, 1 -> read();
                case 2 -> write();
                case 3 -> map();
                case 4 -> unmap();
                case 5 -> {
                    ResetKind kind = ResetKind.ofCode(1 + script.below(3));
                    orders.add(() -> function.reset(kind));
                }
                case 6 -> interrupts();
                default ->
                        orders.add(() -> {
                            function.attach(null);
                            host.maps.removeIf(DmaMap::servedWhileWaiting);
                            function.attach(host);
                        });
            }
        }

        private void orderOperator(int what) {
            String value = "v".repeat(script.u8());
            orders.add(
                    switch (what) {
                        case 0, 1, 2 -> () -> control.list();
                        case 3, 4, 5 -> () -> control.operate("echo", Map.of("n", value));
                        default -> () -> control.observe(this::told, endings::add);
                    });
        }

        // What the script makes the lender do.

        private void begin(int how) {
            if ((how & 1) == 0) {
                peer.preamble();
                peer.hello(true);
                peer.generation = 1;
                if ((how & 3) == 0 && !operates) {
                    awaitAsked();
                    if (!peer.asked.isEmpty()) {
                        answer(peer.asked.poll(), 0);
                    }
                }
            }
        }

        private void awaitAsked() {
            for (int waits = 0; waits < 100 && peer.asked.isEmpty() && !peer.isOver; waits++) {
                peer.drain(100);
            }
        }

        private void act(int what) {
            if (what >= FOLLOWING) {
                follow(what - FOLLOWING);
                return;
            }
            switch (what % 32) {
                case 0 -> peer.preamble();
                case 1 -> peer.hello(script.yes());
                case 2, 3, 4, 5 -> answer(script.below(16));
                case 6, 7 -> dmaRead();
                case 8, 9 -> dmaWrite();
                case 10 ->
                        post(
                                Messages.Interrupt.TYPE,
                                new Composer().u8(script.below(4)).u8(0).u16(script.u8()).u32(0));
                case 11 -> event();
                case 12 -> observed();
                case 13 -> link(Messages.Credit.TYPE, credit(script.u16()));
                case 14 -> link(Messages.Goodbye.TYPE, new Composer().u16(script.u8()).text("", 9));
                case 15 ->
                        link(
                                Messages.ErrorMessage.TYPE,
                                new Composer().u16(script.u8()).u16(0).u32(0).u64(0).text("e", 9));
                case 16 -> {
                    int tag = peer.asked.isEmpty() ? script.u16() : peer.asked.peek().tag();
                    Composer held = new Composer().u64(script.u8());
                    peer.frame(Messages.Held.TYPE, Messages.LINK, tag, held);
                }
                case 17 -> link(Messages.KeepAlive.TYPE, new Composer());
                case 18 -> vector();
                case 19 ->
                        peer.frame(
                                script.u8(),
                                script.u8(),
                                script.u8(),
                                new Composer().bytes(script.bytes(script.u8())));
                case 20 -> peer.raw();
                case 21, 22 -> peer.twist();
                case 23 -> peer.join();
                case 24 -> peer.drain(5);
                case 25 -> peer.generation += script.below(3) - 1;
                case 26 ->
                        peer.frame(
                                Messages.MapMemory.TYPE,
                                Messages.POSTED,
                                0,
                                new Composer().bytes(new byte[32]),
                                peer.descriptor(1));
                default -> {
                    int order = script.below(8);
                    if (operates) {
                        orderOperator(order);
                    } else {
                        orderDriver(order);
                    }
                    if (script.yes()) {
                        peer.drain(5);
                    }
                }
            }
        }

        private void follow(int how) {
            switch (how) {
                case 0 -> {
                    if (operates) {
                        orders.add(this::follow);
                    }
                }
                case 1, 2 -> {
                    int bytes = script.yes() ? 64 * script.below(40) : script.u8();
                    Composer records = new Composer().u64(script.yes() ? script.u64() : 0);
                    records.u64(script.u8()).u32(script.u8()).u32(0).bytes(new byte[bytes]);
                    post(Messages.Records.TYPE, records);
                }
                case 3 ->
                        post(
                                Messages.FollowEnd.TYPE,
                                new Composer().u64(script.u8()).u64(0).text("It ends.", 99));
                case 4 -> link(Messages.Clock.TYPE, new Composer().u64(script.u16()));
                default ->
                        link(
                                Messages.ClockTold.TYPE,
                                new Composer().u64(script.u16()).u64(1).u64(2).u64(3));
            }
        }

        /** Follows, and takes what comes. */
        private void follow() throws RefusedException, LinkException {
            control.follow(new FollowRequest("f0", false, Map.of()));
            control.take(
                    new RecordSink() {
                        @Override
                        public boolean records(
                                long first, long lost, boolean waitedFor, MemorySegment records) {
                            if (first < 0 || records.byteSize() % RecordFeed.RECORD_BYTES != 0) {
                                host.wrongs.add("records from " + first);
                            }
                            return true;
                        }

                        @Override
                        public void ended(long end, long lost, String sentence) {
                            if (sentence == null) {
                                host.wrongs.add("an end without a sentence");
                            }
                        }
                    },
                    why -> {});
        }

        private void post(int type, Composer payload) {
            peer.frame(type, Messages.POSTED, 0, payload);
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

        private long address() {
            return script.below(8) == 7 ? script.u64() : script.below(80) * 0x800L;
        }

        private void dmaRead() {
            long[] lengths = {4, 8, 0x40, 0x800, 0x1000, 0x8000, 0, 0x100001};
            Composer read = new Composer().u64(address()).u32(lengths[script.below(8)]).u32(0);
            peer.frame(Messages.DmaRead.TYPE, Messages.NON_POSTED, 1 + script.u8(), read);
        }

        private void dmaWrite() {
            int length = script.below(4) == 3 ? script.u16() : script.u8();
            post(Messages.DmaWrite.TYPE, new Composer().u64(address()).bytes(new byte[length]));
        }

        private void event() {
            Composer event = new Composer().u8(script.below(9)).u8(script.below(5)).u16(0);
            event.u32(script.u8()).u64(script.u16()).u64(script.u16()).text("An event.", 99);
            post(Messages.Event.TYPE, event);
        }

        private void observed() {
            Composer told = new Composer();
            Messages.compose(new ObservedEvent(script.u16(), "f0", "reset", "As told."), told);
            post(Messages.Observed.TYPE, told);
        }

        /** Answers the first that was asked, or, in a few cases, nothing that was. */
        private void answer(int how) {
            peer.drain(5);
            if (!peer.asked.isEmpty()) {
                answer(peer.asked.poll(), how);
            } else if (how == 15) {
                answer(new WildPeer.Asked(script.u8(), (int) script.u32(), 4), script.below(8));
            }
        }

        private void answer(WildPeer.Asked asked, int how) {
            switch (how) {
                case 8 -> data(asked, new Composer().u64(0).bytes(new byte[script.u8()]));
                case 9 -> data(asked, new Composer().u64(script.u8()));
                case 10 -> complete(asked, Messages.Done.TYPE, new Composer().u64(script.u8()));
                case 11 ->
                        complete(
                                asked,
                                Messages.Refused.TYPE,
                                new Composer().u16(script.u8()).text("No.", 9));
                case 12 ->
                        peer.frame(
                                script.yes() ? Messages.Listed.TYPE : Messages.Result.TYPE,
                                Messages.COMPLETION | Messages.Header.MORE,
                                asked.tag(),
                                new Composer()
                                        .u16(script.below(3))
                                        .bytes(script.bytes(script.u8())));
                case 13 -> description(asked, script.bytes(64));
                case 14 -> {
                    peer.asked.addLast(asked);
                    right(asked);
                }
                default -> right(asked);
            }
        }

        private void data(WildPeer.Asked asked, Composer payload) {
            complete(asked, Messages.Data.TYPE, payload);
        }

        private void complete(WildPeer.Asked asked, int type, Composer payload) {
            peer.frame(type, Messages.COMPLETION, asked.tag(), payload);
        }

        private void right(WildPeer.Asked asked) {
            switch (asked.type()) {
                case Messages.Borrow.TYPE, Messages.Describe.TYPE ->
                        description(asked, new byte[64]);
                case Messages.Read.TYPE ->
                        data(asked, new Composer().u64(0).bytes(new byte[asked.length()]));
                case Messages.ListEntries.TYPE -> {
                    Composer listed = new Composer().u16(1);
                    Messages.compose(
                            new Entry("f0", "fake", "", 1, "", 0, Map.of("a", "b")), listed);
                    complete(asked, Messages.Listed.TYPE, listed);
                }
                case Messages.Operate.TYPE ->
                        complete(
                                asked,
                                Messages.Result.TYPE,
                                new Composer().u16(1).pairs(Map.of("a", "b")));
                case Messages.Follow.TYPE ->
                        complete(
                                asked,
                                Messages.Following.TYPE,
                                new Composer().u64(0).u32(64).u32(0).bytes(new byte[16]));
                default -> complete(asked, Messages.Done.TYPE, new Composer().u64(0));
            }
        }

        /** A description with some bits of it changed. */
        private void description(WildPeer.Asked asked, byte[] changes) {
            Composer described = new Composer();
            Messages.compose(FakeFunction.description(), described);
            byte[] bytes = described.toBytes();
            for (int index = 0; index < Math.min(changes.length, bytes.length); index++) {
                bytes[index] ^= changes[index];
            }
            Composer payload = new Composer();
            boolean borrowed = asked.type() == Messages.Borrow.TYPE;
            if (borrowed) {
                payload.u64(1).u64(0).u64(0).u64(0);
            }
            complete(
                    asked,
                    borrowed ? Messages.Borrowed.TYPE : Messages.Description.TYPE,
                    payload.bytes(bytes));
        }

        private void vector() {
            byte[] vector = vectors.get(script.below(vectors.size()));
            MemorySegment frame = MemorySegment.ofArray(vector);
            int from = Messages.Header.BYTES;
            peer.frame(
                    Messages.Header.TYPE.getInt(frame, 0),
                    Messages.Header.FLAGS.getInt(frame, 0),
                    Messages.Header.TAG.getInt(frame, 0) == 0 ? 0 : script.u8(),
                    new Composer().bytes(Arrays.copyOfRange(vector, from, vector.length)));
        }

        // The end.

        /** A link that has not ended answers a DMA read, whatever came before. */
        private void assertGoesOnOrHasEnded() {
            if (peer.strayed || !peer.helloCame || !peer.hasSaidHello) {
                return;
            }
            link(Messages.Credit.TYPE, credit(1 << 20));
            Composer read = new Composer().u64(0xdead000).u32(4).u32(0);
            while (!peer.answers(Messages.DmaRead.TYPE, 0x7777, read)) {
                assertFalse(peer.asked.isEmpty(), "it neither answers nor ends the link");
            }
            while (!peer.isOver && !peer.lastWordsCame && !peer.asked.isEmpty()) {
                right(peer.asked.poll());
                peer.drain(0);
            }
        }
    }
}
