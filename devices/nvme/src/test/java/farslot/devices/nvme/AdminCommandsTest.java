package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What admin commands do where nothing is wrong. Sections are of NVMe 1.4. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class AdminCommandsTest {
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
        image.openGate();
        bench.close();
    }

    private static NvmeDriver.Entry admin(AdminOpcode opcode) {
        return NvmeDriver.admin(opcode);
    }

    private MemorySegment identify(int cns, int namespace) {
        return MemorySegment.ofArray(driver.identify(cns, namespace));
    }

    /** 5.15.2.2, figure 251: what is claimed is what is there. */
    @Test
    void theControllerClaimsWhatItHas() {
        byte[] bytes = driver.identify(1, 0);
        MemorySegment data = MemorySegment.ofArray(bytes);
        assertEquals(0x1234, data.get(LittleEndian.SHORT, 0));
        assertEquals("SERIAL", new String(bytes, 4, 20, StandardCharsets.US_ASCII).strip());
        assertEquals("MODEL", new String(bytes, 24, 40, StandardCharsets.US_ASCII).strip());
        assertEquals(8, bytes[77], "MDTS: 1 MiB");
        assertEquals(0x0001_0400, data.get(LittleEndian.INT, 80));
        assertEquals(0, data.get(LittleEndian.INT, 92), "OAES: no notices");
        assertEquals(1, bytes[111], "CNTRLTYPE: I/O");
        assertEquals(0, data.get(LittleEndian.SHORT, 256), "OACS: no doorbell buffers");
        assertEquals(AsynchronousEvents.REQUEST_LIMIT - 1, bytes[259], "AERL");
        assertEquals(0x66, bytes[512], "SQES");
        assertEquals(0x44, bytes[513], "CQES");
        assertEquals(1, data.get(LittleEndian.INT, 516), "NN");
        assertEquals(0b11111, data.get(LittleEndian.SHORT, 520), "ONCS");
        assertEquals(0b111, bytes[525], "VWC");
        assertEquals(1, data.get(LittleEndian.INT, 536), "SGLS: of any alignment");
        String name = new String(bytes, 768, 256, StandardCharsets.UTF_8);
        assertTrue(name.startsWith("nqn.2014-08.org.nvmexpress:uuid:"), name);
    }

    /** 5.15.2.1, figure 249. */
    @Test
    void theNamespaceHasTheImagesSize() {
        MemorySegment data = identify(0, 1);
        for (int offset : new int[] {0, 8, 16}) {
            assertEquals(2048, data.get(LittleEndian.LONG, offset));
        }
        assertEquals(9 << 16, data.get(LittleEndian.INT, 128), "LBAF0: 512 bytes");
        assertEquals(0b1001, data.toArray(BYTE)[33], "DLFEAT");
    }

    @Test
    void anImageWithoutHolesPromisesNothingOfDeallocatedBlocks() {
        image.holes = false;
        assertEquals(0, driver.identify(0, 1)[33], "DLFEAT");
    }

    /** 5.15.2.3 and 5.15.2.4. */
    @Test
    void theNamespaceIsListedAndHasItsUuid() {
        assertEquals(1, identify(2, 0).get(LittleEndian.INT, 0));
        assertEquals(0, identify(2, 0).get(LittleEndian.INT, 4));
        assertEquals(0, identify(2, 1).get(LittleEndian.INT, 0));
        byte[] descriptors = driver.identify(3, 1);
        assertEquals(3, descriptors[0], "NIDT: UUID");
        assertEquals(16, descriptors[1]);
        ByteBuffer buffer = ByteBuffer.wrap(descriptors);
        assertEquals(Namespace.uuidOf("bench0"), new UUID(buffer.getLong(4), buffer.getLong(12)));
        assertEquals(0, descriptors[20]);
    }

    /** Only error recovery is a namespace's own. */
    private static int namespaceOf(int feature) {
        return (feature & 0xFF) == Features.ERROR_RECOVERY ? 1 : 0;
    }

    private int getFeature(int dword10, int dword11) {
        return driver.admin
                .call(
                        admin(AdminOpcode.GET_FEATURES)
                                .namespace(namespaceOf(dword10))
                                .dword(10, dword10)
                                .dword(11, dword11))
                .ok()
                .result();
    }

    private int setFeature(int feature, int value) {
        return driver.admin
                .call(
                        admin(AdminOpcode.SET_FEATURES)
                                .namespace(namespaceOf(feature))
                                .dword(10, feature)
                                .dword(11, value))
                .ok()
                .result();
    }

    /** 5.21.1: default, a value, and what it can do (5.13, SEL). */
    @ParameterizedTest
    @CsvSource({
        "1, 0, 0x04030207, 4",
        "2, 0, 0x20, 4",
        "5, 0, 0x1234, 6",
        "6, 1, 0, 4",
        "8, 0, 0x0a05, 4",
        "10, 0, 1, 4",
        "11, 0, 0x1f, 4"
    })
    void aFeatureKeepsItsValueUntilAReset(int feature, int otherwise, String text, int abilities) {
        int value = Integer.decode(text);
        assertEquals(otherwise, getFeature(feature, 0));
        setFeature(feature, value);
        assertEquals(value, getFeature(feature, 0));
        assertEquals(otherwise, getFeature(feature | 1 << 8, 0), "default");
        assertEquals(otherwise, getFeature(feature | 2 << 8, 0), "saved");
        assertEquals(abilities, getFeature(feature | 3 << 8, 0), "abilities");
        driver.disable();
        driver.enable();
        assertEquals(otherwise, getFeature(feature, 0));
    }

    /** 5.21.1.4. */
    @Test
    void temperatureThresholdsAreKeptApart() {
        assertEquals(343, getFeature(4, 0));
        assertEquals(0, getFeature(4, 1 << 20));
        setFeature(4, 350);
        setFeature(4, 1 << 20 | 0xF << 16 | 280);
        assertEquals(350, getFeature(4, 0));
        assertEquals(280, getFeature(4, 1 << 20));
        assertEquals(343, getFeature(4 | 1 << 8, 0));
    }

    /** 5.21.1.7. */
    @Test
    void asManyQueuesAreGivenAsAskedForAndAsThereAre() {
        assertEquals(0x0003_0003, getFeature(7, 0));
        assertEquals(0x0003_0003, setFeature(7, 0x0040_0040));
        assertEquals(0x0001_0000, setFeature(7, 0x0001_0000));
        assertEquals(0x0001_0000, getFeature(7, 0));
        long page = driver.allocate(1);
        driver.admin.call(driver.createCompletionQueue(2, 8, page, 1)).ok();
        driver.admin
                .call(driver.createSubmissionQueue(2, 8, page, 2))
                .assertStatus(StatusCode.INVALID_QUEUE_IDENTIFIER);
    }

    /** 5.21.1.9. */
    @Test
    void eachVectorHasItsCoalescing() {
        setFeature(9, 2 | 1 << 16);
        assertEquals(2 | 1 << 16, getFeature(9, 2));
        assertEquals(1, getFeature(9, 1));
        assertEquals(2, getFeature(9 | 1 << 8, 2));
    }

    private MemorySegment logPage(int page, int bytes) {
        long address = driver.allocate(2);
        driver.admin
                .call(
                        admin(AdminOpcode.GET_LOG_PAGE)
                                .namespace(-1)
                                .prp(address, address + 4096)
                                .dword(10, page | (bytes / 4 - 1) << 16))
                .ok();
        return driver.memory(address, bytes);
    }

    /** 5.14.1.2. */
    @Test
    void theHealthLogCounts() {
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        long page = driver.allocate(1);
        for (int i = 0; i < 3; i++) {
            queue.call(NvmeDriver.transfer(NvmOpcode.WRITE, 0, 8, page, 0)).ok();
        }
        queue.call(NvmeDriver.transfer(NvmOpcode.READ, 0, 8, page, 0)).ok();
        MemorySegment log = logPage(2, 512);
        assertEquals(300, log.get(LittleEndian.SHORT, 1));
        assertEquals(0, log.get(LittleEndian.SHORT, 0) & 0xFF, "no critical warning");
        assertEquals(1, log.get(LittleEndian.LONG, 32), "thousands of 512 bytes, rounded up");
        assertEquals(1, log.get(LittleEndian.LONG, 64));
        assertEquals(3, log.get(LittleEndian.LONG, 80));
        assertEquals(0, log.get(LittleEndian.LONG, 176));
    }

    /** 5.2 and 5.21.1.4: a threshold below the temperature is an event, if asked for. */
    @Test
    void aTemperatureBeyondItsThresholdIsAnEvent() {
        int request = driver.admin.submit(admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST));
        setFeature(4, 290);
        assertEquals(1 << 1, logPage(2, 512).get(LittleEndian.SHORT, 0) & 0xFF);
        assertNull(driver.admin.poll(request));
        setFeature(11, 1 << 1);
        assertEquals(0x02_01_01, driver.admin.await(request).ok().result());
    }

    /** 5.14.1.1. */
    @Test
    void theErrorLogSaysWhatWasWrongAndWhere() {
        NvmeDriver.Queue queue = driver.createQueue(1, 16, 1);
        NvmeDriver.Entry bad = NvmeDriver.transfer(NvmOpcode.WRITE, 5000, 8, 0, 0);
        NvmeDriver.Completion completion = queue.call(bad);
        completion.assertStatus(StatusCode.LBA_OUT_OF_RANGE);
        assertTrue((completion.status() & 1 << 13) != 0, "more");
        MemorySegment log = logPage(1, 128);
        assertEquals(1, log.get(LittleEndian.LONG, 0));
        assertEquals(1, log.get(LittleEndian.SHORT, 8), "queue");
        assertEquals(completion.command(), log.get(LittleEndian.SHORT, 10));
        assertEquals(40, log.get(LittleEndian.SHORT, 14), "the byte in the command");
        assertEquals(5000, log.get(LittleEndian.LONG, 16));
        assertEquals(1, log.get(LittleEndian.INT, 24));
        assertEquals(0, log.get(LittleEndian.LONG, 64), "no second one");
    }

    /** 5.14.1.3 and 5.14.1.5. */
    @Test
    void theOtherLogsAreThere() {
        assertEquals(1, logPage(3, 512).get(LittleEndian.SHORT, 0));
        MemorySegment effects = logPage(5, 4096);
        for (int opcode = 0; opcode < 256; opcode++) {
            assertEquals(
                    AdminOpcode.ofCode(opcode) == null ? 0 : 1,
                    effects.get(LittleEndian.INT, opcode * 4L) & 1);
            assertEquals(
                    NvmOpcode.ofCode(opcode) == null ? 0 : 1,
                    effects.get(LittleEndian.INT, 1024 + opcode * 4L) & 1);
        }
    }

    /** 5.14: offsets, and no more than there is. */
    @Test
    void aLogPageIsReadInPieces() {
        long address = driver.allocate(2);
        driver.memory(address, 8192).fill((byte) 0x77);
        driver.admin
                .call(
                        admin(AdminOpcode.GET_LOG_PAGE)
                                .prp(address, address + 4096)
                                .dword(10, 3 | 1023 << 16)
                                .dword(12, 8))
                .ok();
        MemorySegment log = driver.memory(address, 8192);
        assertEquals(
                "0.1.0   ", new String(log.asSlice(0, 8).toArray(BYTE), StandardCharsets.US_ASCII));
        assertEquals(0x77, log.toArray(BYTE)[504], "behind the page's end");
    }

    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    /** 5.5, 5.6. */
    @Test
    void queuesAreDeletedAndMadeAgain() {
        for (int i = 0; i < 3; i++) {
            NvmeDriver.Queue queue = driver.createQueue(4, 16, 1);
            queue.call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
            driver.admin.call(admin(AdminOpcode.DELETE_IO_SUBMISSION_QUEUE).dword(10, 4)).ok();
            driver.admin.call(admin(AdminOpcode.DELETE_IO_COMPLETION_QUEUE).dword(10, 4)).ok();
        }
    }

    /** 5.6: all commands of the queue have ended when the deletion has. */
    @Test
    void deletingAQueueEndsItsCommands() {
        NvmeDriver.Queue queue = driver.createQueue(1, 64, 1);
        image.closeGate();
        List<Integer> commands = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            commands.add(queue.put(NvmeDriver.io(NvmOpcode.FLUSH)));
        }
        queue.ring();
        while (image.waiting.get() == 0) {
            Thread.onSpinWait();
        }
        // The workers that this bench has are all held up: let them go once the deletion is there.
        int deletion =
                driver.admin.submit(admin(AdminOpcode.DELETE_IO_SUBMISSION_QUEUE).dword(10, 1));
        image.openGate();
        driver.admin.await(deletion).ok();
        int ended = 0;
        for (int command : commands) {
            NvmeDriver.Completion completion = queue.poll(command);
            if (completion != null) {
                ended++;
                assertTrue(completion.code() == 0 || completion.code() == 8);
            }
        }
        assertTrue(ended > 0, "those that were fetched");
        long changes = bench.changes();
        driver.identify(1, 0);
        assertTrue(bench.changes() > changes);
        for (int command : commands) {
            assertNull(queue.poll(command), "none comes later");
        }
    }

    /** 5.1. */
    @Test
    void anEventRequestCanBeAborted() {
        int request = driver.admin.submit(admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST));
        while (true) {
            int result =
                    driver.admin
                            .call(admin(AdminOpcode.ABORT).dword(10, request << 16))
                            .ok()
                            .result();
            if (result == 0) {
                break;
            }
        }
        driver.admin.await(request).assertStatus(StatusCode.COMMAND_ABORT_REQUESTED);
        int none = driver.admin.call(admin(AdminOpcode.ABORT).dword(10, 9 << 16)).ok().result();
        assertEquals(1, none, "not aborted");
        none = driver.admin.call(admin(AdminOpcode.ABORT).dword(10, 3)).ok().result();
        assertEquals(1, none, "no such queue");
    }
}
