package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.InterruptKind;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** NVMe 1.4, 7.5. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class InterruptTest {
    private final MemoryImage image = new MemoryImage(1 << 20);
    private ControllerBench bench;
    private NvmeDriver driver;

    @BeforeEach
    void build() {
        bench = new ControllerBench(image);
        driver = new NvmeDriver(bench);
    }

    @AfterEach
    void close() throws IOException {
        bench.close();
    }

    private static NvmeDriver.Entry flush() {
        return NvmeDriver.io(NvmOpcode.FLUSH);
    }

    @Test
    void msixSignalsEachQueuesOwnVector() {
        driver.enable();
        NvmeDriver.Queue one = driver.createQueue(1, 8, 1);
        NvmeDriver.Queue two = driver.createQueue(2, 8, 3);
        for (int i = 1; i <= 5; i++) {
            one.call(flush()).ok();
            bench.awaitInterrupts(InterruptKind.MSIX, 1, i);
        }
        two.call(flush()).ok();
        bench.awaitInterrupts(InterruptKind.MSIX, 3, 1);
        assertEquals(5, bench.interrupts(InterruptKind.MSIX, 1));
        assertEquals(0, bench.interrupts(InterruptKind.MSIX, 2));
        assertEquals(0, bench.assertions.get());
    }

    @Test
    void aQueueWithoutInterruptsSignalsNone() {
        driver.enable();
        NvmeDriver.Queue queue = driver.new Queue(1, 8, 8);
        driver.admin
                .call(
                        driver.createCompletionQueue(1, 8, queue.completions, 2)
                                .dword(11, 2 << 16 | 1))
                .ok();
        driver.admin.call(driver.createSubmissionQueue(1, 8, queue.submissions, 1)).ok();
        queue.call(flush()).ok();
        driver.identify(1, 0);
        assertEquals(0, bench.interrupts(InterruptKind.MSIX, 2));
    }

    @Test
    void thePinIsAssertedUntilAllIsAcknowledged() {
        bench.kind = InterruptKind.INTX;
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 8, 0);
        awaitPin(false);
        int first = queue.submit(flush());
        awaitPin(true);
        int second = queue.submit(flush());
        while (!(queue.takeOnly(first) != null && queue.takeOnly(second) != null)) {
            Thread.onSpinWait();
        }
        bench.awaitIdle();
        bench.write(NvmeDriver.DOORBELLS + 8 + 4, 1);
        assertTrue(bench.pin, "one entry is not acknowledged");
        bench.write(NvmeDriver.DOORBELLS + 8 + 4, 2);
        awaitPin(false);
    }

    private void awaitPin(boolean level) {
        while (bench.pin != level) {
            Thread.onSpinWait();
        }
    }

    @Test
    void theMaskRegistersHoldThePinBack() {
        bench.kind = InterruptKind.INTX;
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 8, 0);
        awaitPin(false);
        bench.write(NvmeDriver.INTMS, 1);
        assertEquals(1, bench.read(NvmeDriver.INTMS));
        assertEquals(1, bench.read(NvmeDriver.INTMC));
        int command = queue.submit(flush());
        while (queue.takeOnly(command) == null) {
            Thread.onSpinWait();
        }
        assertFalse(bench.pin);
        bench.write(NvmeDriver.INTMC, 1);
        awaitPin(true);
        bench.write(NvmeDriver.INTMS, 1);
        assertFalse(bench.pin);
        // A reset of the controller clears the masks (3.1.3).
        driver.disable();
        assertEquals(0, bench.read(NvmeDriver.INTMS));
        assertFalse(bench.pin);
    }

    @Test
    void msiSendsAMessageForEachEntry() {
        bench.kind = InterruptKind.MSI;
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 8, 2);
        int first = queue.submit(flush());
        bench.awaitInterrupts(InterruptKind.MSI, 2, 1);
        // The first is not acknowledged; the second is news all the same.
        int second = queue.submit(flush());
        bench.awaitInterrupts(InterruptKind.MSI, 2, 2);
        queue.await(first).ok();
        queue.await(second).ok();
    }

    @Test
    void aMaskedMsiIsSentWhenItsMaskGoes() {
        bench.kind = InterruptKind.MSI;
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 8, 2);
        bench.write(NvmeDriver.INTMS, 1 << 2);
        int command = queue.submit(flush());
        while (queue.takeOnly(command) == null) {
            Thread.onSpinWait();
        }
        bench.awaitIdle();
        assertEquals(0, bench.interrupts(InterruptKind.MSI, 2));
        bench.write(NvmeDriver.INTMC, 1 << 2);
        assertEquals(1, bench.interrupts(InterruptKind.MSI, 2));
    }

    @Test
    void aMaskSetBeforeEnablingCounts() {
        bench.kind = InterruptKind.INTX;
        bench.write(NvmeDriver.INTMS, 1);
        driver.enable();
        assertEquals(1, bench.read(NvmeDriver.INTMS));
        driver.identify(1, 0);
        assertEquals(0, bench.assertions.get());
    }
}
