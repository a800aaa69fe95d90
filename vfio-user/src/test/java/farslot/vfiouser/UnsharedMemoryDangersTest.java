package farslot.vfiouser;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.InterruptKind;
import farslot.posix.EventFd;
import farslot.posix.MappedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What can go wrong where an emulator shares no memory, or not all (docs/dangers.md). */
@Timeout(120)
class UnsharedMemoryDangersTest {
    private static final int MIB = 1 << 20;
    private static final int DMA_READ = 11;
    private static final int DMA_WRITE = 12;

    @TempDir Path folder;
    private final FakeFunction function = new FakeFunction();
    private VfioUserServer server;

    @BeforeEach
    void startServer() throws IOException {
        server =
                VfioUserServer.start(
                        function, folder.resolve("s"), VfioUserServer.ClientListener.NONE);
    }

    @AfterEach
    void closeServer() {
        server.close();
    }

    private static FutureTask<CompletionStatus> dma(Callable<CompletionStatus> call) {
        FutureTask<CompletionStatus> task = new FutureTask<>(call);
        Thread.ofPlatform().daemon().name("device").start(task);
        return task;
    }

    private static MemorySegment memory(int bytes) {
        return Arena.ofAuto().allocate(bytes, 8);
    }

    @Test
    void shouldSignalOnlyWhenTheDmaBeforeItIsAnswered() throws Exception {
        try (RawClient client = RawClient.start(server.socket());
                EventFd event = EventFd.create()) {
            client.map(0, MIB, 3, 0);
            client.events(2, 0, 1, event);
            for (int round = 0; round < 50; round++) {
                FutureTask<CompletionStatus> device =
                        dma(() -> {
                            CompletionStatus status = function.host.write(1, 0x1000, memory(64));
                            function.host.interrupt(1, InterruptKind.MSIX, 0);
                            return status;
                        });
                RawClient.Received write = client.receive();
                assertEquals(DMA_WRITE, write.command());
                // However long the client takes: an eventfd has no order with the socket.
                assertEquals(1, client.request(9, accessFields()).flags());
                assertEquals(0, event.drain());
                client.answerDma(write, new byte[0]);
                assertEquals(CompletionStatus.SUCCESS, device.get());
                assertEquals(1, event.drain());
            }
        }
    }

    private static ByteBuffer accessFields() {
        return RawClient.fields(16).putLong(0).putInt(0).putInt(4);
    }

    @Test
    void shouldServeWhateverComesWhileADmaIsUnanswered() throws Exception {
        byte[] data = {1, 2, 3, 4, 5, 6, 7, 8};
        try (RawClient client = RawClient.start(server.socket());
                MappedMemory shared = MappedMemory.create("farslot-test", MIB)) {
            client.map(0, MIB, 3, 0);
            MemorySegment into = memory(8);
            FutureTask<CompletionStatus> device = dma(() -> function.host.read(1, 0x2000, into));
            RawClient.Received request = client.receive();
            assertEquals(DMA_READ, request.command());
            assertEquals(0, client.read(7, 0, 4).errno());
            client.post(0, 0x10, 4, 7);
            assertEquals(7, client.value(0, 0x10, 4));
            assertEquals(0, client.map(0x4000_0000L, MIB, 3, 0, shared.descriptor()).errno());
            assertEquals(0, client.unmap(0, 0x4000_0000L, MIB).errno());
            assertEquals(0, client.write(7, 4, 2, 6).errno());
            assertFalse(device.isDone());
            client.answerDma(request, data);
            assertEquals(CompletionStatus.SUCCESS, device.get());
            assertArrayEquals(data, into.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 100, 0x8000, 1 << 20})
    void shouldSendNoMoreAtOnceThanTheClientTakes(int most) throws Exception {
        byte[] data = new byte[most < 0x1000 ? 1000 : 100_000];
        new Random(most).nextBytes(data);
        try (RawClient client = RawClient.connect(server.socket())) {
            String json = "{\"capabilities\":{\"max_data_xfer_size\":" + most + "}}";
            assertEquals(0, client.version(json).errno());
            client.map(0, MIB, 3, 0);
            MemorySegment from = memory(data.length).copyFrom(MemorySegment.ofArray(data));
            FutureTask<CompletionStatus> device = dma(() -> function.host.write(1, 0, from));
            byte[] arrived = new byte[data.length];
            for (int done = 0; done < data.length; ) {
                RawClient.Received write = client.receive();
                int length = (int) write.fields().getLong(8);
                assertTrue(length <= most, length + " bytes");
                assertEquals(done, write.fields().getLong(0));
                System.arraycopy(write.payload(), 16, arrived, done, length);
                client.answerDma(write, new byte[0]);
                done += length;
            }
            assertEquals(CompletionStatus.SUCCESS, device.get());
            assertArrayEquals(data, arrived);
        }
    }

    /** As QEMU 10.1 and 10.2 may answer: the count has 32 bits, and data follows at once. */
    @Test
    void shouldRefuseAllOnceAnAnswersDataStandsFourBytesTooEarly() throws Exception {
        try (RawClient client = RawClient.start(server.socket())) {
            client.map(0, MIB, 3, 0);
            MemorySegment into = memory(8);
            FutureTask<CompletionStatus> device = dma(() -> function.host.read(1, 0x40, into));
            RawClient.Received request = client.receive();
            ByteBuffer early = RawClient.fields(16 + 8).put(request.payload(), 0, 12);
            early.put(new byte[] {6, 0, 1, 0, 5, 6, 7, 8});
            client.send(RawClient.message(request.id(), DMA_READ, 1, early));
            assertEquals(CompletionStatus.COMPLETER_ABORT, device.get());
            assertArrayEquals(new byte[8], into.toArray(ValueLayout.JAVA_BYTE));
            assertEquals(CompletionStatus.COMPLETER_ABORT, function.host.read(1, 0x40, into));
            assertEquals(CompletionStatus.COMPLETER_ABORT, function.host.write(1, 0x40, into));
            client.request(13, RawClient.fields(0));
            assertEquals(CompletionStatus.COMPLETER_ABORT, function.host.write(2, 0x40, into));
            assertFalse(client.hasMessage());
        }
        function.awaitCall("detach");
        try (RawClient next = RawClient.start(server.socket())) {
            next.map(0, MIB, 3, 0);
            MemorySegment into = memory(8);
            FutureTask<CompletionStatus> device = dma(() -> function.host.read(3, 0x40, into));
            byte[] zerosFirst = {0, 0, 0, 0, 1, 0, 0, 0};
            next.answerDma(next.receive(), zerosFirst);
            assertEquals(CompletionStatus.SUCCESS, device.get());
            assertArrayEquals(zerosFirst, into.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    /** A ROM's map, or another device's BAR, never has a descriptor. */
    @Test
    void shouldReachSharedMemoryWithoutMessagesBesideARomThatIsNotShared() throws Exception {
        try (RawClient client = RawClient.start(server.socket());
                MappedMemory shared = MappedMemory.create("farslot-test", MIB)) {
            client.map(0, 0xa0000, 3, 0, shared.descriptor());
            client.map(0xc0000, 0x10000, 1, 0);
            MemorySegment eight = memory(8).fill((byte) 9);
            CompletionStatus[] within = new CompletionStatus[1];
            function.onRead =
                    (region, offset, data, width) -> {
                        within[0] = function.host.write(1, 0x100, eight);
                        return null;
                    };
            assertEquals(0, client.read(0, 0, 4).errno());
            assertEquals(CompletionStatus.SUCCESS, within[0], "DMA within a handler");
            assertEquals(9, shared.segment().get(ValueLayout.JAVA_BYTE, 0x107));
            assertFalse(client.hasMessage());
            assertTrue(function.host.servedWhileWaiting(0x100, 8));
            assertFalse(function.host.servedWhileWaiting(0xc0000, 8));
            FutureTask<CompletionStatus> device = dma(() -> function.host.read(1, 0xc0000, eight));
            byte[] rom = {0x55, (byte) 0xaa, 1, 2, 3, 4, 5, 6};
            client.answerDma(client.receive(), rom);
            assertEquals(CompletionStatus.SUCCESS, device.get());
            assertTrue(Arrays.equals(rom, eight.toArray(ValueLayout.JAVA_BYTE)));
            assertEquals(CompletionStatus.COMPLETER_ABORT, function.host.write(1, 0xc0000, eight));
        }
    }
}
