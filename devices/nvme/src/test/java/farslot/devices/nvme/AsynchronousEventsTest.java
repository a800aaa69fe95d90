package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What happened is told once, to a driver that asked (NVMe 1.4, 5.2). */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class AsynchronousEventsTest {
    private static final int DOORBELL_REGISTER = 0x01_00_00;
    private static final int DOORBELL_VALUE = 0x01_01_00;
    private static final int RELIABILITY = 0x02_00_01;
    private static final int TEMPERATURE = 0x02_01_01;
    private static final int SPARE = 0x02_02_01;
    private static final int RETAIN = 1 << 15;

    private final MemoryImage image = new MemoryImage(1 << 20);
    private ControllerBench bench;
    private NvmeDriver driver;

    @BeforeEach
    void build() {
        bench = new ControllerBench(image);
        driver = new NvmeDriver(bench).enable();
    }

    @AfterEach
    void close() throws IOException {
        bench.close();
    }

    private int request() {
        return driver.admin.submit(NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST));
    }

    private int event(int request) {
        return driver.admin.await(request).ok().result();
    }

    private void setFeature(int feature, int value) {
        NvmeDriver.Entry set = NvmeDriver.admin(AdminOpcode.SET_FEATURES);
        driver.admin.call(set.dword(10, feature).dword(11, value)).ok();
    }

    private MemorySegment readLog(int page, int flags) {
        long memory = driver.allocate(1);
        NvmeDriver.Entry get = NvmeDriver.admin(AdminOpcode.GET_LOG_PAGE).prp(memory, 0);
        driver.admin.call(get.dword(10, page | flags | 127 << 16)).ok();
        return driver.memory(memory, 512);
    }

    private void ringAQueueThatIsNotThere() {
        bench.write(NvmeDriver.DOORBELLS + 8 * 3, 1);
    }

    private void ringPastTheEnd() {
        bench.write(NvmeDriver.DOORBELLS, 999);
    }

    @Test
    void shouldKeepAnEventWhenNobodyHasAsked() {
        ringAQueueThatIsNotThere();
        assertEquals(DOORBELL_REGISTER, event(request()));
    }

    @Test
    void shouldMaskATypeUntilItsLogIsRead() {
        ringAQueueThatIsNotThere();
        assertEquals(DOORBELL_REGISTER, event(request()));
        ringPastTheEnd();
        int waiting = request();
        driver.identify(1, 0);
        assertNull(driver.admin.poll(waiting), "masked");
        readLog(LogPages.HEALTH, 0);
        assertNull(driver.admin.poll(waiting), "another type's log");
        readLog(LogPages.ERROR_INFORMATION, RETAIN);
        driver.identify(1, 0);
        assertNull(driver.admin.poll(waiting), "RAE: the event is retained");
        readLog(LogPages.ERROR_INFORMATION, 0);
        driver.identify(1, 0);
        assertNull(driver.admin.poll(waiting), "what the log told is not told again");
        ringPastTheEnd();
        assertEquals(DOORBELL_VALUE, event(waiting));
    }

    @Test
    void shouldTellTypesIndependently() {
        ringPastTheEnd();
        assertEquals(DOORBELL_VALUE, event(request()));
        setFeature(Features.ASYNCHRONOUS_EVENT_CONFIGURATION, CriticalWarnings.TEMPERATURE);
        setFeature(Features.TEMPERATURE_THRESHOLD, 290);
        assertEquals(TEMPERATURE, event(request()));
    }

    /** 5.21.1.4, 5.21.1.11: told when it is wanted, and again when it has come back. */
    @Test
    void shouldTellOfATemperatureWhenItPassesItsThreshold() {
        setFeature(Features.TEMPERATURE_THRESHOLD, 290);
        int waiting = request();
        driver.identify(1, 0);
        assertNull(driver.admin.poll(waiting), "not wanted");
        setFeature(Features.ASYNCHRONOUS_EVENT_CONFIGURATION, CriticalWarnings.TEMPERATURE);
        assertEquals(TEMPERATURE, event(waiting));
        assertEquals(CriticalWarnings.TEMPERATURE, warning(readLog(LogPages.HEALTH, 0)));
        waiting = request();
        setFeature(Features.TEMPERATURE_THRESHOLD, 280);
        assertNull(driver.admin.poll(waiting), "it is still there");
        setFeature(Features.TEMPERATURE_THRESHOLD, 310);
        assertEquals(0, warning(readLog(LogPages.HEALTH, 0)));
        setFeature(Features.TEMPERATURE_THRESHOLD, 1 << 20 | 305);
        assertEquals(TEMPERATURE, event(waiting), "under the lower threshold");
    }

    private static int warning(MemorySegment log) {
        return log.get(LittleEndian.SHORT, 0) & 0xFF;
    }

    @Test
    void shouldTellOfAnImageThatFails() {
        setFeature(Features.ASYNCHRONOUS_EVENT_CONFIGURATION, 0x1F);
        int waiting = request();
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        image.failing = true;
        long page = driver.allocate(1);
        queue.call(NvmeDriver.transfer(NvmOpcode.READ, 0, 1, page, 0))
                .assertStatus(StatusCode.UNRECOVERED_READ_ERROR);
        assertEquals(RELIABILITY, event(waiting));
        MemorySegment log = readLog(LogPages.HEALTH, 0);
        assertEquals(CriticalWarnings.RELIABILITY, warning(log));
        assertEquals(1, log.get(LittleEndian.LONG, 160), "media errors");
        assertEquals(1, log.get(LittleEndian.LONG, 176), "error log entries");
    }

    @Test
    void shouldTellOfAnImageThatIsFull() {
        setFeature(Features.ASYNCHRONOUS_EVENT_CONFIGURATION, 0x1F);
        int waiting = request();
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        image.full = true;
        long page = driver.allocate(1);
        queue.call(NvmeDriver.transfer(NvmOpcode.WRITE, 0, 1, page, 0))
                .assertStatus(StatusCode.CAPACITY_EXCEEDED);
        assertEquals(SPARE, event(waiting));
        MemorySegment log = readLog(LogPages.HEALTH, 0);
        assertEquals(CriticalWarnings.SPARE, warning(log));
        assertEquals(0, log.get(LittleEndian.INT, 0) >>> 24, "available spare");
    }

    /** 5.14.1.1: a reset takes the entries, not the count. */
    @Test
    void shouldEmptyTheErrorLogWhenTheControllerIsReset() {
        ringAQueueThatIsNotThere();
        assertEquals(1, readLog(LogPages.ERROR_INFORMATION, 0).get(LittleEndian.LONG, 0));
        driver.disable();
        driver.enable();
        assertEquals(0, readLog(LogPages.ERROR_INFORMATION, 0).get(LittleEndian.LONG, 0));
        ringAQueueThatIsNotThere();
        assertEquals(2, readLog(LogPages.ERROR_INFORMATION, 0).get(LittleEndian.LONG, 0));
    }
}
