package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the commands of the NVM command set do to the image. Sections are of NVMe 1.4. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class NvmCommandsTest {
    private static final int FORCE_UNIT_ACCESS = 1 << 30;

    private final MemoryImage image = new MemoryImage(4 << 20);
    private ControllerBench bench;
    private NvmeDriver driver;
    private NvmeDriver.Queue queue;
    private long page;

    @BeforeEach
    void build() {
        bench = new ControllerBench(image);
        driver = new NvmeDriver(bench).enable();
        queue = driver.createQueue(1, 32, 1);
        page = driver.allocate(1);
    }

    @AfterEach
    void close() throws IOException {
        image.openGate();
        bench.close();
    }

    private byte onDisk(long offset) {
        return image.bytes().get(ValueLayout.JAVA_BYTE, offset);
    }

    private NvmeDriver.Entry transfer(NvmOpcode opcode, long lba, int blocks) {
        return NvmeDriver.transfer(opcode, lba, blocks, page, 0);
    }

    /** 6.9, 6.15: the last block can be reached. */
    @Test
    void theLastBlockIsWrittenAndRead() {
        driver.memory(page, 512).fill((byte) 9);
        queue.call(transfer(NvmOpcode.WRITE, 8191, 1)).ok();
        assertEquals(9, onDisk((4 << 20) - 1));
        driver.memory(page, 512).fill((byte) 0);
        queue.call(transfer(NvmOpcode.READ, 8191, 1)).ok();
        assertEquals(9, driver.memory(page, 512).get(ValueLayout.JAVA_BYTE, 511));
    }

    /** 6.8; the write cache is there and on. */
    @Test
    void onlyFlushAndForcedWritesReachTheDisk() {
        queue.call(transfer(NvmOpcode.WRITE, 0, 1)).ok();
        queue.call(transfer(NvmOpcode.WRITE_ZEROES, 0, 1)).ok();
        queue.call(transfer(NvmOpcode.READ, 0, 1)).ok();
        assertEquals(0, image.flushes.get());
        queue.call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
        queue.call(NvmeDriver.io(NvmOpcode.FLUSH).namespace(-1)).ok();
        assertEquals(2, image.flushes.get());
        for (NvmOpcode opcode :
                new NvmOpcode[] {NvmOpcode.WRITE, NvmOpcode.WRITE_ZEROES, NvmOpcode.READ}) {
            int before = image.flushes.get();
            queue.call(transfer(opcode, 0, 1).dword(12, FORCE_UNIT_ACCESS)).ok();
            assertEquals(before + 1, image.flushes.get(), opcode.toString());
        }
    }

    /** 5.21.1.6: without the cache each write is on the disk when it completes. */
    @Test
    void withoutTheCacheEveryWriteReachesTheDisk() {
        driver.admin.call(NvmeDriver.admin(AdminOpcode.SET_FEATURES).dword(10, 6)).ok();
        queue.call(transfer(NvmOpcode.WRITE, 0, 1)).ok();
        queue.call(transfer(NvmOpcode.WRITE_ZEROES, 0, 1)).ok();
        driver.memory(page, 16).set(LittleEndian.INT, 4, 1);
        queue.call(transfer(NvmOpcode.DATASET_MANAGEMENT, 0, 1).dword(11, 4)).ok();
        assertEquals(3, image.flushes.get());
    }

    /** VWC: the same where there is no cache at all. */
    @Test
    void aControllerWithoutACacheKeepsNothingBack() throws IOException {
        bench.close();
        bench = new ControllerBench(512, false, image);
        driver = new NvmeDriver(bench).enable();
        queue = driver.createQueue(1, 32, 1);
        page = driver.allocate(1);
        for (NvmOpcode opcode :
                new NvmOpcode[] {
                    NvmOpcode.WRITE, NvmOpcode.WRITE_ZEROES, NvmOpcode.WRITE_UNCORRECTABLE
                }) {
            int before = image.flushes.get();
            queue.call(transfer(opcode, 0, 1)).ok();
            assertEquals(before + 1, image.flushes.get(), opcode.toString());
        }
    }

    /** 6.17: not bound by the longest data transfer. */
    @Test
    void writeZeroesMayBeLong() {
        image.bytes().fill((byte) 1);
        queue.call(transfer(NvmOpcode.WRITE_ZEROES, 1, 8190)).ok();
        assertEquals(1, onDisk(511));
        assertEquals(0, onDisk(512));
        assertEquals(0, onDisk((4 << 20) - 513));
        assertEquals(1, onDisk((4 << 20) - 512));
    }

    private void range(int index, long lba, int blocks) {
        MemorySegment range = driver.memory(page + index * 16L, 16);
        range.set(LittleEndian.INT, 4, blocks);
        range.set(LittleEndian.LONG, 8, lba);
    }

    /** 6.7. */
    @Test
    void datasetManagementDeallocatesItsRanges() {
        image.bytes().fill((byte) 1);
        range(0, 10, 2);
        range(1, 100, 50);
        range(2, 8191, 1);
        NvmeDriver.Entry entry = NvmeDriver.io(NvmOpcode.DATASET_MANAGEMENT).prp(page, 0);
        queue.call(entry.dword(10, 2)).ok();
        assertEquals(1, onDisk(5120), "without the attribute nothing is deallocated");
        queue.call(
                        NvmeDriver.io(NvmOpcode.DATASET_MANAGEMENT)
                                .prp(page, 0)
                                .dword(10, 2)
                                .dword(11, 4))
                .ok();
        assertEquals(1, onDisk(5119));
        assertEquals(0, onDisk(5120));
        assertEquals(0, onDisk(150 * 512 - 1));
        assertEquals(1, onDisk(150 * 512));
        assertEquals(0, onDisk((4 << 20) - 1));
    }

    @Test
    void aRangeBeyondTheEndDeallocatesNothing() {
        range(0, 0, 1);
        range(1, 8191, 2);
        queue.call(
                        NvmeDriver.io(NvmOpcode.DATASET_MANAGEMENT)
                                .prp(page, 0)
                                .dword(10, 1)
                                .dword(11, 4))
                .assertStatus(StatusCode.LBA_OUT_OF_RANGE);
        assertEquals(0, image.writes.get());
    }

    /** 4.6.1.2.3. */
    @Test
    void anImageThatFailsIsAMediaError() {
        image.failing = true;
        queue.call(transfer(NvmOpcode.READ, 0, 1)).assertStatus(StatusCode.UNRECOVERED_READ_ERROR);
        queue.call(transfer(NvmOpcode.WRITE, 0, 1)).assertStatus(StatusCode.WRITE_FAULT);
        queue.call(NvmeDriver.io(NvmOpcode.FLUSH)).assertStatus(StatusCode.WRITE_FAULT);
        assertEquals(3, bench.state.counters().mediaErrors());
        image.failing = false;
        queue.call(transfer(NvmOpcode.WRITE, 0, 1)).ok();
    }

    @Test
    void aFullDiskIsACapacityThatIsExceeded() {
        image.full = true;
        queue.call(transfer(NvmOpcode.WRITE, 0, 1)).assertStatus(StatusCode.CAPACITY_EXCEEDED);
        queue.call(transfer(NvmOpcode.READ, 0, 1)).ok();
    }

    @Test
    void commandsAreExecutedAtTheSameTime() {
        image.closeGate();
        int[] commands = new int[3];
        for (int i = 0; i < commands.length; i++) {
            commands[i] = queue.submit(transfer(NvmOpcode.READ, i, 1));
        }
        while (image.waiting.get() < commands.length) {
            Thread.onSpinWait();
        }
        image.openGate();
        for (int command : commands) {
            queue.await(command).ok();
        }
        assertTrue(bench.state.counters().reads() == 3);
    }
}
