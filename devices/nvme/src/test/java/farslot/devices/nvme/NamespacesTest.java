package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several namespaces (NVMe 1.4, 6.1): each an image of its own. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class NamespacesTest {
    private final MemoryImage[] images = {
        new MemoryImage(1 << 20), new MemoryImage(2 << 20), new MemoryImage(3 << 20)
    };
    private ControllerBench bench;
    private NvmeDriver driver;
    private NvmeDriver.Queue queue;

    @BeforeEach
    void build() {
        bench = new ControllerBench(images);
        driver = new NvmeDriver(bench).enable();
        queue = driver.createQueue(1, 16, 1);
    }

    @AfterEach
    void close() throws IOException {
        bench.close();
    }

    private int[] active(int above) {
        MemorySegment list = MemorySegment.ofArray(driver.identify(2, above));
        int[] ids = list.asSlice(0, 16).toArray(ValueLayout.JAVA_INT_UNALIGNED);
        return Arrays.stream(ids).filter(id -> id != 0).toArray();
    }

    /** 5.15.2.3. */
    @Test
    void shouldListTheIdentifiersAboveTheOneGiven() {
        assertArrayEquals(new int[] {1, 2, 3}, active(0));
        assertArrayEquals(new int[] {2, 3}, active(1));
        assertArrayEquals(new int[] {3}, active(2));
        assertArrayEquals(new int[0], active(3));
        assertArrayEquals(new int[0], active(0x8000_0000));
        MemorySegment controller = MemorySegment.ofArray(driver.identify(1, 0));
        assertEquals(3, controller.get(LittleEndian.INT, 516), "NN");
    }

    /** 5.15.2.1, 5.15.2.4. */
    @Test
    void shouldTellNamespacesApart() {
        for (int id = 1; id <= 3; id++) {
            MemorySegment data = MemorySegment.ofArray(driver.identify(0, id));
            assertEquals(id * 2048L, data.get(LittleEndian.LONG, 0), "NSZE");
        }
        assertFalse(Arrays.equals(driver.identify(3, 1), driver.identify(3, 2)));
    }

    @Test
    void shouldWriteToTheNamespaceThatTheCommandNames() {
        long page = driver.allocate(1);
        for (int id = 1; id <= 3; id++) {
            driver.memory(page, 512).fill((byte) id);
            queue.call(NvmeDriver.transfer(NvmOpcode.WRITE, 7, 1, page, 0).namespace(id)).ok();
        }
        for (int id = 1; id <= 3; id++) {
            assertEquals(id, images[id - 1].bytes().get(ValueLayout.JAVA_BYTE, 7 * 512));
            driver.memory(page, 512).fill((byte) 0);
            queue.call(NvmeDriver.transfer(NvmOpcode.READ, 7, 1, page, 0).namespace(id)).ok();
            assertEquals(id, driver.memory(page, 512).get(ValueLayout.JAVA_BYTE, 511));
        }
    }

    /** 6.8, and VWC bits 2:1. */
    @Test
    void shouldFlushOneOrAll() {
        queue.call(NvmeDriver.io(NvmOpcode.FLUSH).namespace(2)).ok();
        assertEquals("0 1 0", flushes());
        queue.call(NvmeDriver.io(NvmOpcode.FLUSH).namespace(-1)).ok();
        assertEquals("1 2 1", flushes());
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED | 1 << 14);
        driver.awaitStatus(3 << 2, 2 << 2);
        assertEquals("2 3 2", flushes());
    }

    private String flushes() {
        return images[0].flushes + " " + images[1].flushes + " " + images[2].flushes;
    }

    /** 5.21.1.5: error recovery is each namespace's own. */
    @Test
    void shouldKeepErrorRecoveryOfEachNamespace() {
        setErrorRecovery(2, 0x1234);
        assertEquals("0 4660 0", errorRecovery());
        setErrorRecovery(-1, 7);
        assertEquals("7 7 7", errorRecovery());
    }

    private void setErrorRecovery(int namespace, int value) {
        driver.admin
                .call(
                        NvmeDriver.admin(AdminOpcode.SET_FEATURES)
                                .namespace(namespace)
                                .dword(10, Features.ERROR_RECOVERY)
                                .dword(11, value))
                .ok();
    }

    private String errorRecovery() {
        int[] values = new int[3];
        for (int id = 1; id <= 3; id++) {
            NvmeDriver.Entry get = NvmeDriver.admin(AdminOpcode.GET_FEATURES).namespace(id);
            values[id - 1] = driver.admin.call(get.dword(10, Features.ERROR_RECOVERY)).result();
        }
        return values[0] + " " + values[1] + " " + values[2];
    }
}
