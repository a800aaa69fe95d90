package farslot.link;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.InterruptKind;
import farslot.core.NearMemory;
import farslot.core.PciHost;
import farslot.posix.MappedMemory;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A driver whose memory the lender maps in part only, as QEMU's is: RAM comes with a descriptor,
 * ROMs and a display's memory without.
 */
class MixedMemoryTest {
    private static final long BY_MESSAGE = FakeHost.BASE;
    private static final long MAPPED = FakeHost.BASE + 0x1000;

    @TempDir Path folder;

    @Test
    void shouldKeepDmaToMappedMemoryBehindWhatWentByMessageBeforeIt() throws Exception {
        try (Bench bench = new Bench(Bench.Over.UNIX, folder);
                MappedMemory memory = MappedMemory.create("mixed", 0x2000)) {
            FakeHost host = new FakeHost(memory.segment());
            PciHost device = device(bench, host, memory);
            CountDownLatch busy = keepBusy(device, host);
            write(device, MAPPED, 1);
            assertEquals(1, host.word(MAPPED), "mapped memory waits for nobody");
            write(device, BY_MESSAGE, 2);
            write(device, MAPPED, 2);
            assertEquals(1, host.word(MAPPED), "what was written before is on its way still");
            assertNull(device.near(1, MAPPED, 8, Direction.WRITE));
            busy.countDown();
            assertEquals(2, read(device, MAPPED), "the device's own read comes behind its writes");
            assertEquals(2, host.word(BY_MESSAGE));
            assertNotNull(device.near(1, MAPPED, 8, Direction.WRITE));
            CountDownLatch again = keepBusy(device, host);
            write(device, MAPPED, 3);
            assertEquals(3, host.word(MAPPED), "nothing is on its way any more");
            again.countDown();
        }
    }

    private static PciHost device(Bench bench, FakeHost host, MappedMemory memory)
            throws Exception {
        RemoteFunction function = bench.borrow("f0");
        function.attach(host);
        int descriptor = memory.descriptor().number();
        MemorySegment mapped = memory.segment().asSlice(0x1000);
        function.map(new DmaMap(BY_MESSAGE, 0x1000, Direction.READ_WRITE, null, true));
        function.map(
                new DmaMap(
                        MAPPED,
                        0x1000,
                        Direction.READ_WRITE,
                        new NearMemory(mapped, descriptor, 0x1000),
                        true));
        function.read(0, 0, MemorySegment.ofArray(new byte[4]), 4);
        return bench.lender.f0().host;
    }

    /** The slot does nothing of what comes until the latch opens. */
    private static CountDownLatch keepBusy(PciHost device, FakeHost host) {
        CountDownLatch busy = new CountDownLatch(1);
        host.onInterrupt =
                () -> {
                    try {
                        busy.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                };
        device.interrupt(1, InterruptKind.MSI, 0);
        return busy;
    }

    private static void write(PciHost device, long address, long value) {
        MemorySegment data = MemorySegment.ofArray(new long[] {value});
        assertEquals(CompletionStatus.SUCCESS, device.write(1, address, data));
    }

    private static long read(PciHost device, long address) {
        long[] data = new long[1];
        assertEquals(
                CompletionStatus.SUCCESS, device.read(1, address, MemorySegment.ofArray(data)));
        return data[0];
    }
}
