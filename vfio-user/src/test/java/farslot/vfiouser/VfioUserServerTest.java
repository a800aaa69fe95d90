package farslot.vfiouser;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.posix.Descriptor;
import farslot.posix.Errno;
import farslot.posix.EventFd;
import farslot.posix.MappedMemory;
import farslot.posix.Memfd;
import farslot.posix.PeerCredentials;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class VfioUserServerTest {
    private static final int MIB = 1 << 20;

    @TempDir Path folder;
    private final FakeFunction function = new FakeFunction();
    private final LinkedBlockingQueue<String> gone = new LinkedBlockingQueue<>();
    private final Arena arena = Arena.ofAuto();
    private VfioUserServer server;

    @BeforeEach
    void startServer() throws IOException {
        server =
                VfioUserServer.start(
                        function,
                        folder.resolve("s"),
                        new VfioUserServer.ClientListener() {
                            @Override
                            public void clientGone(PeerCredentials peer, String why) {
                                gone.add(why);
                            }
                        });
    }

    @AfterEach
    void closeServer() {
        server.close();
    }

    private RawClient client() throws IOException {
        return RawClient.start(server.socket());
    }

    private MappedMemory sharedMemory(long size) throws IOException {
        return MappedMemory.create("farslot-test", size);
    }

    private static void assertError(int errno, RawClient.Received reply) {
        assertEquals(errno, reply.errno());
        assertEquals(0x21, reply.flags());
        assertEquals(0, reply.payload().length, "an error reply is the bare header");
    }

    private static void assertDone(RawClient.Received reply) {
        assertEquals(0, reply.errno());
        assertEquals(1, reply.flags());
    }

    @Nested
    class Version {
        @Test
        void answersQemuByteByByte() throws IOException {
            try (RawClient client = RawClient.connect(server.socket())) {
                RawClient.Received reply = client.version(RawClient.QEMU_JSON);
                assertDone(reply);
                String json =
                        "{\"capabilities\":{\"max_msg_fds\":16,"
                                + "\"max_data_xfer_size\":1048576}}\0";
                assertEquals(
                        "00000000"
                                + HexFormat.of().formatHex(json.getBytes(StandardCharsets.UTF_8)),
                        reply.hex());
            }
        }

        @Test
        void neverAnswersMoreThanWasAsked() throws IOException {
            try (RawClient client = RawClient.connect(server.socket())) {
                assertEquals("000000007b7d00", client.version("{}").hex());
            }
            awaitNoClient();
            try (RawClient client = RawClient.connect(server.socket())) {
                assertEquals("00000000", client.request(1, RawClient.fields(4)).hex());
            }
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "{",
                    "[]",
                    "7",
                    "",
                    "nonsense",
                    "{\"capabilities\":7}",
                    "{\"capabilities\":{\"max_data_xfer_size\":\"much\"}}",
                    "{\"capabilities\":{\"max_data_xfer_size\":0}}",
                    "{\"capabilities\":{\"max_data_xfer_size\":99999999999999999999}}"
                })
        void refusesWhatIsNoCapabilityObject(String json) throws IOException {
            try (RawClient client = RawClient.connect(server.socket())) {
                assertError(Errno.EINVAL, client.version(json));
                assertDone(client.version(RawClient.QEMU_JSON));
            }
        }

        @Test
        void refusesDeepNesting() throws IOException {
            try (RawClient client = RawClient.connect(server.socket())) {
                assertError(Errno.EINVAL, client.version("{\"a\":" + "[".repeat(20_000)));
            }
        }

        @Test
        void refusesAnotherMajorVersionATextWithoutEndAndTooFewBytes() throws IOException {
            try (RawClient client = RawClient.connect(server.socket())) {
                assertError(
                        Errno.EINVAL, client.request(1, RawClient.fields(4).putShort((short) 1)));
                assertError(
                        Errno.EINVAL,
                        client.request(
                                1,
                                RawClient.fields(6)
                                        .putInt(0)
                                        .put("{}".getBytes(StandardCharsets.UTF_8))));
                assertError(Errno.EINVAL, client.request(1, RawClient.fields(3)));
                assertError(Errno.E2BIG, client.version(" ".repeat(70_000)));
            }
        }

        @Test
        void comesFirstAndOnce() throws IOException {
            try (RawClient client = RawClient.connect(server.socket())) {
                assertError(Errno.EINVAL, client.read(7, 0, 4));
                assertError(Errno.EINVAL, client.events(0, 0, 1));
                assertError(Errno.EINVAL, client.map(0, 4096, 3, 0));
                assertNull(function.host);
                assertDone(client.version("{}"));
                assertNotNull(function.host);
                assertError(Errno.EINVAL, client.version("{}"));
            }
        }
    }

    @Nested
    class Information {
        @Test
        void describesTheDevice() throws IOException {
            try (RawClient client = client()) {
                RawClient.Received reply = client.request(4, RawClient.fields(16).putInt(16));
                assertDone(reply);
                assertEquals("10000000" + "03000000" + "09000000" + "05000000", reply.hex());
            }
        }

        @ParameterizedTest
        @CsvSource({
            "0, 03000000, 0010000000000000",
            "1, 00000000, 0000000000000000",
            "2, 03000000, 2000000000000000",
            "6, 00000000, 0000000000000000",
            "7, 03000000, 0010000000000000",
            "8, 00000000, 0000000000000000"
        })
        void describesRegionsAndNeverLetsThemBeMapped(int index, String flags, String size)
                throws IOException {
            try (RawClient client = client()) {
                RawClient.Received reply =
                        client.request(5, RawClient.fields(32).putInt(32).putInt(0).putInt(index));
                assertEquals(
                        "20000000"
                                + flags
                                + "0"
                                + index
                                + "000000"
                                + "00000000"
                                + size
                                + "0000000000000000",
                        reply.hex());
            }
        }

        @ParameterizedTest
        @CsvSource({
            "0, 07000000, 01000000",
            "1, 09000000, 02000000",
            "2, 01000000, 04000000",
            "3, 09000000, 01000000",
            "4, 09000000, 01000000"
        })
        void describesInterrupts(int index, String flags, String count) throws IOException {
            try (RawClient client = client()) {
                RawClient.Received reply =
                        client.request(7, RawClient.fields(16).putInt(16).putInt(0).putInt(index));
                assertEquals("10000000" + flags + "0" + index + "000000" + count, reply.hex());
            }
        }

        @Test
        void refusesUnknownIndexesAndShortArguments() throws IOException {
            try (RawClient client = client()) {
                assertError(
                        Errno.EINVAL,
                        client.request(5, RawClient.fields(32).putInt(32).putInt(0).putInt(9)));
                assertError(
                        Errno.EINVAL,
                        client.request(5, RawClient.fields(32).putInt(32).putInt(0).putInt(-1)));
                assertError(
                        Errno.EINVAL,
                        client.request(7, RawClient.fields(16).putInt(16).putInt(0).putInt(5)));
                for (int command : new int[] {2, 3, 4, 5, 7, 8, 9, 10}) {
                    assertError(Errno.EINVAL, client.request(command, RawClient.fields(0)));
                    assertError(Errno.EINVAL, client.request(command, RawClient.fields(12)));
                }
                for (int command : new int[] {2, 3, 4, 5, 7, 8}) {
                    assertError(
                            Errno.EINVAL, client.request(command, RawClient.fields(32).putInt(4)));
                }
            }
        }
    }

    @Nested
    class Accesses {
        @Test
        void areDoneAsIssued() throws Exception {
            try (RawClient client = client()) {
                client.post(0, 0x10, 4, 0x89abcdefL);
                RawClient.Received reply = client.read(0, 0x10, 4);
                assertEquals(
                        "1000000000000000" + "00000000" + "04000000" + "efcdab89", reply.hex());
                RawClient.Received written = client.write(2, 3, 1, 0x77);
                assertEquals("0300000000000000" + "02000000" + "01000000", written.hex());
                assertEquals(0x77, client.value(2, 3, 1));
                assertDone(client.write(0, 8, 8, 0x1122334455667788L));
                assertEquals(0x1122334455667788L, client.value(0, 8, 8));
                assertEquals(0x5566, client.value(0, 10, 2));
                assertEquals(0x55667788, (int) client.value(0, 8, 4));
                assertEquals("write 0 0x10 4 4", function.awaitCall("write"));
                assertEquals("write 2 0x3 1 1", function.nextCall());
                assertEquals("write 0 0x8 8 8", function.nextCall());
            }
        }

        @Test
        void longerThanTheRegionTakesAreSplit() throws Exception {
            try (RawClient client = client()) {
                RawClient.Received reply = client.read(7, 0, 4096);
                assertDone(reply);
                assertEquals(16 + 4096, reply.payload().length);
                assertEquals(0x11e81234, reply.fields().getInt(16));
                assertDone(client.write(0, 0x100, 20, 0x0807060504030201L));
                assertEquals("write 0 0x100 8 0", function.awaitCall("write"));
                assertEquals("write 0 0x108 8 0", function.nextCall());
                assertEquals("write 0 0x110 4 0", function.nextCall());
                assertEquals(0x13121110, (int) client.value(0, 0x110, 4));
            }
        }

        @Test
        void outsideARegionAreRefused() throws Exception {
            try (RawClient client = client()) {
                assertError(Errno.EINVAL, client.read(0, 0x1000, 1));
                assertError(Errno.EINVAL, client.read(0, 0xffe, 4));
                assertError(Errno.EINVAL, client.read(0, -4, 4));
                assertError(Errno.EINVAL, client.read(0, Long.MIN_VALUE, 4));
                assertError(Errno.EINVAL, client.read(0, 0, 0));
                assertError(Errno.EINVAL, client.read(0, 0, -1));
                assertError(Errno.EINVAL, client.read(0, 0, MIB + 1));
                assertError(Errno.EINVAL, client.read(1, 0, 4));
                assertError(Errno.EINVAL, client.read(6, 0, 4));
                assertError(Errno.EINVAL, client.read(8, 0, 4));
                assertError(Errno.EINVAL, client.read(9, 0, 4));
                assertError(Errno.EINVAL, client.read(-1, 0, 4));
                assertError(Errno.EINVAL, client.read(7, 4095, 2));
                assertError(Errno.EINVAL, client.write(2, 0x1d, 4, 0));
                assertError(
                        Errno.EINVAL,
                        client.request(10, RawClient.fields(18).putLong(0).putInt(0).putInt(4)));
                assertError(
                        Errno.EINVAL,
                        client.request(10, RawClient.fields(24).putLong(0).putInt(0).putInt(4)));
                client.post(0, 0x1000, 4, 1);
                assertEquals(0, client.value(0, 0, 4), "the client is still served");
                assertEquals("attach", function.nextCall());
                assertNull(function.calls.poll());
            }
        }

        @Test
        void thatFailAreAllOnes() throws Exception {
            function.onRead = (region, offset, data, width) -> CompletionStatus.TIMED_OUT;
            function.onWrite =
                    (region, offset, data, width) -> CompletionStatus.UNSUPPORTED_REQUEST;
            try (RawClient client = client()) {
                assertEquals(0xffffffffL, client.value(0, 0, 4));
                assertEquals(-1L, client.value(0, 0, 8));
                assertDone(client.write(7, 4, 2, 6));
            }
        }

        /** QEMU looks for the end of the list of capabilities in it, and all-ones have none. */
        @Test
        void ofTheWholeConfigurationSpaceAreRefusedWhenTheFunctionIsAbsent() throws Exception {
            function.onRead = (region, offset, data, width) -> CompletionStatus.TIMED_OUT;
            try (RawClient client = client()) {
                assertError(Errno.ETIMEDOUT, client.read(7, 0, 256));
                assertError(Errno.ETIMEDOUT, client.read(7, 0, 4096));
                assertEquals(0xffffffffL, client.value(7, 0, 4), "as a driver reads");
            }
        }

        @Test
        void ofPendingBitsReadZero() throws Exception {
            try (RawClient client = client()) {
                assertEquals(0, client.value(0, 0x800, 8));
                assertEquals(0, client.value(0, 0x804, 4));
                assertEquals(0x5a5a5a5a, (int) client.value(0, 0x7fc, 8) | 0x5a5a5a5a);
            }
        }

        @Test
        void thatThrowCostOneAnswerOnly() throws Exception {
            function.onRead =
                    (region, offset, data, width) -> {
                        if (offset == 4) {
                            throw new IllegalStateException("a bug of the device");
                        }
                        return null;
                    };
            try (RawClient client = client()) {
                assertError(Errno.EIO, client.read(0, 4, 4));
                assertEquals(0, client.value(0, 0, 4));
            }
        }

        @Test
        void arriveInPiecesAndInHeaps() throws Exception {
            try (RawClient client = client()) {
                byte[] message = RawClient.message(7, 9, 0, readFields(0, 0x20, 4));
                for (byte one : message) {
                    client.send(new byte[] {one});
                }
                assertEquals(7, client.receive().id());

                ByteBuffer heap = ByteBuffer.allocate(200_000);
                int posts = 0;
                while (heap.remaining() > 100) {
                    heap.put(
                            RawClient.message(
                                    posts, 10, 0x10, writeFields(0, 4L * (posts % 16), posts)));
                    posts++;
                }
                heap.put(RawClient.message(99, 9, 0, readFields(0, 0, 4)));
                client.send(java.util.Arrays.copyOf(heap.array(), heap.position()));
                RawClient.Received last = client.receive();
                assertEquals(99, last.id());
                assertEquals((long) (posts - 1) / 16 * 16, last.value());
            }
        }

        private static ByteBuffer readFields(int region, long offset, int count) {
            return RawClient.fields(16).putLong(offset).putInt(region).putInt(count);
        }

        private static ByteBuffer writeFields(int region, long offset, int value) {
            return RawClient.fields(20).putLong(offset).putInt(region).putInt(4).putInt(value);
        }
    }

    @Nested
    class Interrupts {
        @Test
        void msixVectorsAreSignalledOnceTheyHaveADescriptor() throws Exception {
            try (RawClient client = client();
                    EventFd first = EventFd.create();
                    EventFd third = EventFd.create()) {
                function.host.interrupt(1, InterruptKind.MSIX, 0);
                assertDone(client.events(2, 0, 1));
                assertDone(client.events(2, 0, 1, first));
                assertDone(client.events(2, 2, 1, third));
                assertEquals("ENABLE MSIX 0 1", function.awaitCall("ENABLE"));
                assertEquals("ENABLE MSIX 2 1", function.nextCall());
                function.host.interrupt(1, InterruptKind.MSIX, 2);
                function.host.interrupt(1, InterruptKind.MSIX, 1);
                function.host.interrupt(1, InterruptKind.MSIX, 3);
                function.host.interrupt(1, InterruptKind.MSIX, 4);
                assertEquals(0, first.drain());
                assertEquals(1, third.drain());
                assertDone(client.setInterrupts(0x21, 2, 0, 0));
                assertEquals("DISABLE MSIX 0 4", function.nextCall());
                function.host.interrupt(1, InterruptKind.MSIX, 2);
                assertEquals(0, third.drain());
            }
        }

        @Test
        void ofAnOlderGenerationAreDropped() throws Exception {
            try (RawClient client = client();
                    EventFd event = EventFd.create()) {
                client.events(2, 0, 1, event);
                function.generation.set(5);
                function.host.interrupt(4, InterruptKind.MSIX, 0);
                assertEquals(0, event.drain());
                function.host.interrupt(5, InterruptKind.MSIX, 0);
                assertEquals(1, event.drain());
            }
        }

        @Test
        void descriptorsAreReplacedAndTheOldOnesClosed() throws Exception {
            try (RawClient client = client();
                    EventFd event = EventFd.create();
                    EventFd other = EventFd.create()) {
                long before = openEvents();
                client.events(2, 0, 4, event, event, event, event);
                assertEquals(before + 4, openEvents());
                for (int round = 0; round < 20; round++) {
                    client.events(2, 0, 4, other, other, other, other);
                }
                assertEquals(before + 4, openEvents());
                function.host.interrupt(1, InterruptKind.MSIX, 3);
                assertEquals(0, event.drain());
                assertEquals(1, other.drain());
                client.events(2, 0, 4);
                assertEquals(before, openEvents());
            }
        }

        @Test
        void intxMasksAndUnmasksTravelToTheFunction() throws Exception {
            try (RawClient client = client();
                    EventFd event = EventFd.create()) {
                assertDone(client.events(0, 0, 1, event));
                assertEquals("ENABLE INTX 0 1", function.awaitCall("ENABLE"));
                function.host.interrupt(1, InterruptKind.INTX, 0);
                assertEquals(1, event.drain());
                assertDone(client.setInterrupts(0x11, 0, 0, 1));
                assertEquals("UNMASK INTX 0 1", function.nextCall());
                assertEquals(0, event.drain(), "only the function asserts again");
                assertDone(client.setInterrupts(0x09, 0, 0, 1));
                assertEquals("MASK INTX 0 1", function.nextCall());
                function.host.interrupt(1, InterruptKind.INTX, 0);
                assertEquals(0, event.drain());
                client.setInterrupts(0x11, 0, 0, 1);
                function.host.interrupt(1, InterruptKind.INTX, 0);
                assertEquals(1, event.drain());
            }
        }

        @Test
        void aResampleSignalIsAnUnmaskBehindTheWritesBeforeIt() throws Exception {
            try (RawClient client = client();
                    EventFd event = EventFd.create();
                    EventFd resample = EventFd.create()) {
                client.events(0, 0, 1, event);
                assertDone(client.setInterrupts(0x14, 0, 0, 1, resample));
                function.awaitCall("ENABLE");
                for (int round = 0; round < 1000; round++) {
                    client.post(0, 0, 4, round);
                    resample.signal();
                    assertEquals("write 0 0x0 4 4", function.nextCall());
                    assertEquals("UNMASK INTX 0 1", function.nextCall());
                }
            }
        }

        @Test
        void msiAndTriggersByMessage() throws Exception {
            try (RawClient client = client();
                    EventFd first = EventFd.create();
                    EventFd second = EventFd.create()) {
                assertDone(client.events(1, 0, 2, first, second));
                assertEquals("ENABLE MSI 0 2", function.awaitCall("ENABLE"));
                function.host.interrupt(1, InterruptKind.MSI, 1);
                assertEquals(1, second.drain());
                assertDone(client.setInterrupts(0x21, 1, 0, 2));
                assertEquals(1, first.drain());
                assertEquals(1, second.drain());
                assertDone(
                        client.request(
                                8,
                                RawClient.fields(22)
                                        .putInt(22)
                                        .putInt(0x22)
                                        .putInt(1)
                                        .putInt(0)
                                        .putInt(2)
                                        .put((byte) 0)
                                        .put((byte) 1)));
                assertEquals(0, first.drain());
                assertEquals(1, second.drain());
            }
        }

        @Test
        void aFatalErrorSignalsErrAndGoingAwaySignalsReq() throws Exception {
            try (RawClient client = client();
                    EventFd error = EventFd.create();
                    EventFd request = EventFd.create()) {
                client.events(3, 0, 1, error);
                client.events(4, 0, 1, request);
                function.host.event(new FunctionEvent.Error(false, "small"));
                assertEquals(0, error.drain());
                function.host.event(new FunctionEvent.Error(true, "large"));
                assertEquals(1, error.drain());
                function.host.event(new FunctionEvent.GoingAway("by itself"));
                assertEquals(1, request.drain());
                function.host.event(new FunctionEvent.PowerManagement());
                function.host.event(new FunctionEvent.Presence(false));
                function.host.event(new FunctionEvent.DescriptionChanged());
            }
        }

        @Test
        void badRequestsAreRefusedByName() throws Exception {
            try (RawClient client = client();
                    EventFd event = EventFd.create();
                    Descriptor memory = Memfd.create("farslot-test", 4096)) {
                long before = openEvents();
                assertError(Errno.EINVAL, client.events(5, 0, 1, event));
                assertError(Errno.EINVAL, client.events(2, 0, 5));
                assertError(Errno.EINVAL, client.events(2, 4, 1, event));
                assertError(Errno.EINVAL, client.events(2, -1, 2, event, event));
                assertError(Errno.EINVAL, client.events(2, 0, -1, event));
                assertError(Errno.EINVAL, client.events(2, 0, 2, event));
                assertError(Errno.EINVAL, client.events(2, 0, 1, event, event));
                assertError(Errno.EINVAL, client.setInterrupts(0x21, 2, 0, 1, event));
                assertError(Errno.EINVAL, client.setInterrupts(0x04, 2, 0, 1, event));
                assertError(Errno.EINVAL, client.setInterrupts(0x34, 2, 0, 1, event));
                assertError(Errno.EINVAL, client.setInterrupts(0x26, 2, 0, 1));
                assertError(Errno.EINVAL, client.setInterrupts(0x22, 2, 0, 4));
                assertError(Errno.EINVAL, client.setInterrupts(0x14, 2, 0, 1, event));
                assertError(Errno.EINVAL, client.setInterrupts(0x0c, 0, 0, 1, event));
                assertError(Errno.EINVAL, client.setInterrupts(0x11, 3, 0, 1));
                assertError(
                        Errno.EINVAL,
                        client.request(
                                8,
                                RawClient.fields(20)
                                        .putInt(20)
                                        .putInt(0x24)
                                        .putInt(2)
                                        .putInt(0)
                                        .putInt(1),
                                memory));
                assertEquals(before, openEvents(), "refused descriptors are closed");
                assertEquals("attach", function.nextCall());
                assertNull(function.calls.poll());
            }
        }
    }

    private static long openEvents() throws IOException {
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            return links.filter(VfioUserServerTest::isEvent).count();
        }
    }

    private static boolean isEvent(Path link) {
        try {
            return Files.readSymbolicLink(link).toString().equals("anon_inode:[eventfd]");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    @Nested
    class SharedMemory {
        @Test
        void isReachedWithoutMessages() throws Exception {
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(MIB)) {
                memory.segment().set(JAVA_LONG, 0x2008, 0x1122334455667788L);
                assertDone(client.map(0x10000, 0x4000, 3, 0x2000, memory.descriptor()));
                assertEquals("map 0x10000 0x4000 READ_WRITE near", function.awaitCall("map"));
                MemorySegment eight = arena.allocate(8);
                assertTrue(function.host.read(1, 0x10008, eight).isSuccess());
                assertEquals(0x1122334455667788L, eight.get(JAVA_LONG, 0));
                eight.set(JAVA_LONG, 0, 42);
                assertTrue(function.host.write(1, 0x13ff8, eight).isSuccess());
                assertEquals(42, memory.segment().get(JAVA_LONG, 0x5ff8));
                assertEquals(
                        42, function.host.near(1, 0x13ff8, 8, Direction.READ).get(JAVA_LONG, 0));
                assertTrue(function.host.servedWhileWaiting(0x10000, 8));
                assertFalse(client.hasMessage());
            }
        }

        @Test
        void isOutOfReachWhereItWasNotMappedOrTheOtherWay() throws Exception {
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(MIB)) {
                client.map(0x10000, 0x1000, 1, 0, memory.descriptor());
                client.map(0x20000, 0x1000, 2, 0x1000, memory.descriptor());
                MemorySegment eight = arena.allocate(8);
                assertTrue(function.host.read(1, 0x10000, eight).isSuccess());
                assertEquals(
                        CompletionStatus.COMPLETER_ABORT, function.host.write(1, 0x10000, eight));
                assertTrue(function.host.write(1, 0x20000, eight).isSuccess());
                assertEquals(
                        CompletionStatus.COMPLETER_ABORT, function.host.read(1, 0x20000, eight));
                assertEquals(
                        CompletionStatus.COMPLETER_ABORT, function.host.read(1, 0x10ffc, eight));
                assertEquals(
                        CompletionStatus.COMPLETER_ABORT, function.host.read(1, 0x5000, eight));
                function.generation.set(2);
                assertEquals(
                        CompletionStatus.STALE_GENERATION, function.host.read(1, 0x10000, eight));
                assertNull(function.host.near(1, 0x10000, 8, Direction.READ));
            }
        }

        @Test
        void isGivenBackByUnmapAndMayComeAgain() throws Exception {
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(MIB)) {
                MemorySegment eight = arena.allocate(8);
                int before = openDescriptors();
                for (int round = 0; round < 20; round++) {
                    assertDone(client.map(0x10000, 0x4000, 3, 0, memory.descriptor()));
                    assertDone(client.map(0x14000, 0x4000, 3, 0x4000, memory.descriptor()));
                    assertDone(client.map(0x14000, 0x4000, 3, 0x8000, memory.descriptor()));
                    RawClient.Received reply = client.unmap(0, 0x10000, 0x8000);
                    assertEquals(
                            "18000000" + "00000000" + "0000010000000000" + "0080000000000000",
                            reply.hex());
                    assertEquals("unmap 0x10000 0x8000", function.awaitCall("unmap"));
                    assertEquals(
                            CompletionStatus.COMPLETER_ABORT,
                            function.host.read(1, 0x10000, eight));
                }
                assertEquals(before, openDescriptors());
                client.map(0x10000, 0x4000, 3, 0, memory.descriptor());
                client.map(0x20000, 0x4000, 3, 0, memory.descriptor());
                assertDone(client.unmap(2, 0, 0));
                assertEquals("unmap 0x0 0x0", function.awaitCall("unmap"));
                assertEquals(before, openDescriptors());
                assertDone(client.unmap(2, 0, 0));
            }
        }

        @Test
        void badMapsAndUnmapsAreRefusedByName() throws Exception {
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(0x10000);
                    EventFd event = EventFd.create()) {
                int before = openDescriptors();
                Descriptor shared = memory.descriptor();
                assertError(Errno.EINVAL, client.map(0, 0x1000, 3, 0, event.descriptor()));
                assertError(Errno.EINVAL, client.map(0, 0x1000, 3, 0x10000, shared));
                assertError(Errno.EINVAL, client.map(0, 0x11000, 3, 0, shared));
                assertError(Errno.EINVAL, client.map(0, 0x1000, 3, -4096, shared));
                assertError(Errno.EINVAL, client.map(0, 0x1000, 3, 8, shared));
                assertError(Errno.EINVAL, client.map(0, 0, 3, 0, shared));
                assertError(Errno.EINVAL, client.map(-0x1000, 0x2000, 3, 0, shared));
                assertError(Errno.EINVAL, client.map(0, 0x1000, 0, 0, shared));
                assertError(Errno.EINVAL, client.map(0, 0x1000, 7, 0, shared));
                assertError(Errno.EINVAL, client.map(0, 0x1000, 3, 0, shared, shared));
                assertDone(client.map(0x4000, 0x4000, 3, 0, shared));
                assertError(Errno.EEXIST, client.map(0x6000, 0x4000, 3, 0, shared));
                assertError(Errno.EINVAL, client.unmap(0, 0x4000, 0x2000));
                assertError(Errno.EINVAL, client.unmap(0, 0x9000, 0x1000));
                assertError(Errno.EINVAL, client.unmap(0, 0x4000, 0));
                assertError(Errno.EINVAL, client.unmap(2, 0x4000, 0x4000));
                assertError(Errno.EINVAL, client.unmap(4, 0x4000, 0x4000));
                assertError(Errno.ENOTSUP, client.unmap(1, 0x4000, 0x4000));
                assertDone(client.unmap(0, 0x4000, 0x4000));
                assertEquals(before, openDescriptors(), "refused descriptors are closed");
            }
        }

        @Test
        void descriptorsBelongToTheMessageTheyCameWith() throws Exception {
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(MIB);
                    EventFd event = EventFd.create()) {
                // Posted writes, a map without and one with a descriptor, before any is read.
                for (int round = 0; round < 50; round++) {
                    long address = 0x1000000L + round * 0x10000L;
                    client.post(0, 0, 4, round);
                    client.sendCommand(2, 0x10, mapFields(address));
                    client.sendCommand(2, 0x10, mapFields(address + 0x4000), memory.descriptor());
                    client.post(0, 4, 4, round);
                    client.sendCommand(
                            8,
                            0x10,
                            RawClient.fields(20)
                                    .putInt(20)
                                    .putInt(0x24)
                                    .putInt(2)
                                    .putInt(1)
                                    .putInt(1),
                            event.descriptor());
                }
                assertEquals(49, client.value(0, 0, 4));
                for (int round = 0; round < 50; round++) {
                    assertTrue(function.awaitCall("map").endsWith("far"));
                    assertTrue(function.awaitCall("map").endsWith("near"));
                }
                function.host.interrupt(1, InterruptKind.MSIX, 1);
                assertEquals(1, event.drain());
            }
        }

        private static ByteBuffer mapFields(long address) {
            return RawClient.fields(32)
                    .putInt(32)
                    .putInt(3)
                    .putLong(0)
                    .putLong(address)
                    .putLong(0x4000);
        }

        @Test
        void descriptorsThatNoMessageTakesAreClosed() throws Exception {
            try (RawClient client = client();
                    EventFd event = EventFd.create()) {
                long before = openEvents();
                for (int round = 0; round < 10; round++) {
                    assertDone(
                            client.request(
                                    9,
                                    RawClient.fields(16).putLong(0).putInt(0).putInt(4),
                                    event.descriptor()));
                }
                assertDone(client.read(0, 0, 4));
                assertEquals(before, openEvents());
            }
        }

        @Test
        void thatTheGuestDoesNotUseIsRefused() throws Exception {
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(MIB)) {
                client.map(0, MIB, 3, 0, memory.descriptor());
                MemorySegment eight = arena.allocate(8);
                assertTrue(function.host.read(1, 0x1000, eight).isSuccess());
                client.write(7, 4, 2, 6);
                assertEquals(
                        CompletionStatus.COMPLETER_ABORT, function.host.read(1, 0x1000, eight));
            }
        }

        @Test
        void thatTheGuestUsesIsNot() throws Exception {
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(MIB)) {
                client.map(0, MIB, 3, 0, memory.descriptor());
                memory.segment().set(JAVA_BYTE, 0x410, (byte) 1);
                client.write(7, 4, 2, 6);
                assertTrue(function.host.read(1, 0x1000, arena.allocate(8)).isSuccess());
            }
        }

        @Test
        void thatIsCutShortFailsTheDmaAlone() throws Exception {
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(0x4000)) {
                client.map(0x10000, 0x4000, 3, 0, memory.descriptor());
                Memfd.resize(memory.descriptor(), 0);
                assertEquals(
                        CompletionStatus.COMPLETER_ABORT,
                        function.host.read(1, 0x10000, arena.allocate(64)));
                assertDone(client.read(0, 0, 4));
            }
        }
    }

    private static int openDescriptors() throws IOException {
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            return (int) links.filter(VfioUserServerTest::isMemory).count();
        }
    }

    private static boolean isMemory(Path link) {
        try {
            return Files.readSymbolicLink(link).toString().startsWith("/memfd:farslot-test");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    @Nested
    class MemoryThatIsNotShared {
        private FutureTask<CompletionStatus> dma(
                java.util.concurrent.Callable<CompletionStatus> call) {
            FutureTask<CompletionStatus> task = new FutureTask<>(call);
            Thread.ofPlatform().daemon().name("device").start(task);
            return task;
        }

        @Test
        void isReadAndWrittenByMessages() throws Exception {
            try (RawClient client = client()) {
                assertDone(client.map(0x10000, 0x10000, 3, 0));
                assertEquals("map 0x10000 0x10000 READ_WRITE far", function.awaitCall("map"));
                assertFalse(function.host.servedWhileWaiting(0x10000, 8));
                assertNull(function.host.near(1, 0x10000, 8, Direction.READ));

                MemorySegment four = Arena.global().allocate(4);
                FutureTask<CompletionStatus> read = dma(() -> function.host.read(1, 0x10010, four));
                RawClient.Received request = client.receive();
                assertEquals(11, request.command());
                assertEquals(0, request.flags());
                assertEquals("1000010000000000" + "0400000000000000", request.hex());
                client.answerDma(request, new byte[] {1, 2, 3, 4});
                assertEquals(CompletionStatus.SUCCESS, read.get());
                assertArrayEquals(new byte[] {1, 2, 3, 4}, FakeFunction.bytes(four));

                FutureTask<CompletionStatus> write =
                        dma(() -> function.host.write(1, 0x10020, four));
                request = client.receive();
                assertEquals(12, request.command());
                assertEquals("2000010000000000" + "0400000000000000" + "01020304", request.hex());
                client.answerDma(request, new byte[0]);
                assertEquals(CompletionStatus.SUCCESS, write.get());
            }
        }

        @Test
        void isReachedInPiecesThatQemuCanAnswer() throws Exception {
            byte[] data = new byte[300_000];
            new Random(2).nextBytes(data);
            try (RawClient client = client()) {
                client.map(0, MIB, 3, 0);
                MemorySegment into = Arena.global().allocate(data.length);
                List<FutureTask<CompletionStatus>> readers =
                        List.of(
                                dma(() -> function.host.read(1, 0, into.asSlice(0, 100_000))),
                                dma(() ->
                                        function.host.read(
                                                1, 100_000, into.asSlice(100_000, 100_000))),
                                dma(() ->
                                        function.host.read(
                                                1, 200_000, into.asSlice(200_000, 100_000))));
                int outstanding = 0;
                int most = 0;
                List<RawClient.Received> waiting = new java.util.ArrayList<>();
                for (int answered = 0; answered < data.length; ) {
                    RawClient.Received request = client.receive();
                    waiting.add(request);
                    outstanding += (int) request.fields().getLong(8);
                    assertTrue(request.fields().getLong(8) <= 0x10000);
                    while (client.hasMessage()) {
                        RawClient.Received another = client.receive();
                        waiting.add(another);
                        outstanding += (int) another.fields().getLong(8);
                    }
                    most = Math.max(most, outstanding);
                    RawClient.Received oldest = waiting.removeFirst();
                    int from = (int) oldest.fields().getLong(0);
                    int length = (int) oldest.fields().getLong(8);
                    client.answerDma(
                            oldest, java.util.Arrays.copyOfRange(data, from, from + length));
                    answered += length;
                    outstanding -= length;
                    while (!waiting.isEmpty() && answered < data.length) {
                        oldest = waiting.removeFirst();
                        from = (int) oldest.fields().getLong(0);
                        length = (int) oldest.fields().getLong(8);
                        client.answerDma(
                                oldest, java.util.Arrays.copyOfRange(data, from, from + length));
                        answered += length;
                        outstanding -= length;
                    }
                }
                for (FutureTask<CompletionStatus> reader : readers) {
                    assertEquals(CompletionStatus.SUCCESS, reader.get());
                }
                assertTrue(most < 0x20000, "outstanding " + most);
                assertArrayEquals(data, FakeFunction.bytes(into));
            }
        }

        @Test
        void waitsUntilTheClientHasItsAnswer() throws Exception {
            CountDownLatch inHandler = new CountDownLatch(1);
            CountDownLatch leave = new CountDownLatch(1);
            function.onRead =
                    (region, offset, data, width) -> {
                        if (region == 0) {
                            inHandler.countDown();
                            await(leave);
                        }
                        return null;
                    };
            try (RawClient client = client()) {
                client.map(0, MIB, 3, 0);
                MemorySegment four = Arena.global().allocate(4);
                int id =
                        client.sendCommand(
                                9, 0, RawClient.fields(16).putLong(0).putInt(0).putInt(4));
                inHandler.await();
                FutureTask<CompletionStatus> read = dma(() -> function.host.read(1, 0, four));
                // The device gets no further until the answer is out; only then DMA is asked for.
                awaitThreads(
                        thread ->
                                thread.getName().equals("device")
                                        && thread.getState() == Thread.State.TIMED_WAITING,
                        1);
                assertFalse(client.hasMessage());
                leave.countDown();
                RawClient.Received reply = client.receive();
                assertEquals(id, reply.id());
                assertEquals(9, reply.command());
                RawClient.Received request = client.receive();
                assertEquals(11, request.command());
                client.answerDma(request, new byte[4]);
                assertEquals(CompletionStatus.SUCCESS, read.get());
            }
        }

        @Test
        void isRefusedByNameWithinAnAccessThatIsWaitedFor() throws Exception {
            LinkedBlockingQueue<CompletionStatus> seen = new LinkedBlockingQueue<>();
            MemorySegment four = Arena.global().allocate(4);
            function.onRead =
                    (region, offset, data, width) -> {
                        if (region == 0) {
                            seen.add(function.host.read(1, 0, four));
                        }
                        return null;
                    };
            try (RawClient client = client()) {
                client.map(0, MIB, 3, 0);
                assertDone(client.read(0, 0, 4));
                assertEquals(CompletionStatus.COMPLETER_ABORT, seen.take());
            }
        }

        @Test
        void worksWithinAPostedWriteAndIsRefusedWhenAReadWaitsBehindIt() throws Exception {
            LinkedBlockingQueue<CompletionStatus> seen = new LinkedBlockingQueue<>();
            MemorySegment four = Arena.global().allocate(4);
            function.onWrite =
                    (region, offset, data, width) -> {
                        seen.add(function.host.read(1, 0, four));
                        return null;
                    };
            try (RawClient client = client()) {
                client.map(0, MIB, 3, 0);
                client.post(0, 0, 4, 1);
                RawClient.Received request = client.receive();
                client.answerDma(request, new byte[] {7, 7, 7, 7});
                assertEquals(CompletionStatus.SUCCESS, seen.take());
                assertEquals(7, four.get(JAVA_BYTE, 3));

                client.post(0, 0, 4, 2);
                request = client.receive();
                assertEquals(11, request.command());
                int id =
                        client.sendCommand(
                                9, 0, RawClient.fields(16).putLong(0).putInt(0).putInt(4));
                RawClient.Received reply = client.receive();
                assertEquals(id, reply.id());
                assertEquals(2, reply.value());
                assertEquals(CompletionStatus.COMPLETER_ABORT, seen.take());
                // What QEMU would answer only now is dropped.
                client.answerDma(request, new byte[4]);
                assertDone(client.read(0, 0, 4));
            }
        }

        @Test
        void isServedWhileTheFunctionIsBusyWithPostedWrites() throws Exception {
            CountDownLatch dmaDone = new CountDownLatch(1);
            MemorySegment four = Arena.global().allocate(4);
            try (RawClient client = client()) {
                client.map(0, MIB, 3, 0);
                function.onWrite =
                        (region, offset, data, width) -> {
                            await(dmaDone);
                            return null;
                        };
                client.post(0, 0, 4, 1);
                FutureTask<CompletionStatus> read =
                        dma(() -> {
                            CompletionStatus status = function.host.read(1, 0, four);
                            dmaDone.countDown();
                            return status;
                        });
                client.answerDma(client.receive(), new byte[4]);
                assertEquals(CompletionStatus.SUCCESS, read.get());
                assertEquals(1, client.value(0, 0, 4));
            }
        }

        @Test
        void answersThatAreNotWhatWasAskedForFailTheDma() throws Exception {
            MemorySegment eight = Arena.global().allocate(8);
            try (RawClient client = client()) {
                client.map(0, MIB, 3, 0);
                FutureTask<CompletionStatus> shorter = dma(() -> function.host.read(1, 0, eight));
                client.answerDma(client.receive(), new byte[4]);
                assertEquals(CompletionStatus.COMPLETER_ABORT, shorter.get());

                FutureTask<CompletionStatus> error = dma(() -> function.host.read(1, 0, eight));
                RawClient.Received request = client.receive();
                client.send(RawClient.message(request.id(), 11, 0x21, RawClient.fields(0)));
                assertEquals(CompletionStatus.COMPLETER_ABORT, error.get());

                FutureTask<CompletionStatus> other = dma(() -> function.host.write(1, 0, eight));
                request = client.receive();
                client.send(RawClient.message(request.id(), 11, 1, RawClient.fields(24)));
                assertEquals(CompletionStatus.COMPLETER_ABORT, other.get());

                client.send(RawClient.message(0x7777, 12, 1, RawClient.fields(16)));
                assertDone(client.read(0, 0, 4));
            }
        }

        @Test
        void isAbortedByUnmapResetAndTheClientsEnd() throws Exception {
            MemorySegment eight = Arena.global().allocate(8);
            try (RawClient client = client()) {
                client.map(0, MIB, 3, 0);
                FutureTask<CompletionStatus> unmapped = dma(() -> function.host.read(1, 0, eight));
                client.receive();
                client.unmap(0, 0, MIB);
                assertEquals(CompletionStatus.COMPLETER_ABORT, unmapped.get());

                client.map(0, MIB, 3, 0);
                FutureTask<CompletionStatus> reset = dma(() -> function.host.read(1, 0, eight));
                client.receive();
                assertDone(client.request(13, RawClient.fields(0)));
                assertFalse(reset.get().isSuccess());

                FutureTask<CompletionStatus> left = dma(() -> function.host.read(2, 0, eight));
                client.receive();
                client.leave();
                assertFalse(left.get().isSuccess());
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    @Nested
    class Clients {
        @Test
        void aSecondOneIsRefusedAtOnce() throws Exception {
            try (RawClient first = client()) {
                try (RawClient second = RawClient.connect(server.socket())) {
                    assertNull(second.receive());
                }
                assertDone(first.read(0, 0, 4));
                assertTrue(server.hasClient());
            }
        }

        @Test
        void aSecondOneIsRefusedAtOnceWhileTheFunctionIsBusy() throws Exception {
            CountDownLatch leave = new CountDownLatch(1);
            function.onWrite =
                    (region, offset, data, width) -> {
                        await(leave);
                        return null;
                    };
            try (RawClient first = client();
                    RawClient second = refusedWhileBusy(first)) {
                assertNull(second.receive());
                leave.countDown();
                assertDone(first.read(0, 0, 4));
            }
        }

        private RawClient refusedWhileBusy(RawClient first) throws IOException {
            first.post(0, 0, 4, 1);
            return RawClient.connect(server.socket());
        }

        @Test
        void leaveNothingBehind() throws Exception {
            long events = openEvents();
            int memories = openDescriptors();
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(MIB);
                    EventFd event = EventFd.create();
                    EventFd resample = EventFd.create()) {
                client.map(0x10000, 0x4000, 3, 0, memory.descriptor());
                client.events(2, 0, 2, event, event);
                client.events(0, 0, 1, event);
                client.setInterrupts(0x14, 0, 0, 1, resample);
            }
            assertEquals("it has left.", gone.poll(60, TimeUnit.SECONDS));
            assertEquals("reset COLD", function.awaitCall("reset"));
            assertEquals("unmap 0x0 0x0", function.nextCall());
            assertEquals("detach", function.nextCall());
            assertNull(function.host);
            assertEquals(memories, openDescriptors());
            // The thread that waits for resample signals closes its own two.
            while (openEvents() != events) {
                Thread.onSpinWait();
            }
        }

        @Test
        void thatNeverSpokeAreNotHeardOfAndDoNotReachTheFunction() throws Exception {
            try (RawClient probe = RawClient.connect(server.socket())) {
                assertFalse(probe.hasMessage());
            }
            awaitNoClient();
            assertNull(gone.poll());
            assertNull(function.calls.poll());
        }

        @Test
        void thatStaySilentMakeRoom() throws Exception {
            server.silenceNanos(0);
            try (RawClient silent = RawClient.connect(server.socket());
                    RawClient next = client()) {
                assertDone(next.read(0, 0, 4));
                assertNull(silent.receive());
            }
        }

        @Test
        void mayBeTheLastOne() throws Exception {
            Path second = folder.resolve("second");
            java.util.concurrent.CompletableFuture<VfioUserServer> own =
                    new java.util.concurrent.CompletableFuture<>();
            CountDownLatch closed = new CountDownLatch(1);
            own.complete(
                    VfioUserServer.start(
                            function,
                            second,
                            new VfioUserServer.ClientListener() {
                                @Override
                                public void clientGone(PeerCredentials peer, String why) {
                                    own.join().close();
                                    closed.countDown();
                                }
                            }));
            RawClient.start(second).close();
            await(closed);
            assertFalse(Files.exists(second));
        }

        @Test
        void comeOneAfterAnother() throws Exception {
            for (int round = 0; round < 30; round++) {
                try (RawClient client = client()) {
                    client.post(0, 0, 4, round);
                    assertEquals(round, client.value(0, 0, 4));
                }
            }
            for (int round = 0; round < 30; round++) {
                assertNotNull(gone.poll(60, TimeUnit.SECONDS));
            }
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 15, 1_048_609, Integer.MAX_VALUE, -1})
        void areEndedByFramesWhoseSizeIsNonsense(int size) throws Exception {
            try (RawClient client = client()) {
                client.send(
                        RawClient.fields(16)
                                .putShort((short) 1)
                                .putShort((short) 9)
                                .putInt(size)
                                .array());
                assertNull(client.receive());
            }
            String why = gone.poll(60, TimeUnit.SECONDS);
            assertTrue(why.contains("frame"), why);
            try (RawClient next = client()) {
                assertDone(next.read(0, 0, 4));
            }
        }

        @Test
        void thatEndWithinAMessageAreGone() throws Exception {
            try (RawClient client = client()) {
                client.send(new byte[] {1, 0, 9, 0});
            }
            assertTrue(gone.poll(60, TimeUnit.SECONDS).contains("within a message"));
        }

        @Test
        void areAnsweredByErrorsForWhatIsNotSupported() throws Exception {
            try (RawClient client = client()) {
                for (int command : new int[] {0, 6, 14, 15, 16, 17, 0xffff}) {
                    assertError(Errno.ENOTSUP, client.request(command, RawClient.fields(8)));
                }
                assertError(Errno.EINVAL, client.request(11, RawClient.fields(16)));
                assertError(Errno.EINVAL, client.request(12, RawClient.fields(16)));
                client.sendCommand(9, 2, RawClient.fields(16));
                client.sendCommand(99, 0x10, RawClient.fields(16));
                assertDone(client.read(0, 0, 4));
            }
        }

        @Test
        void thatSendRubbishCannotHarmTheNext() throws Exception {
            boolean full = "full".equals(System.getProperty("farslot.rounds"));
            Random random = new Random(3);
            for (int round = 0; round < (full ? 5000 : 200); round++) {
                try (RawClient client = client()) {
                    for (int message = 0; message < 20; message++) {
                        byte[] payload = new byte[random.nextInt(64)];
                        random.nextBytes(payload);
                        if (payload.length > 4 && random.nextBoolean()) {
                            payload[0] = (byte) payload.length;
                            payload[1] = 0;
                            payload[2] = 0;
                            payload[3] = 0;
                        }
                        client.send(
                                RawClient.message(
                                        message,
                                        random.nextInt(18),
                                        random.nextInt(0x40),
                                        ByteBuffer.wrap(payload)));
                    }
                }
            }
            awaitNoClient();
            try (RawClient client = client()) {
                assertDone(client.read(0, 0, 4));
            }
        }

        @Test
        void closingTheServerEndsThem() throws Exception {
            try (RawClient client = client()) {
                server.close();
                assertNull(client.receive());
                assertFalse(Files.exists(server.socket()));
                assertThrows(IOException.class, () -> RawClient.connect(server.socket()));
            }
        }
    }

    /** The function is given its time; what is asserted is that the answer is there, and right. */
    @Nested
    class AFunctionThatDoesNotComeBack {
        @Test
        void isAnsweredForAndItsLateAnswerIsDropped() throws Exception {
            CountDownLatch leave = new CountDownLatch(1);
            function.memory(0).set(Messages.U32, 0x10, 77);
            function.onRead =
                    (region, offset, data, width) -> {
                        if (region == 0 && offset == 0) {
                            await(leave);
                        }
                        return null;
                    };
            try (RawClient client = client();
                    MappedMemory memory = sharedMemory(MIB)) {
                assertEquals(0xffffffffL, client.value(0, 0, 4));
                client.post(0, 0x20, 4, 5);
                assertDone(client.map(0x10000, 0x1000, 3, 0, memory.descriptor()));
                // Nobody waits for it again.
                assertEquals(0xffffffffL, client.value(0, 0x10, 4));
                assertDone(client.write(7, 0x60, 4, 1));
                leave.countDown();
                assertEquals("map 0x10000 0x1000 READ_WRITE near", function.awaitCall("map"));
                long value = client.value(0, 0x10, 4);
                while (value == 0xffffffffL) {
                    value = client.value(0, 0x10, 4);
                }
                assertEquals(77, value, "no late answer of an earlier read");
                assertEquals(5, client.value(0, 0x20, 4), "posted writes were kept in order");
                assertFalse(client.hasMessage());
            }
        }

        @Test
        void inAPostedWriteDelaysTheNextReadOnly() throws Exception {
            CountDownLatch leave = new CountDownLatch(1);
            function.onWrite =
                    (region, offset, data, width) -> {
                        if (offset == 0) {
                            await(leave);
                        }
                        return null;
                    };
            try (RawClient client = client()) {
                client.post(0, 0, 4, 1);
                client.post(0, 4, 4, 2);
                int id =
                        client.sendCommand(
                                9, 0, RawClient.fields(16).putLong(4).putInt(0).putInt(4));
                awaitThreads(thread -> thread.getName().equals("vfio-user s"), 2);
                assertFalse(client.hasMessage());
                leave.countDown();
                RawClient.Received reply = client.receive();
                assertEquals(id, reply.id());
                assertEquals(2, reply.value());
            }
        }
    }

    @Test
    void givesQemusArgument() {
        assertEquals(
                "{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\",\"path\":\""
                        + server.socket()
                        + "\"}}",
                server.qemuDevice());
        assertEquals(
                "{\"driver\":\"vfio-user-pci\",\"id\":\"n0\",\"socket\":{\"type\":\"unix\","
                        + "\"path\":\"/a \\\"b\\\"\"}}",
                QemuDevice.argument(Path.of("/a \"b\""), Map.of("id", "n0")));
        assertEquals(
                "-device '{\"driver\":\"vfio-user-pci\",\"socket\":{\"type\":\"unix\","
                        + "\"path\":\"/it'\\''s\"}}'",
                QemuDevice.shellWords(QemuDevice.argument(Path.of("/it's"))));
    }

    private static void awaitThreads(Predicate<Thread> which, long count) {
        while (Thread.getAllStackTraces().keySet().stream().filter(which).count() < count) {
            Thread.onSpinWait();
        }
    }

    private void awaitNoClient() {
        while (server.hasClient()) {
            Thread.onSpinWait();
        }
    }
}
