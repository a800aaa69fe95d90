package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Enabling, disabling, shutting down and failing. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class ControllerTest {
    private static final int READY = 1;
    private static final int FATAL = 2;

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

    @Test
    void isReadyOnceEnabledAndNoLongerOnceDisabled() {
        assertEquals(0, bench.read(NvmeDriver.CSTS));
        driver.enable();
        assertEquals(READY, bench.read(NvmeDriver.CSTS));
        driver.disable();
        assertEquals(0, bench.read(NvmeDriver.CSTS));
        driver.enable();
        driver.identify(1, 0);
    }

    /** NVMe 1.4, 3.1.5: CSS, MPS, AMS; 3.1.8: queues of at least two entries. */
    @ParameterizedTest
    @ValueSource(ints = {1 << 4, 6 << 4, 7 << 4, 5 << 7, 15 << 7, 2 << 11, 7 << 11})
    void aConfigurationThatIsNotOfferedIsFatal(int bits) {
        bench.write(NvmeDriver.AQA, 31 << 16 | 31);
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED | bits);
        assertEquals(FATAL, bench.read(NvmeDriver.CSTS));
        bench.write(NvmeDriver.CC, 0);
        assertEquals(0, bench.read(NvmeDriver.CSTS));
        driver.enable();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 31, 31 << 16})
    void adminQueuesOfOneEntryAreFatal(int aqa) {
        bench.write(NvmeDriver.AQA, aqa);
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED);
        assertEquals(FATAL, bench.read(NvmeDriver.CSTS));
    }

    @Test
    void queuesThatBeginWithinALargePageAreFatal() {
        bench.write(NvmeDriver.AQA, 31 << 16 | 31);
        driver.write64(NvmeDriver.ASQ, 0x1000);
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED | 1 << 7);
        assertEquals(FATAL, bench.read(NvmeDriver.CSTS));
    }

    @Test
    void aSubmissionQueueThatCannotBeReadIsFatal() {
        bench.write(NvmeDriver.AQA, 31 << 16 | 31);
        driver.write64(NvmeDriver.ASQ, 0x7000_0000_0000L);
        driver.write64(NvmeDriver.ACQ, DriverSide.RAM_ADDRESS);
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED);
        driver.awaitStatus(READY, READY);
        bench.write(NvmeDriver.DOORBELLS, 1);
        driver.awaitStatus(FATAL, FATAL);
        // Only a reset helps (9.5).
        driver.disable();
        driver.awaitStatus(FATAL, 0);
        driver.enable().identify(1, 0);
    }

    @Test
    void aCompletionQueueThatCannotBeWrittenIsFatal() {
        driver.enable();
        NvmeDriver.Queue admin = driver.admin;
        driver.disable();
        driver.write64(NvmeDriver.ACQ, 0x7000_0000_0000L);
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED);
        driver.awaitStatus(READY, READY);
        admin.tail = 0;
        admin.submit(NvmeDriver.admin(AdminOpcode.GET_FEATURES).dword(10, 1));
        driver.awaitStatus(FATAL, FATAL);
    }

    @Test
    void doorbellsOfADisabledControllerAreIgnored() {
        bench.write(NvmeDriver.DOORBELLS, 5);
        bench.write(NvmeDriver.DOORBELLS + 4, 5);
        assertEquals(0, bench.read(NvmeDriver.CSTS));
        assertEquals(0, bench.state.errors().count());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aShutdownFlushesAndIsReported(int notification) {
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        queue.call(NvmeDriver.transfer(NvmOpcode.WRITE, 0, 1, driver.allocate(1), 0)).ok();
        int flushes = image.flushes.get();
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED | notification << 14);
        driver.awaitStatus(3 << 2, 2 << 2);
        assertTrue(image.flushes.get() > flushes);
        assertEquals(0, bench.state.counters().unsafeShutdowns());
        driver.disable();
        driver.enable();
        assertEquals(READY, bench.read(NvmeDriver.CSTS));
    }

    @Test
    void aShutdownWaitsForWhatIsUnderWay() {
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        image.closeGate();
        int command =
                queue.submit(NvmeDriver.transfer(NvmOpcode.WRITE, 0, 1, driver.allocate(1), 0));
        awaitWaiting(1);
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED | 1 << 14);
        assertEquals(1 << 2 | READY, bench.read(NvmeDriver.CSTS));
        image.openGate();
        queue.await(command).ok();
        driver.awaitStatus(3 << 2, 2 << 2);
    }

    @Test
    void aDisabledControllerCanBeShutDownToo() {
        bench.write(NvmeDriver.CC, 1 << 14);
        driver.awaitStatus(3 << 2, 2 << 2);
        assertEquals(1, image.flushes.get());
    }

    @Test
    void aShutdownOfAControllerThatIsBeingDisabledFlushesBehindIt() {
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        image.closeGate();
        queue.submit(NvmeDriver.transfer(NvmOpcode.WRITE, 0, 1, driver.allocate(1), 0));
        awaitWaiting(1);
        bench.write(NvmeDriver.CC, 1 << 14);
        assertEquals(1 << 2 | READY, bench.read(NvmeDriver.CSTS));
        assertEquals(1, image.waiting.get());
        image.openGate();
        driver.awaitStatus(3 << 2, 2 << 2);
        assertEquals(1, image.flushes.get());
        assertEquals(1, image.writes.get());
    }

    private void awaitWaiting(int commands) {
        while (image.waiting.get() < commands) {
            Thread.onSpinWait();
        }
    }

    @Test
    void disablingWaitsForWhatIsUnderWayAndPostsNothingOfIt() {
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        image.closeGate();
        int command =
                queue.submit(NvmeDriver.transfer(NvmOpcode.READ, 0, 1, driver.allocate(1), 0));
        awaitWaiting(1);
        bench.write(NvmeDriver.CC, 0);
        // The driver takes its memory back when RDY is clear: not yet (3.1.6).
        assertEquals(READY, bench.read(NvmeDriver.CSTS));
        image.openGate();
        driver.awaitStatus(READY, 0);
        assertNull(queue.poll(command));
    }

    @Test
    void aResetWhileCommandsAreUnderWayLosesThemForGood() {
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        bench.awaitIdle();
        image.closeGate();
        long page = driver.allocate(1);
        driver.memory(page, 512).fill((byte) 0x55);
        queue.submit(NvmeDriver.transfer(NvmOpcode.READ, 0, 1, page, 0));
        awaitWaiting(1);
        bench.reset();
        assertEquals(0, bench.read(NvmeDriver.CSTS));
        bench.write(NvmeDriver.AQA, 31 << 16 | 31);
        driver.write64(NvmeDriver.ASQ, driver.allocate(1));
        driver.write64(NvmeDriver.ACQ, driver.allocate(1));
        bench.write(NvmeDriver.CC, NvmeDriver.ENABLED);
        // Not ready before the old command has ended: nothing of it is done after new ones.
        assertEquals(0, bench.read(NvmeDriver.CSTS));
        long changes = bench.changes();
        image.openGate();
        driver.awaitStatus(READY, READY);
        assertEquals(changes, bench.changes());
        assertEquals(0x55, driver.memory(page, 1).toArray(ValueLayout.JAVA_BYTE)[0]);
    }

    /** NVMe 1.4, 5.2: error events, and their log page. */
    @Test
    void badDoorbellWritesAreReportedAsEvents() {
        driver.enable();
        int request = driver.admin.submit(request());
        bench.write(NvmeDriver.DOORBELLS + 8 * 3, 1);
        NvmeDriver.Completion event = driver.admin.await(request).ok();
        assertEquals(0x01_00_00, event.result());

        // A second event of the type waits until the log page was read.
        request = driver.admin.submit(request());
        bench.write(NvmeDriver.DOORBELLS, 999);
        driver.admin.call(NvmeDriver.admin(AdminOpcode.GET_FEATURES).dword(10, 1)).ok();
        assertNull(driver.admin.poll(request));
        long page = driver.allocate(1);
        driver.admin.call(logPage(1, page)).ok();
        assertNotEquals(0, driver.memory(page, 8).get(LittleEndian.LONG, 0));
        bench.write(NvmeDriver.DOORBELLS + 4, 999);
        assertEquals(0x01_01_00, driver.admin.await(request).ok().result());
    }

    private static NvmeDriver.Entry request() {
        return NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST);
    }

    static NvmeDriver.Entry logPage(int id, long page) {
        return NvmeDriver.admin(AdminOpcode.GET_LOG_PAGE).prp(page, 0).dword(10, id | 127 << 16);
    }

    @Test
    void aTailThatPassesTheHeadIsRefused() {
        driver.enable(4);
        image.closeGate();
        try {
            NvmeDriver.Queue queue = driver.createQueue(1, 4, 1);
            for (int i = 0; i < 3; i++) {
                queue.submit(NvmeDriver.io(NvmOpcode.FLUSH));
            }
            awaitWaiting(1);
            long errors = bench.state.errors().count();
            bench.write(NvmeDriver.DOORBELLS + 8, 4);
            bench.write(NvmeDriver.DOORBELLS + 8, 0xFFFF);
            assertEquals(errors + 2, bench.state.errors().count());
        } finally {
            image.openGate();
        }
    }

    @Test
    void asManyCommandsAreFetchedAsTheCompletionQueueHasRoomFor() {
        driver.enable();
        NvmeDriver.Queue queue = driver.createQueue(1, 64, 4, 1);
        int[] commands = new int[20];
        for (int i = 0; i < commands.length; i++) {
            commands[i] = queue.put(NvmeDriver.io(NvmOpcode.FLUSH));
        }
        queue.ring();
        while (image.flushes.get() < 3) {
            Thread.onSpinWait();
        }
        driver.identify(1, 0);
        assertEquals(3, image.flushes.get(), "one entry stays free (4.1.1)");
        for (int command : commands) {
            queue.await(command).ok();
        }
    }
}
