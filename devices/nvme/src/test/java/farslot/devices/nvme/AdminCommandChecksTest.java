package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bad field of an admin command has one status, and the controller goes on. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class AdminCommandChecksTest {
    private static final long PAGE = DriverSide.RAM_ADDRESS + (20 << 20);
    private static final long NOWHERE = 0x7000_0000_0000L;

    private static final String OPCODE = "0/01h DNR";
    private static final String FIELD = "0/02h DNR";
    private static final String TRANSFER = "0/04h";
    private static final String NAMESPACE = "0/0Bh DNR";
    private static final String SEQUENCE = "0/0Ch DNR";
    private static final String PRP_OFFSET = "0/13h DNR";
    private static final String COMPLETION_QUEUE = "1/00h DNR";
    private static final String QUEUE_IDENTIFIER = "1/01h DNR";
    private static final String QUEUE_SIZE = "1/02h DNR";
    private static final String VECTOR = "1/08h DNR";
    private static final String LOG_PAGE = "1/09h DNR";
    private static final String QUEUE_DELETION = "1/0Ch DNR";
    private static final String NOT_SAVEABLE = "1/0Dh DNR";
    private static final String NOT_OF_A_NAMESPACE = "1/0Fh DNR";

    private ControllerBench bench;
    private NvmeDriver driver;

    /** Two namespaces, four queue pairs, of which the first exists. */
    @BeforeEach
    void build() {
        bench = new ControllerBench(new MemoryImage(1 << 20), new MemoryImage(1 << 20));
        driver = new NvmeDriver(bench).enable();
        driver.createQueue(1, 16, 1);
    }

    @AfterEach
    void close() throws IOException {
        bench.close();
    }

    private static NvmeDriver.Entry admin(AdminOpcode opcode) {
        return NvmeDriver.admin(opcode).prp(PAGE, 0);
    }

    private static NvmeDriver.Entry identify(int cns, int namespace) {
        return admin(AdminOpcode.IDENTIFY).dword(10, cns).namespace(namespace);
    }

    private static NvmeDriver.Entry completionQueue(int dword10, int dword11) {
        return admin(AdminOpcode.CREATE_IO_COMPLETION_QUEUE).dword(10, dword10).dword(11, dword11);
    }

    private static NvmeDriver.Entry submissionQueue(int dword10, int dword11) {
        return admin(AdminOpcode.CREATE_IO_SUBMISSION_QUEUE).dword(10, dword10).dword(11, dword11);
    }

    private static NvmeDriver.Entry deletion(AdminOpcode opcode, int queue) {
        return admin(opcode).dword(10, queue);
    }

    /** The health log, all of it. */
    private static NvmeDriver.Entry logPage() {
        return admin(AdminOpcode.GET_LOG_PAGE).dword(10, 2 | 127 << 16);
    }

    private static NvmeDriver.Entry setFeature(int dword10, int dword11) {
        return admin(AdminOpcode.SET_FEATURES).dword(10, dword10).dword(11, dword11);
    }

    private static NvmeDriver.Entry getFeature(int dword10, int dword11) {
        return admin(AdminOpcode.GET_FEATURES).dword(10, dword10).dword(11, dword11);
    }

    private static CheckedCommand row(
            String section, String wrong, String ends, String location, NvmeDriver.Entry entry) {
        return new CheckedCommand(section, wrong, ends, location, entry);
    }

    static List<CheckedCommand> ofAllCommands() {
        List<CheckedCommand> rows = new ArrayList<>();
        // 07h, 80h and so on are commands, but none that this controller has.
        for (int opcode : new int[] {3, 7, 0x0D, 0x10, 0x11, 0x14, 0x18, 0x7C, 0x80, 0x81, 0xFF}) {
            String wrong = "opcode " + opcode;
            rows.add(row("5", wrong, OPCODE, "0.0", new NvmeDriver.Entry(opcode)));
        }
        NvmeDriver.Entry fused = identify(1, 0);
        fused.dwords[0] |= 1 << 8;
        rows.add(row("4.2", "FUSE is 1", FIELD, "1.0", fused));
        for (int psdt = 1; psdt <= 3; psdt++) {
            NvmeDriver.Entry sgl = identify(1, 0);
            sgl.dwords[0] |= psdt << 14;
            rows.add(row("4.2", "PSDT is " + psdt, FIELD, "1.6", sgl));
        }
        for (AdminOpcode opcode : AdminOpcode.values()) {
            if (!opcode.usesNamespace()) {
                NvmeDriver.Entry entry = admin(opcode).namespace(1);
                rows.add(row("4.2", opcode + " has an NSID", FIELD, "4.0", entry));
            }
        }
        return rows;
    }

    static List<CheckedCommand> ofIdentify() {
        List<CheckedCommand> rows = new ArrayList<>();
        for (int cns : new int[] {0x04, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x17, 0xFF}) {
            rows.add(row("5.15", "CNS " + cns, FIELD, "40.0", identify(cns, 0)));
        }
        rows.add(row("5.15.2.1", "NSID is 0", NAMESPACE, "4.0", identify(0, 0)));
        rows.add(row("5.15.2.1", "NSID above NN", NAMESPACE, "4.0", identify(0, 3)));
        rows.add(row("5.15.2.1", "all NSIDs", NAMESPACE, "4.0", identify(0, -1)));
        rows.add(row("5.15.2.2", "NSID not used", FIELD, "4.0", identify(1, 1)));
        rows.add(row("5.15.2.3", "NSID FFFFFFFEh", NAMESPACE, "4.0", identify(2, -2)));
        rows.add(row("5.15.2.3", "all NSIDs", NAMESPACE, "4.0", identify(2, -1)));
        rows.add(row("5.15.2.4", "NSID is 0", NAMESPACE, "4.0", identify(3, 0)));
        rows.add(row("5.15.2.4", "NSID above NN", NAMESPACE, "4.0", identify(3, 3)));
        rows.add(row("4.3", "PRP1 is odd", PRP_OFFSET, "24.0", identify(1, 0).prp(PAGE + 1, 0)));
        rows.add(
                row(
                        "4.3",
                        "PRP2 has an offset",
                        PRP_OFFSET,
                        "32.0",
                        identify(1, 0).prp(PAGE + 4, PAGE + 8)));
        rows.add(row("4.3", "no memory", TRANSFER, "24.0", identify(1, 0).prp(NOWHERE, 0)));
        rows.add(
                row(
                        "4.3",
                        "no memory in half",
                        TRANSFER,
                        "24.0",
                        identify(1, 0).prp(PAGE + 2048, NOWHERE)));
        return rows;
    }

    static List<CheckedCommand> ofQueues() {
        int size = 15 << 16;
        String id = QUEUE_IDENTIFIER;
        AdminOpcode deleteCompletion = AdminOpcode.DELETE_IO_COMPLETION_QUEUE;
        AdminOpcode deleteSubmission = AdminOpcode.DELETE_IO_SUBMISSION_QUEUE;
        List<CheckedCommand> rows = new ArrayList<>();
        rows.add(row("5.3", "QID is 0", id, "40.0", completionQueue(size, 3)));
        rows.add(row("5.3", "QID above NCQA", id, "40.0", completionQueue(5 | size, 3)));
        rows.add(row("5.3", "QID is used", id, "40.0", completionQueue(1 | size, 3)));
        rows.add(row("5.3", "QSIZE is 0", QUEUE_SIZE, "42.0", completionQueue(2, 3)));
        rows.add(
                row("5.3", "QSIZE > MQES", QUEUE_SIZE, "42.0", completionQueue(2 | 1024 << 16, 3)));
        rows.add(row("5.3", "PC is 0", FIELD, "44.0", completionQueue(2 | size, 2)));
        rows.add(row("5.3", "IV", VECTOR, "46.0", completionQueue(2 | size, 5 << 16 | 3)));
        rows.add(
                row(
                        "5.3",
                        "PRP1 has an offset",
                        PRP_OFFSET,
                        "24.0",
                        completionQueue(2 | size, 3).prp(PAGE + 64, 0)));
        int ofFirst = 1 << 16 | 1;
        rows.add(row("5.4", "QID is 0", id, "40.0", submissionQueue(size, ofFirst)));
        rows.add(row("5.4", "QID above NSQA", id, "40.0", submissionQueue(5 | size, ofFirst)));
        rows.add(row("5.4", "QID is used", id, "40.0", submissionQueue(1 | size, ofFirst)));
        rows.add(row("5.4", "QSIZE is 0", QUEUE_SIZE, "42.0", submissionQueue(2, ofFirst)));
        rows.add(
                row(
                        "5.4",
                        "QSIZE > MQES",
                        QUEUE_SIZE,
                        "42.0",
                        submissionQueue(2 | 1024 << 16, ofFirst)));
        rows.add(row("5.4", "PC is 0", FIELD, "44.0", submissionQueue(2 | size, 1 << 16)));
        rows.add(row("5.4", "CQID is 0", id, "46.0", submissionQueue(2 | size, 1)));
        rows.add(row("5.4", "CQID above", id, "46.0", submissionQueue(2 | size, 9 << 16 | 1)));
        rows.add(
                row(
                        "5.4",
                        "CQID of no queue",
                        COMPLETION_QUEUE,
                        "46.0",
                        submissionQueue(2 | size, 3 << 16 | 1)));
        rows.add(
                row(
                        "5.4",
                        "PRP1 has an offset",
                        PRP_OFFSET,
                        "24.0",
                        submissionQueue(2 | size, ofFirst).prp(PAGE + 64, 0)));
        for (int queue : new int[] {0, 2, 5, 0xFFFF}) {
            String wrong = "QID is " + queue;
            rows.add(row("5.5", wrong, id, "40.0", deletion(deleteCompletion, queue)));
            rows.add(row("5.6", wrong, id, "40.0", deletion(deleteSubmission, queue)));
        }
        rows.add(row("5.5", "in use", QUEUE_DELETION, "40.0", deletion(deleteCompletion, 1)));
        return rows;
    }

    static List<CheckedCommand> ofLogPages() {
        List<CheckedCommand> rows = new ArrayList<>();
        for (int page : new int[] {0, 4, 6, 7, 8, 0x0D, 0x70, 0x80, 0x81, 0xFF}) {
            rows.add(row("5.14", "page " + page, LOG_PAGE, "40.0", logPage().dword(10, page)));
        }
        rows.add(row("5.14", "NSID of one", FIELD, "4.0", logPage().namespace(1)));
        rows.add(row("5.14", "LPO beyond", FIELD, "48.0", logPage().dword(12, 516)));
        rows.add(row("5.14", "LPO no dword", FIELD, "48.0", logPage().dword(12, 2)));
        rows.add(row("5.14", "LPO far beyond", FIELD, "48.0", logPage().dword(13, -1)));
        rows.add(row("5.14", "NUMD beyond MDTS", FIELD, "42.0", logPage().dword(11, 16)));
        return rows;
    }

    static List<CheckedCommand> ofFeatures() {
        List<CheckedCommand> rows = new ArrayList<>();
        for (int id : new int[] {0, 3, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x16, 0x80, 0x84, 0xC0}) {
            rows.add(row("5.13", "FID " + id, FIELD, "40.0", getFeature(id, 0)));
            rows.add(row("5.21", "FID " + id, FIELD, "40.0", setFeature(id, 0)));
        }
        for (int select = 4; select < 8; select++) {
            String wrong = "SEL is " + select;
            rows.add(row("5.13", wrong, FIELD, "41.0", getFeature(1 | select << 8, 0)));
        }
        rows.add(row("5.13", "IV beyond", FIELD, "44.0", getFeature(9, 5)));
        rows.add(row("5.13", "TMPSEL unknown", FIELD, "46.0", getFeature(4, 2 << 16)));
        rows.add(row("5.13", "THSEL unknown", FIELD, "46.4", getFeature(4, 3 << 20)));
        for (int namespace : new int[] {0, 3, -1}) {
            NvmeDriver.Entry get = getFeature(5, 0).namespace(namespace);
            rows.add(row("5.13", "NSID " + namespace, NAMESPACE, "4.0", get));
        }
        rows.add(row("5.21", "SV", NOT_SAVEABLE, "43.7", setFeature(1 | 1 << 31, 0)));
        rows.add(
                row(
                        "5.21",
                        "NSID of one",
                        NOT_OF_A_NAMESPACE,
                        "4.0",
                        setFeature(1, 0).namespace(2)));
        rows.add(row("5.21", "NSID above", NAMESPACE, "4.0", setFeature(1, 0).namespace(3)));
        for (int namespace : new int[] {0, 3}) {
            NvmeDriver.Entry set = setFeature(5, 0).namespace(namespace);
            rows.add(row("5.21", "NSID " + namespace, NAMESPACE, "4.0", set));
        }
        rows.add(row("5.21.1.2", "PS above NPSS", FIELD, "44.0", setFeature(2, 1)));
        rows.add(row("5.21.1.4", "TMPSEL unknown", FIELD, "46.0", setFeature(4, 3 << 16)));
        rows.add(row("5.21.1.4", "THSEL unknown", FIELD, "46.4", setFeature(4, 2 << 20)));
        rows.add(row("5.21.1.5", "DULBE", FIELD, "46.0", setFeature(5, 1 << 16).namespace(1)));
        rows.add(row("5.21.1.7", "queues exist", SEQUENCE, "none", setFeature(7, 0x00030003)));
        rows.add(row("5.21.1.7", "NSQR is FFFFh", FIELD, "44.0", setFeature(7, 0xFFFF)));
        rows.add(row("5.21.1.7", "NCQR is FFFFh", FIELD, "46.0", setFeature(7, 0xFFFF0000)));
        rows.add(row("5.21.1.9", "IV beyond", FIELD, "44.0", setFeature(9, 5)));
        rows.add(row("5.21.1.11", "a notice", FIELD, "45.0", setFeature(11, 1 << 8)));
        return rows;
    }

    @ParameterizedTest
    @MethodSource({"ofAllCommands", "ofIdentify", "ofQueues", "ofLogPages", "ofFeatures"})
    void shouldEndWithTheStatusOfTheSpecificationWhen(CheckedCommand row) {
        row.check(driver, driver.admin);
        assertEquals(1, bench.state.errors().count());
        driver.identify(1, 0);
    }

    /** 5.21.1.6: without a cache there is no feature of it. */
    @Test
    void shouldRefuseTheWriteCacheFeatureWhenThereIsNoCache() throws IOException {
        bench.close();
        bench = new ControllerBench(512, false, new MemoryImage(1 << 20));
        driver = new NvmeDriver(bench).enable();
        row("5.13", "FID 6", FIELD, "40.0", getFeature(6, 0)).check(driver, driver.admin);
        row("5.21", "FID 6", FIELD, "40.0", setFeature(6, 1)).check(driver, driver.admin);
    }

    /** 5.3, 5.4: CC.IOCQES and CC.IOSQES. */
    @Test
    void shouldRefuseQueuesWhenTheirEntriesHaveAnotherSize() {
        driver.disable();
        driver.enableWith(1, 32);
        row("5.3", "IOCQES", QUEUE_SIZE, "42.0", completionQueue(2 | 15 << 16, 3))
                .check(driver, driver.admin);
        row("5.4", "IOSQES", QUEUE_SIZE, "42.0", submissionQueue(2 | 15 << 16, 2 << 16 | 1))
                .check(driver, driver.admin);
    }

    /** 5.2: AERL. */
    @Test
    void shouldRefuseAnEventRequestWhenAsManyAreOutstandingAsMayBe() {
        for (int i = 0; i < AsynchronousEvents.REQUEST_LIMIT; i++) {
            driver.admin.submit(NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST));
        }
        NvmeDriver.Entry request = NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST);
        row("5.2", "beyond AERL", "1/05h DNR", "none", request).check(driver, driver.admin);
    }
}
