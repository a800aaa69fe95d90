package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaSegment;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import farslot.link.Bench.Over;
import farslot.link.Messages.Data;
import farslot.link.Messages.DmaRead;
import farslot.link.Messages.MapMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Frames that are read to where they belong, and written from where their data are. */
@Timeout(60)
class LongFramesTest {
    private static final int AREA = 0x80000;
    private static final int ROUNDS = 150;
    private static final int LENGTH = 0x10000;

    @TempDir Path folder;

    private static PciHost device(Bench bench, FakeHost host) throws Exception {
        RemoteFunction function =
                bench.borrow("f0", Bench.SLOT.withPassDescriptors(false), new Bench.Hearing());
        function.attach(host);
        function.map(new DmaMap(FakeHost.BASE, 0x200000, Direction.READ_WRITE, null, true));
        function.read(0, 0, MemorySegment.ofArray(new byte[4]), 4);
        return bench.lender.f0().host;
    }

    private static void fill(MemorySegment segment, Random random) {
        byte[] bytes = new byte[(int) segment.byteSize()];
        random.nextBytes(bytes);
        segment.copyFrom(MemorySegment.ofArray(bytes));
    }

    /**
     * Each thread in an area of its own: writes any length anywhere, and reads it back in parts.
     */
    private static void writeAndReadBack(PciHost device, long area, int seed) {
        Random random = new Random(seed);
        // One's memory belongs to its thread alone, the other's to all, the third's is Java's.
        try (Arena own = Arena.ofConfined()) {
            MemorySegment[] buffers = {
                own.allocate(AREA),
                Arena.ofAuto().allocate(AREA),
                MemorySegment.ofArray(new byte[AREA])
            };
            for (int round = 0; round < ROUNDS; round++) {
                int length = random.nextInt(1, random.nextBoolean() ? AREA : 0x8000);
                long address = area + random.nextInt(AREA - length + 1);
                MemorySegment from = buffers[random.nextInt(3)].asSlice(0, length);
                fill(from, random);
                assertEquals(CompletionStatus.SUCCESS, device.write(1, address, from));
                MemorySegment into = buffers[random.nextInt(3)];
                MemorySegment expected = MemorySegment.ofArray(from.toArray(ValueLayout.JAVA_BYTE));
                into = into.asSlice(0, length).fill((byte) 0);
                long middle = random.nextInt(length);
                List<DmaSegment> parts =
                        List.of(
                                new DmaSegment(address + middle, into.asSlice(middle)),
                                new DmaSegment(address, into.asSlice(0, middle)));
                assertEquals(CompletionStatus.SUCCESS, device.readAll(1, parts));
                assertEquals(-1, expected.mismatch(into), "round " + round);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldCarryAnyLengthWhileOthersDoAndInterruptsAndAccessesGoOn(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder)) {
            FakeHost host = new FakeHost();
            PciHost device = device(bench, host);
            List<CompletableFuture<Void>> threads = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int number = i;
                long area = FakeHost.BASE + (long) i * AREA;
                CompletableFuture<Void> ended = new CompletableFuture<>();
                threads.add(ended);
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                writeAndReadBack(device, area, number);
                                ended.complete(null);
                            } catch (Throwable wrong) {
                                ended.completeExceptionally(wrong);
                            }
                        });
            }
            for (int i = 0; i < 2000; i++) {
                device.interrupt(1, InterruptKind.MSIX, i % 16);
            }
            for (CompletableFuture<Void> thread : threads) {
                thread.get(50, TimeUnit.SECONDS);
            }
            for (int i = 0; i < 2000; i++) {
                assertEquals("MSIX " + i % 16 + " in 1", host.next().replace("MSI-X", "MSIX"));
            }
        }
    }

    /** A slot by hand, which has mapped memory, and what the device's read from it will have. */
    private static RawPeer slot(Bench bench) throws Exception {
        RawPeer peer = bench.peer().borrow("f0");
        Composer map = new Composer().u64(FakeHost.BASE).u64(0x100000).u64(0);
        map.u8(Direction.READ_WRITE.bits()).u8(MapMemory.SERVED_WHILE_WAITING).u16(0).u32(0);
        peer.send(MapMemory.TYPE, Messages.POSTED, 1, 0, map.toBytes());
        peer.stayAlive();
        // Answered behind the map.
        Composer read = new Composer().u8(0).u8(4).u16(0).u32(4).u64(0);
        synchronized (peer) {
            peer.send(Messages.Read.TYPE, Messages.NON_POSTED, 1, 7, read.toBytes());
        }
        peer.next(Data.TYPE);
        return peer;
    }

    private static CompletableFuture<CompletionStatus> read(PciHost device, MemorySegment into) {
        CompletableFuture<CompletionStatus> status = new CompletableFuture<>();
        Thread.ofPlatform().start(() -> status.complete(device.read(1, FakeHost.BASE, into)));
        return status;
    }

    private static byte[] answer(RawPeer peer, int tag, int length) {
        byte[] payload = new byte[8 + length];
        Arrays.fill(payload, 8, payload.length, (byte) 0x5a);
        return peer.frame(Data.TYPE, Messages.COMPLETION, 1, tag, payload);
    }

    @ParameterizedTest
    @EnumSource
    void shouldTakeALongAnswerThatComesInPieces(Over over) throws Exception {
        try (Bench bench = new Bench(over, folder);
                RawPeer peer = slot(bench)) {
            PciHost device = bench.lender.f0().host;
            for (int piece : List.of(1, 31, 39, 40, 41, 4096, 65_000)) {
                MemorySegment into = Arena.ofAuto().allocate(LENGTH);
                CompletableFuture<CompletionStatus> status = read(device, into);
                int tag = peer.next(DmaRead.TYPE).tag();
                synchronized (peer) {
                    byte[] frame = answer(peer, tag, LENGTH);
                    // First so much, then the rest in pieces of some KiB.
                    peer.bytes(Arrays.copyOf(frame, piece));
                    for (int at = piece; at < frame.length; at += 5000) {
                        int end = Math.min(frame.length, at + 5000);
                        peer.bytes(Arrays.copyOfRange(frame, at, end));
                    }
                }
                assertEquals(CompletionStatus.SUCCESS, status.get(20, TimeUnit.SECONDS));
                MemorySegment expected = Arena.ofAuto().allocate(LENGTH).fill((byte) 0x5a);
                assertEquals(-1, expected.mismatch(into));
            }
        }
    }

    @Test
    void shouldEndTheReadOfAnAnswerThatNeverComesWhole() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder)) {
            MemorySegment into = Arena.ofAuto().allocate(LENGTH);
            CompletableFuture<CompletionStatus> status;
            try (RawPeer peer = slot(bench)) {
                status = read(bench.lender.f0().host, into);
                int tag = peer.next(DmaRead.TYPE).tag();
                synchronized (peer) {
                    peer.bytes(Arrays.copyOf(answer(peer, tag, LENGTH), LENGTH / 2));
                }
            }
            assertEquals(CompletionStatus.TIMED_OUT, status.get(20, TimeUnit.SECONDS));
            assertTrue(bench.lender.ending().contains("f0"));
        }
    }

    @Test
    void shouldEndTheReadWhenTheLinkEndsAmidItsAnswer() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer peer = slot(bench)) {
            MemorySegment into = Arena.ofAuto().allocate(LENGTH);
            CompletableFuture<CompletionStatus> status = read(bench.lender.f0().host, into);
            int tag = peer.next(DmaRead.TYPE).tag();
            synchronized (peer) {
                peer.bytes(Arrays.copyOf(answer(peer, tag, LENGTH), LENGTH / 2));
                bench.lender.leases.get("f0").revoke("It is needed elsewhere.");
                assertEquals(CompletionStatus.TIMED_OUT, status.get(20, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    void shouldRefuseALongAnswerOfAnotherLength() throws Exception {
        for (int length : List.of(LENGTH - 8, LENGTH + 8)) {
            try (Bench bench = new Bench(Over.TCP, folder);
                    RawPeer peer = slot(bench)) {
                MemorySegment into = Arena.ofAuto().allocate(LENGTH);
                CompletableFuture<CompletionStatus> status = read(bench.lender.f0().host, into);
                int tag = peer.next(DmaRead.TYPE).tag();
                synchronized (peer) {
                    peer.bytes(answer(peer, tag, length));
                }
                assertEquals("BAD_VALUE", peer.error());
                assertEquals(CompletionStatus.TIMED_OUT, status.get(20, TimeUnit.SECONDS));
            }
        }
    }

    @Test
    void shouldRefuseALongAnswerOutOfSequence() throws Exception {
        try (Bench bench = new Bench(Over.TCP, folder);
                RawPeer peer = slot(bench)) {
            MemorySegment into = Arena.ofAuto().allocate(LENGTH);
            CompletableFuture<CompletionStatus> status = read(bench.lender.f0().host, into);
            int tag = peer.next(DmaRead.TYPE).tag();
            synchronized (peer) {
                peer.sequence++;
                peer.bytes(answer(peer, tag, LENGTH));
            }
            assertEquals("BAD_SEQUENCE", peer.error());
            assertEquals(CompletionStatus.TIMED_OUT, status.get(20, TimeUnit.SECONDS));
        }
    }
}
