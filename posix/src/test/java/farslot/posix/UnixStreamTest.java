package farslot.posix;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.BindException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class UnixStreamTest {
    @TempDir Path folder;
    private final Arena arena = Arena.ofAuto();
    private OpenDescriptors open;

    @BeforeEach
    void remember() {
        open = new OpenDescriptors();
    }

    @AfterEach
    void nothingStaysOpen() {
        open.close();
    }

    @Test
    void carriesBytesBothWaysAndKnowsThePeer() throws IOException {
        Path path = folder.resolve("s");
        try (UnixListener listener = UnixListener.listen(path);
                UnixStream client = UnixStream.connect(path);
                UnixStream server = listener.accept()) {
            client.write(bytes(1, 2, 3));
            MemorySegment three = arena.allocate(3);
            assertTrue(server.readFully(three));
            assertArrayEquals(new byte[] {1, 2, 3}, three.toArray(JAVA_BYTE));

            server.write(ByteBuffer.wrap(new byte[] {4, 5}));
            ByteBuffer two = ByteBuffer.allocate(2);
            assertTrue(client.readFully(two));
            assertArrayEquals(new byte[] {4, 5}, two.array());

            assertEquals(ProcessHandle.current().pid(), server.peer().pid());
            assertEquals(Files.getAttribute(folder, "unix:uid"), server.peer().uid());
            assertEquals(Files.getAttribute(folder, "unix:gid"), server.peer().gid());
        }
    }

    @Test
    void movesMoreThanTheKernelBuffersInOnePiece() throws Exception {
        byte[] sent = new byte[3_000_001];
        new Random(1).nextBytes(sent);
        try (UnixStream.Pair pair = UnixStream.pair()) {
            FutureTask<Void> writer =
                    begin(() -> {
                        pair.first().write(arena.allocateFrom(JAVA_BYTE, sent));
                        pair.first().write(ByteBuffer.wrap(sent));
                        return null;
                    });
            MemorySegment received = arena.allocate(sent.length);
            assertTrue(pair.second().readFully(received));
            assertArrayEquals(sent, received.toArray(JAVA_BYTE));
            ByteBuffer direct = ByteBuffer.allocateDirect(sent.length - 5);
            assertTrue(pair.second().readFully(direct));
            assertFalse(direct.hasRemaining());
            ByteBuffer rest = ByteBuffer.allocate(5);
            assertTrue(pair.second().readFully(rest));
            assertEquals(sent[sent.length - 1], rest.get(4));
            writer.get();
        }
    }

    @Test
    void passesDescriptorsWithTheFirstByte() throws IOException {
        try (UnixStream.Pair pair = UnixStream.pair();
                EventFd event = EventFd.create();
                MappedMemory memory = MappedMemory.create("farslot-test", 4096);
                ReceivedDescriptors received = new ReceivedDescriptors()) {
            pair.first().write(bytes(9));
            pair.first()
                    .write(
                            bytes(1, 2, 3, 4),
                            memory.descriptor().number(),
                            event.descriptor().number());

            MemorySegment one = arena.allocate(1);
            assertTrue(pair.second().readFully(one, received));
            assertEquals(0, received.count());
            MemorySegment four = arena.allocate(4);
            assertTrue(pair.second().readFully(four, received));
            assertEquals(2, received.count());

            try (MappedMemory same =
                            MappedMemory.map(
                                    received.take(), 0, 4096, MappedMemory.Protection.READ_WRITE);
                    EventFd sameEvent = EventFd.own(received.take())) {
                same.segment().set(JAVA_INT, 8, 0x1234);
                assertEquals(0x1234, memory.segment().get(JAVA_INT, 8));
                sameEvent.signal();
                assertEquals(1, event.drain());
            }
            assertNull(received.take());
        }
    }

    @Test
    void passesAsManyDescriptorsAsTheKernelAllows() throws IOException {
        try (UnixStream.Pair pair = UnixStream.pair();
                EventFd event = EventFd.create();
                ReceivedDescriptors received = new ReceivedDescriptors()) {
            int[] numbers = new int[ReceivedDescriptors.MAX];
            java.util.Arrays.fill(numbers, event.descriptor().number());
            pair.first().write(bytes(1), numbers);
            assertTrue(pair.second().readFully(arena.allocate(1), received));
            assertEquals(ReceivedDescriptors.MAX, received.count());
            assertThrows(
                    IllegalArgumentException.class,
                    () -> pair.first().write(bytes(1), new int[ReceivedDescriptors.MAX + 1]));
        }
    }

    @Test
    void descriptorsThatNobodyWantsAreClosedByTheKernel() throws IOException {
        try (UnixStream.Pair pair = UnixStream.pair();
                EventFd event = EventFd.create()) {
            pair.first().write(bytes(1), event.descriptor().number());
            assertTrue(pair.second().readFully(arena.allocate(1)));
        }
    }

    @Test
    void readsToAPartOfASegmentAndWritesItsFirstBytes() throws IOException {
        try (UnixStream.Pair pair = UnixStream.pair();
                ReceivedDescriptors received = new ReceivedDescriptors()) {
            pair.first().writeFirst(bytes(1, 2, 3), 2);
            MemorySegment five = arena.allocate(5);
            assertEquals(2, pair.second().read(five, 1, 4, received));
            assertArrayEquals(new byte[] {0, 1, 2, 0, 0}, five.toArray(JAVA_BYTE));
            assertThrows(
                    IndexOutOfBoundsException.class,
                    () -> pair.second().read(five, 2, 4, received));
            assertFalse(pair.second().isPeerGone());
            pair.first().close();
            assertTrue(pair.second().isPeerGone());
        }
    }

    @Test
    void tellsACleanEndFromAnEndWithinAMessage() throws IOException {
        try (UnixStream.Pair pair = UnixStream.pair()) {
            pair.first().write(bytes(1, 2));
            pair.first().close();
            assertThrows(EOFException.class, () -> pair.second().readFully(arena.allocate(3)));
            assertFalse(pair.second().readFully(arena.allocate(3)));
            assertFalse(pair.second().readFully(ByteBuffer.allocate(3)));
            assertEquals(-1, pair.second().read(arena.allocate(3)));
            PosixException gone =
                    assertThrows(PosixException.class, () -> pair.second().write(bytes(1)));
            assertTrue(gone.isPeerGone());
        }
    }

    /** Of the kernel's own the other side gets ECONNRESET then, which QEMU takes for its death. */
    @Test
    void thePeerReadsTheEndThoughNobodyReadWhatItHadSent() throws IOException {
        try (UnixStream.Pair pair = UnixStream.pair()) {
            try (Descriptor passed = Memfd.create("unread", 4096)) {
                pair.first().write(arena.allocate(100_000), passed.number());
            }
            pair.second().write(bytes(7));
            pair.second().close();
            MemorySegment one = arena.allocate(1);
            assertEquals(1, pair.first().read(one));
            assertEquals(-1, pair.first().read(one));
        }
    }

    @Test
    void shutdownWakesABlockedReader() throws Exception {
        try (UnixStream.Pair pair = UnixStream.pair()) {
            FutureTask<Boolean> reader = begin(() -> pair.second().readFully(arena.allocate(1)));
            pair.second().shutdown();
            assertFalse(reader.get());
        }
    }

    @Test
    void closeWakesABlockedReaderAndAWriter() throws Exception {
        try (UnixStream.Pair pair = UnixStream.pair()) {
            FutureTask<Integer> reader = begin(() -> pair.second().read(arena.allocate(1)));
            FutureTask<Void> writer =
                    begin(() -> {
                        while (true) {
                            pair.second().write(arena.allocate(100_000));
                        }
                    });
            pair.second().close();
            // Whether the reader was in time for the end or found the stream closed is chance.
            try {
                assertEquals(-1, reader.get());
            } catch (ExecutionException closed) {
                assertInstanceOf(IOException.class, closed.getCause());
            }
            ExecutionException ended = assertThrows(ExecutionException.class, writer::get);
            assertInstanceOf(IOException.class, ended.getCause());
        }
    }

    @Test
    void readsTimeOut() throws IOException {
        try (UnixStream.Pair pair = UnixStream.pair()) {
            pair.first().readTimeoutMillis(20);
            assertThrows(
                    SocketTimeoutException.class, () -> pair.first().readFully(arena.allocate(1)));
            assertFalse(pair.first().awaitReadable(1));
            pair.second().write(bytes(1));
            assertTrue(pair.first().awaitReadable(-1));
            assertTrue(pair.first().readFully(arena.allocate(1)));
        }
    }

    @Test
    void writesTimeOutWhereNobodyReads() throws IOException {
        try (UnixStream.Pair pair = UnixStream.pair()) {
            pair.first().bufferBytes(8192);
            pair.first().writeTimeoutMillis(20);
            assertThrows(
                    SocketTimeoutException.class,
                    () -> pair.first().write(arena.allocate(10_000_000)));
        }
    }

    @Test
    void closingAListenerWakesItAndDeletesItsFile() throws Exception {
        Path path = folder.resolve("s");
        UnixListener listener = UnixListener.listen(path);
        FutureTask<UnixStream> acceptor = begin(listener::accept);
        assertTrue(Files.exists(path));
        listener.close();
        assertNull(acceptor.get());
        assertFalse(Files.exists(path));
        listener.close();
        assertNull(listener.accept());
    }

    @Test
    void aSocketIsForItsOwnerAlone() throws IOException {
        try (UnixListener listener = UnixListener.listen(folder.resolve("s"))) {
            assertEquals(
                    "[OWNER_READ, OWNER_WRITE]",
                    new java.util.TreeSet<>(Files.getPosixFilePermissions(listener.path()))
                            .toString());
        }
    }

    @Test
    void aDeadSocketIsReplacedALivingOneAndAFileAreNot() throws IOException {
        Path path = folder.resolve("s");
        try (Descriptor dead = UnixStream.newSocket();
                Arena confined = Arena.ofConfined()) {
            assertEquals(
                    0, Libc.bind(dead.number(), UnixAddress.of(path, confined), UnixAddress.BYTES));
        }
        try (UnixListener listener = UnixListener.listen(path)) {
            BindException living =
                    assertThrows(BindException.class, () -> UnixListener.listen(path));
            assertTrue(living.getMessage().contains("listens at"), living.getMessage());
            assertEquals(path, listener.path());
        }
        Files.writeString(path, "precious");
        BindException file = assertThrows(BindException.class, () -> UnixListener.listen(path));
        assertTrue(file.getMessage().contains("in the way"), file.getMessage());
        assertEquals("precious", Files.readString(path));
    }

    @Test
    void refusesBadPathsInASentence() {
        IOException longPath =
                assertThrows(
                        IOException.class,
                        () -> UnixStream.connect(folder.resolve("x".repeat(108))));
        assertTrue(longPath.getMessage().contains("107"), longPath.getMessage());
        PosixException nobody =
                assertThrows(
                        PosixException.class, () -> UnixStream.connect(folder.resolve("none")));
        assertTrue(nobody.isNobodyThere());
        assertTrue(nobody.getMessage().contains("No such file"), nobody.getMessage());
    }

    @Test
    void manyConnectionsLeaveNothingBehind() throws IOException {
        Path path = folder.resolve("s");
        try (UnixListener listener = UnixListener.listen(path)) {
            for (int round = 0; round < 300; round++) {
                try (UnixStream client = UnixStream.connect(path);
                        UnixStream server = listener.accept()) {
                    client.write(bytes(round), client.descriptor().number());
                    try (ReceivedDescriptors received = new ReceivedDescriptors()) {
                        server.readFully(arena.allocate(1), received);
                    }
                }
            }
        }
    }

    private MemorySegment bytes(int... values) {
        MemorySegment segment = arena.allocate(values.length);
        for (int index = 0; index < values.length; index++) {
            segment.set(JAVA_BYTE, index, (byte) values[index]);
        }
        return segment;
    }

    /** Runs a call on a thread of its own and returns when that thread is about to make it. */
    private static <T> FutureTask<T> begin(Callable<T> call) throws InterruptedException {
        CountDownLatch started = new CountDownLatch(1);
        FutureTask<T> task =
                new FutureTask<>(() -> {
                    started.countDown();
                    return call.call();
                });
        Thread.ofPlatform().daemon().name("blocked-call").start(task);
        started.await();
        return task;
    }
}
