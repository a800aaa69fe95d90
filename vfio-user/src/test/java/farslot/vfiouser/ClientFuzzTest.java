package farslot.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.posix.Descriptor;
import farslot.posix.UnixStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a client sends to a slot, at whatever time: it is answered in order, or its session ends
 * for a reason and leaves nothing; the function saw nothing that it should not have.
 */
@Timeout(60)
class ClientFuzzTest {
    private static final long PATIENCE_SECONDS = 20;
    private static final Path CORPUS =
            Path.of("src/test/resources/farslot/vfiouser/ClientFuzzTestInputs/session");
    private static final FunctionDescription DESCRIPTION = new FakeFunction().describe();
    private static ExecutorService device;

    @BeforeAll
    static void makeDevice() {
        device =
                Executors.newSingleThreadExecutor(
                        Thread.ofPlatform().daemon(true).name("device").factory());
    }

    @AfterAll
    static void endDevice() {
        device.shutdown();
    }

    @FuzzTest(maxDuration = "30m")
    void session(byte[] input) throws Exception {
        new Trial(input).run();
    }

    @ParameterizedTest
    @MethodSource("corpus")
    void shouldLiveThroughWhatWasFoundBefore(Path input) throws Exception {
        new Trial(Files.readAllBytes(input)).run();
    }

    static List<Path> corpus() throws IOException {
        int step = "few".equals(System.getProperty("farslot.rounds")) ? 16 : 1;
        try (Stream<Path> files = Files.list(CORPUS)) {
            List<Path> all = files.sorted().toList();
            return IntStream.range(0, all.size())
                    .filter(index -> index % step == 0)
                    .mapToObj(all::get)
                    .toList();
        }
    }

    /** Uses its host as a driver's write orders it to, and notes what should not reach it. */
    private static final class Function implements PciFunction {
        final Queue<String> wrongs = new ConcurrentLinkedQueue<>();
        final AtomicInteger generation = new AtomicInteger(1);
        volatile PciHost host;

        private void check(boolean right, String what) {
            if (!right || host == null) {
                wrongs.add(what + (right ? " without a host" : ""));
            }
        }

        private void checkAccess(int index, long offset, long length) {
            Region region = DESCRIPTION.region(index).orElse(null);
            boolean within =
                    region != null && length > 0 && offset >= 0 && region.contains(offset, length);
            if (!within) {
                wrongs.add(length + " bytes at " + offset + " of region " + index);
            }
        }

        @Override
        public FunctionDescription describe() {
            return DESCRIPTION;
        }

        @Override
        public void attach(PciHost attached) {
            host = attached;
        }

        @Override
        public int generation() {
            return generation.get();
        }

        @Override
        public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
            checkAccess(region, offset, into.byteSize());
            into.fill((byte) 0x5a);
            return offset == 0xba ? CompletionStatus.COMPLETER_ABORT : CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus write(
                int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
            checkAccess(region, offset, from.byteSize());
            if (region == 0 && from.byteSize() >= 4) {
                byte[] order = from.asSlice(0, 4).toArray(ValueLayout.JAVA_BYTE);
                if ((order[0] & 8) != 0) {
                    device.execute(() -> act(order));
                } else {
                    act(order);
                }
            }
            return CompletionStatus.SUCCESS;
        }

        /** Uses the host: what, where in units of half pages, how much. */
        void act(byte[] order) {
            PciHost now = host;
            if (now == null) {
                return;
            }
            int at = generation.get() - ((order[0] >> 4) & 1);
            long address = (order[1] & 0xff) * 0x800L;
            int length = 1 + (order[2] & 0xff) * (order[3] & 0xff);
            MemorySegment data = Arena.ofAuto().allocate(length, 8);
            switch (order[0] & 7) {
                case 0, 1 -> now.read(at, address, data);
                case 2, 3 -> now.write(at, address, data);
                case 4 -> now.interrupt(at, InterruptKind.ofCode(order[2] & 1), order[1] & 1);
                case 5 -> now.interrupt(at, InterruptKind.MSIX, order[1] & 7);
                case 6 -> now.event(new FunctionEvent.Error(true, "As it was ordered."));
                default -> now.near(at, address, length, Direction.READ);
            }
        }

        @Override
        public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
            boolean within = first >= 0 && count > 0 && first + count <= DESCRIPTION.vectors(kind);
            check(within, "interrupts " + kind + " " + first + " and " + count);
        }

        @Override
        public void map(DmaMap map) {
            check(true, "a map");
        }

        @Override
        public CompletionStatus unmap(long address, long length) {
            check(true, "an unmap");
            return CompletionStatus.SUCCESS;
        }

        @Override
        public CompletionStatus reset(ResetKind kind) {
            check(true, "a reset");
            generation.incrementAndGet();
            return CompletionStatus.SUCCESS;
        }
    }

    /** One client, from its first byte to its last. */
    private static final class Trial implements Session.Observer {
        private final Script script;
        private final Function function = new Function();
        private final CompletableFuture<String> end = new CompletableFuture<>();
        private final AtomicInteger endings = new AtomicInteger();
        private WildClient client;

        Trial(byte[] input) {
            script = new Script(input);
        }

        @Override
        public void agreed(Session session) {}

        @Override
        public void ended(Session session, String why) {
            endings.incrementAndGet();
            end.complete(why);
        }

        void run() throws Exception {
            try (Aftermath aftermath = new Aftermath()) {
                UnixStream.Pair pair = UnixStream.pair();
                Session session = new Session(function, pair.first(), "fuzz", this, 4000);
                session.start();
                try (WildClient wild = new WildClient(pair.second(), script)) {
                    client = wild;
                    if (!script.yes()) {
                        version(RawClient.QEMU_JSON);
                        wild.drain(1000);
                    }
                    while (!script.isOver() && !wild.isOver) {
                        act(script.u8());
                        wild.drain(0);
                    }
                    wild.flush();
                    assertGoesOnOrHasEnded();
                }
                String why = end.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                assertFalse(why.isBlank() || why.startsWith("of an error"), why);
                device.submit(() -> {}).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                aftermath.assertNothingIsLeft();
                assertEquals(1, endings.get());
                assertEquals(null, function.host, "the function keeps its host");
                assertEquals(List.of(), List.copyOf(function.wrongs));
            }
        }

        private void assertGoesOnOrHasEnded() {
            if (!client.strayed) {
                client.command(
                        Messages.DEVICE_GET_INFO,
                        0,
                        RawClient.fields(16).putInt(16).putInt(0).putInt(0).putInt(0));
                assertTrue(client.isAnswered(), "it neither answers nor ends the session");
            }
        }

        // What the script makes the client do.

        private void act(int what) {
            switch (what % 30) {
                case 0 -> version(RawClient.QEMU_JSON);
                case 1 -> anyVersion();
                case 2 -> info(Messages.DEVICE_GET_INFO, Messages.DEVICE_INFO_BYTES);
                case 3 -> info(Messages.GET_REGION_INFO, Messages.REGION_INFO_BYTES);
                case 4 -> info(Messages.GET_IRQ_INFO, Messages.IRQ_INFO_BYTES);
                case 5, 6, 7 -> setInterrupts();
                case 8, 9 -> map();
                case 10 -> unmap();
                case 11, 12 -> read();
                case 13, 14, 15 -> write();
                case 16 -> client.command(Messages.DEVICE_RESET, flags(), RawClient.fields(0));
                case 17 ->
                        client.command(
                                script.below(20),
                                flags(),
                                RawClient.fields(script.u8()),
                                descriptors(script.below(3)));
                case 18 -> client.raw();
                case 19, 20 -> client.twist();
                case 21 -> client.join();
                case 22, 23 -> {
                    client.drain(5);
                    if (!client.dma.isEmpty()) {
                        client.answer(client.dma.poll(), script.below(7));
                    }
                }
                case 24 ->
                        client.answer(
                                new WildClient.Dma(script.u8(), 11 + script.below(2), 0, 8), 0);
                case 25 -> client.signal();
                case 26 -> client.cutMemoryShort();
                case 27 -> client.drain(5);
                case 28 -> {
                    byte[] order = script.bytes(4);
                    device.execute(() -> function.act(order));
                }
                default -> function.generation.incrementAndGet();
            }
        }

        private int flags() {
            return script.below(4) == 3 ? Messages.FLAG_NO_REPLY : 0;
        }

        private void version(String json) {
            byte[] text = (json + "\0").getBytes(StandardCharsets.UTF_8);
            client.command(
                    Messages.VERSION,
                    0,
                    RawClient.fields(4 + text.length)
                            .putShort((short) 0)
                            .putShort((short) 0)
                            .put(text));
        }

        private void anyVersion() {
            String[] texts = {
                "{}",
                "",
                "{\"capabilities\":{\"max_data_xfer_size\":1}}",
                "{\"capabilities\":{\"max_data_xfer_size\":4096}}",
                "{\"capabilities\":[]}",
                "[[[[[["
            };
            int which = script.below(texts.length + 1);
            version(
                    which < texts.length
                            ? texts[which]
                            : new String(script.bytes(script.u8()), StandardCharsets.ISO_8859_1));
        }

        private void info(int command, int bytes) {
            ByteBuffer fields = RawClient.fields(bytes);
            fields.putInt(script.below(8) == 7 ? script.u8() : bytes).putInt(0);
            fields.putInt(script.below(8) == 7 ? (int) script.u32() : script.below(11));
            client.command(command, flags(), fields);
        }

        private Descriptor[] descriptors(int count) {
            Descriptor[] descriptors = new Descriptor[count];
            for (int index = 0; index < count; index++) {
                boolean odd = script.below(8) == 7;
                descriptors[index] = odd ? client.memory(1) : client.event();
            }
            return descriptors;
        }

        private void setInterrupts() {
            int[] flags = {0x24, 0x21, 0x22, 0x09, 0x0a, 0x11, 0x12, 0x14, 0x0c, 0x3f, 0};
            int index = script.below(8) == 7 ? (int) script.u32() : script.below(6);
            int start = script.below(8) == 7 ? (int) script.u32() : script.below(4);
            int count = script.below(8) == 7 ? (int) script.u32() : script.below(6);
            int flag = flags[script.below(flags.length)];
            ByteBuffer fields = RawClient.fields(20 + script.below(6));
            fields.putInt(20).putInt(flag).putInt(index).putInt(start).putInt(count);
            while (fields.hasRemaining()) {
                fields.put((byte) script.u8());
            }
            boolean events = (flag & 4) != 0 && script.below(8) != 7;
            int given = script.below(8) == 7 ? script.below(6) : Math.min(6, count & 7);
            client.command(Messages.SET_IRQS, flags(), fields, descriptors(events ? given : 0));
        }

        private long address() {
            return script.below(8) == 7 ? script.u64() : script.below(64) * 0x1000L;
        }

        private long length() {
            return script.below(8) == 7 ? script.u64() : script.below(16) * 0x1000L;
        }

        private void map() {
            ByteBuffer fields = RawClient.fields(32).putInt(script.below(8) == 7 ? 0 : 32);
            fields.putInt(script.below(5));
            fields.putLong(script.below(8) == 7 ? script.u64() : script.below(3) * 0x1000L);
            fields.putLong(address()).putLong(length());
            Descriptor[] memory = {};
            switch (script.below(4)) {
                case 0 -> {}
                case 3 -> memory = descriptors(1 + script.below(2));
                default -> memory = new Descriptor[] {client.memory(1 + script.below(16))};
            }
            client.command(Messages.DMA_MAP, flags(), fields, memory);
        }

        private void unmap() {
            boolean all = script.below(4) == 3;
            ByteBuffer fields = RawClient.fields(24).putInt(24);
            fields.putInt(all ? 2 : script.below(8) == 7 ? script.u8() : 0);
            fields.putLong(all ? 0 : address()).putLong(all ? 0 : length());
            client.command(Messages.DMA_UNMAP, flags(), fields);
        }

        private int region() {
            return script.below(8) == 7 ? (int) script.u32() : new int[] {0, 2, 7}[script.below(3)];
        }

        private void read() {
            int[] counts = {4, 8, 1, 2, 64, 0x1000, 0, 0x100001};
            ByteBuffer fields = RawClient.fields(16);
            fields.putLong(script.below(8) == 7 ? script.u64() : script.u8() * 4L);
            fields.putInt(region()).putInt(counts[script.below(8)]);
            client.command(Messages.REGION_READ, flags(), fields);
        }

        private void write() {
            int length = script.below(8) == 7 ? script.u16() : script.below(12);
            ByteBuffer fields = RawClient.fields(16 + length);
            fields.putLong(script.below(8) == 7 ? script.u64() : script.u8() * 4L);
            fields.putInt(region()).putInt(script.below(8) == 7 ? script.u16() : length);
            fields.put(script.bytes(Math.min(length, 16)));
            client.command(Messages.REGION_WRITE, flags(), fields);
        }
    }
}
