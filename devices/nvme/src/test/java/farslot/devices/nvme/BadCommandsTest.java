package farslot.devices.nvme;

import static farslot.devices.nvme.StatusCode.COMMAND_ID_CONFLICT;
import static farslot.devices.nvme.StatusCode.COMMAND_SEQUENCE_ERROR;
import static farslot.devices.nvme.StatusCode.COMPLETION_QUEUE_INVALID;
import static farslot.devices.nvme.StatusCode.DATA_TRANSFER_ERROR;
import static farslot.devices.nvme.StatusCode.FEATURE_IDENTIFIER_NOT_SAVEABLE;
import static farslot.devices.nvme.StatusCode.FEATURE_NOT_NAMESPACE_SPECIFIC;
import static farslot.devices.nvme.StatusCode.INVALID_COMMAND_OPCODE;
import static farslot.devices.nvme.StatusCode.INVALID_FIELD_IN_COMMAND;
import static farslot.devices.nvme.StatusCode.INVALID_INTERRUPT_VECTOR;
import static farslot.devices.nvme.StatusCode.INVALID_LOG_PAGE;
import static farslot.devices.nvme.StatusCode.INVALID_NAMESPACE_OR_FORMAT;
import static farslot.devices.nvme.StatusCode.INVALID_QUEUE_DELETION;
import static farslot.devices.nvme.StatusCode.INVALID_QUEUE_IDENTIFIER;
import static farslot.devices.nvme.StatusCode.INVALID_QUEUE_SIZE;
import static farslot.devices.nvme.StatusCode.LBA_OUT_OF_RANGE;
import static farslot.devices.nvme.StatusCode.PRP_OFFSET_INVALID;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bad field has one status, and the controller goes on. Sections are of NVMe 1.4. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class BadCommandsTest {
    private static final int BLOCKS = 2048;
    private static final long PAGE = DriverSide.RAM_ADDRESS + (20 << 20);
    private static final long NOWHERE = 0x7000_0000_0000L;

    private final MemoryImage image = new MemoryImage(BLOCKS * 512L);
    private ControllerBench bench;
    private NvmeDriver driver;
    private NvmeDriver.Queue queue;

    @BeforeEach
    void build() {
        bench = new ControllerBench(image);
        driver = new NvmeDriver(bench).enable();
        queue = driver.createQueue(1, 16, 1);
    }

    @AfterEach
    void close() throws IOException {
        bench.close();
    }

    /** What is wrong, with the section that says so; the status; the command with it. */
    record Case(String what, StatusCode status, NvmeDriver.Entry entry) {
        @Override
        public String toString() {
            return what + ": " + status;
        }
    }

    private static final List<Case> CASES = new ArrayList<>();

    private static void add(
            String what,
            StatusCode status,
            NvmeDriver.Entry entry,
            Consumer<NvmeDriver.Entry> spoil) {
        spoil.accept(entry);
        CASES.add(new Case(what, status, entry));
    }

    private static NvmeDriver.Entry admin(AdminOpcode opcode) {
        return NvmeDriver.admin(opcode).prp(PAGE, 0);
    }

    private static NvmeDriver.Entry identify() {
        return admin(AdminOpcode.IDENTIFY).dword(10, 1);
    }

    private static NvmeDriver.Entry completionQueue() {
        return admin(AdminOpcode.CREATE_IO_COMPLETION_QUEUE).dword(10, 2 | 15 << 16).dword(11, 3);
    }

    private static NvmeDriver.Entry submissionQueue() {
        return admin(AdminOpcode.CREATE_IO_SUBMISSION_QUEUE)
                .dword(10, 2 | 15 << 16)
                .dword(11, 1 << 16 | 1);
    }

    private static NvmeDriver.Entry setFeature(int feature, int value) {
        return admin(AdminOpcode.SET_FEATURES).dword(10, feature).dword(11, value);
    }

    private static NvmeDriver.Entry getFeature(int feature) {
        return admin(AdminOpcode.GET_FEATURES).dword(10, feature);
    }

    private static NvmeDriver.Entry logPage() {
        return admin(AdminOpcode.GET_LOG_PAGE).dword(10, 2 | 127 << 16);
    }

    static List<Case> adminCommands() {
        CASES.clear();
        for (int opcode : new int[] {3, 7, 0x0D, 0x10, 0x11, 0x14, 0x18, 0x7C, 0x80, 0x81, 0xFF}) {
            add(
                    "5, opcode " + opcode,
                    INVALID_COMMAND_OPCODE,
                    new NvmeDriver.Entry(opcode),
                    e -> {});
        }
        add("4.2, FUSE", INVALID_FIELD_IN_COMMAND, identify(), e -> e.dwords[0] |= 1 << 8);
        add("4.2, PSDT", INVALID_FIELD_IN_COMMAND, identify(), e -> e.dwords[0] |= 1 << 14);
        for (int cns : new int[] {0x04, 0x10, 0x11, 0x13, 0xFF}) {
            add("5.15, CNS " + cns, INVALID_FIELD_IN_COMMAND, identify(), e -> e.dword(10, cns));
        }
        add("5.15.2.1, NSID 0", INVALID_NAMESPACE_OR_FORMAT, identify(), e -> e.dword(10, 0));
        add(
                "5.15.2.1, NSID 2",
                INVALID_NAMESPACE_OR_FORMAT,
                identify().namespace(2),
                e -> e.dword(10, 0));
        add(
                "5.15.2.1, all NSIDs",
                INVALID_NAMESPACE_OR_FORMAT,
                identify().namespace(-1),
                e -> e.dword(10, 0));
        add(
                "5.15.2.3, NSID FFFFFFFEh",
                INVALID_NAMESPACE_OR_FORMAT,
                identify().namespace(-2),
                e -> e.dword(10, 2));
        add(
                "5.15.2.4, NSID 2",
                INVALID_NAMESPACE_OR_FORMAT,
                identify().namespace(2),
                e -> e.dword(10, 3));
        add("4.3, PRP1", PRP_OFFSET_INVALID, identify(), e -> e.prp(PAGE + 1, 0));
        add("4.3, PRP2", PRP_OFFSET_INVALID, identify(), e -> e.prp(PAGE + 4, PAGE + 8));
        add("4.3, no memory", DATA_TRANSFER_ERROR, identify(), e -> e.prp(NOWHERE, 0));
        add("4.3, half", DATA_TRANSFER_ERROR, identify(), e -> e.prp(PAGE + 2048, NOWHERE));

        add("5.3, QID 0", INVALID_QUEUE_IDENTIFIER, completionQueue(), e -> e.dword(10, 15 << 16));
        add("5.3, QID 5", INVALID_QUEUE_IDENTIFIER, completionQueue(), e -> e.dwords[10] += 3);
        add("5.3, QID used", INVALID_QUEUE_IDENTIFIER, completionQueue(), e -> e.dwords[10]--);
        add("5.3, QSIZE 0", INVALID_QUEUE_SIZE, completionQueue(), e -> e.dword(10, 2));
        add("5.3, QSIZE", INVALID_QUEUE_SIZE, completionQueue(), e -> e.dword(10, 2 | 1024 << 16));
        add("5.3, PC", INVALID_FIELD_IN_COMMAND, completionQueue(), e -> e.dword(11, 2));
        add("5.3, PRP1", PRP_OFFSET_INVALID, completionQueue(), e -> e.prp(PAGE + 64, 0));
        add("5.3, IV", INVALID_INTERRUPT_VECTOR, completionQueue(), e -> e.dword(11, 5 << 16 | 3));

        add("5.4, QID 0", INVALID_QUEUE_IDENTIFIER, submissionQueue(), e -> e.dword(10, 15 << 16));
        add("5.4, QID 5", INVALID_QUEUE_IDENTIFIER, submissionQueue(), e -> e.dwords[10] += 3);
        add("5.4, QID used", INVALID_QUEUE_IDENTIFIER, submissionQueue(), e -> e.dwords[10]--);
        add("5.4, QSIZE 0", INVALID_QUEUE_SIZE, submissionQueue(), e -> e.dword(10, 2));
        add("5.4, QSIZE", INVALID_QUEUE_SIZE, submissionQueue(), e -> e.dword(10, 2 | 1024 << 16));
        add("5.4, PC", INVALID_FIELD_IN_COMMAND, submissionQueue(), e -> e.dword(11, 1 << 16));
        add("5.4, PRP1", PRP_OFFSET_INVALID, submissionQueue(), e -> e.prp(PAGE + 64, 0));
        add("5.4, CQID 0", INVALID_QUEUE_IDENTIFIER, submissionQueue(), e -> e.dword(11, 1));
        add(
                "5.4, CQID 9",
                INVALID_QUEUE_IDENTIFIER,
                submissionQueue(),
                e -> e.dword(11, 9 << 16 | 1));
        add(
                "5.4, CQID 3",
                COMPLETION_QUEUE_INVALID,
                submissionQueue(),
                e -> e.dword(11, 3 << 16 | 1));

        AdminOpcode deleteCompletion = AdminOpcode.DELETE_IO_COMPLETION_QUEUE;
        AdminOpcode deleteSubmission = AdminOpcode.DELETE_IO_SUBMISSION_QUEUE;
        for (int id : new int[] {0, 2, 5, 0xFFFF}) {
            add("5.5", INVALID_QUEUE_IDENTIFIER, admin(deleteCompletion), e -> e.dword(10, id));
            add("5.6", INVALID_QUEUE_IDENTIFIER, admin(deleteSubmission), e -> e.dword(10, id));
        }
        add("5.5, in use", INVALID_QUEUE_DELETION, admin(deleteCompletion), e -> e.dword(10, 1));

        for (int page : new int[] {0, 4, 6, 7, 0x0D, 0x70, 0x80, 0xFF}) {
            add("5.14, page " + page, INVALID_LOG_PAGE, logPage(), e -> e.dword(10, page));
        }
        add("5.14, NSID", INVALID_FIELD_IN_COMMAND, logPage(), e -> e.namespace(1));
        add("5.14, offset", INVALID_FIELD_IN_COMMAND, logPage(), e -> e.dword(12, 516));
        add("5.14, odd offset", INVALID_FIELD_IN_COMMAND, logPage(), e -> e.dword(12, 2));
        add("5.14, far offset", INVALID_FIELD_IN_COMMAND, logPage(), e -> e.dword(13, -1));
        add("5.14, MDTS", INVALID_FIELD_IN_COMMAND, logPage(), e -> e.dword(11, 16));

        for (int feature : new int[] {0, 3, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x80, 0xC0}) {
            add("5.13, " + feature, INVALID_FIELD_IN_COMMAND, getFeature(feature), e -> {});
            add("5.21, " + feature, INVALID_FIELD_IN_COMMAND, setFeature(feature, 0), e -> {});
        }
        add("5.13, SEL", INVALID_FIELD_IN_COMMAND, getFeature(1), e -> e.dwords[10] |= 4 << 8);
        add("5.13.1, vector", INVALID_FIELD_IN_COMMAND, getFeature(9), e -> e.dword(11, 5));
        add(
                "5.21, SV",
                FEATURE_IDENTIFIER_NOT_SAVEABLE,
                setFeature(1, 0),
                e -> e.dwords[10] |= 1 << 31);
        add("5.21, NSID", FEATURE_NOT_NAMESPACE_SPECIFIC, setFeature(1, 0), e -> e.namespace(1));
        add("5.21, NSID", INVALID_NAMESPACE_OR_FORMAT, setFeature(1, 0), e -> e.namespace(2));
        add("5.21.1.2, PS", INVALID_FIELD_IN_COMMAND, setFeature(2, 1), e -> {});
        add("5.21.1.4, TMPSEL", INVALID_FIELD_IN_COMMAND, setFeature(4, 3 << 16), e -> {});
        add("5.21.1.4, THSEL", INVALID_FIELD_IN_COMMAND, setFeature(4, 2 << 20), e -> {});
        add("5.21.1.5, DULBE", INVALID_FIELD_IN_COMMAND, setFeature(5, 1 << 16), e -> {});
        add("5.21.1.7, late", COMMAND_SEQUENCE_ERROR, setFeature(7, 0x00030003), e -> {});
        add("5.21.1.7, NSQR", INVALID_FIELD_IN_COMMAND, setFeature(7, 0xFFFF), e -> {});
        add("5.21.1.7, NCQR", INVALID_FIELD_IN_COMMAND, setFeature(7, 0xFFFF0000), e -> {});
        add("5.21.1.9, IV", INVALID_FIELD_IN_COMMAND, setFeature(9, 5), e -> {});
        add("5.21.1.11, notices", INVALID_FIELD_IN_COMMAND, setFeature(11, 1 << 8), e -> {});
        return List.copyOf(CASES);
    }

    private static NvmeDriver.Entry transfer(NvmOpcode opcode) {
        return NvmeDriver.transfer(opcode, 0, 8, PAGE, 0);
    }

    static List<Case> nvmCommands() {
        CASES.clear();
        for (int opcode : new int[] {0x04, 0x05, 0x0C, 0x0D, 0x0E, 0x11, 0x15, 0x80, 0xFF}) {
            NvmeDriver.Entry entry = new NvmeDriver.Entry(opcode).namespace(1);
            add("6, opcode " + opcode, INVALID_COMMAND_OPCODE, entry, e -> {});
        }
        for (NvmOpcode opcode : NvmOpcode.values()) {
            String name = "6, " + opcode;
            add(
                    name + " FUSE",
                    INVALID_FIELD_IN_COMMAND,
                    transfer(opcode),
                    e -> e.dwords[0] |= 2 << 8);
            add(
                    name + " PSDT",
                    INVALID_FIELD_IN_COMMAND,
                    transfer(opcode),
                    e -> e.dwords[0] |= 2 << 14);
            add(name + " NSID", INVALID_NAMESPACE_OR_FORMAT, transfer(opcode), e -> e.namespace(0));
            add(name + " NSID", INVALID_NAMESPACE_OR_FORMAT, transfer(opcode), e -> e.namespace(2));
        }
        for (NvmOpcode opcode :
                new NvmOpcode[] {NvmOpcode.READ, NvmOpcode.WRITE, NvmOpcode.WRITE_ZEROES}) {
            String name = "6, " + opcode;
            add(name + " all", INVALID_NAMESPACE_OR_FORMAT, transfer(opcode), e -> e.namespace(-1));
            add(name + " end", LBA_OUT_OF_RANGE, transfer(opcode), e -> e.dword(10, BLOCKS - 7));
            add(name + " beyond", LBA_OUT_OF_RANGE, transfer(opcode), e -> e.dword(11, 1));
            add(name + " negative", LBA_OUT_OF_RANGE, transfer(opcode), e -> e.dword(11, -1));
            add(
                    name + " wrapping",
                    LBA_OUT_OF_RANGE,
                    transfer(opcode),
                    e -> e.dword(10, -1).dword(11, -1));
        }
        for (NvmOpcode opcode : new NvmOpcode[] {NvmOpcode.READ, NvmOpcode.WRITE}) {
            String name = "6, " + opcode;
            add(name + " MDTS", INVALID_FIELD_IN_COMMAND, transfer(opcode), e -> e.dword(12, 2048));
            add(name + " PRP1", PRP_OFFSET_INVALID, transfer(opcode), e -> e.prp(PAGE + 2, 0));
            add(
                    name + " PRP2",
                    PRP_OFFSET_INVALID,
                    transfer(opcode),
                    e -> e.prp(PAGE + 4, PAGE + 4));
            add(name + " nowhere", DATA_TRANSFER_ERROR, transfer(opcode), e -> e.prp(NOWHERE, 0));
            add(
                    name + " list nowhere",
                    DATA_TRANSFER_ERROR,
                    transfer(opcode),
                    e -> e.prp(PAGE, NOWHERE).dword(12, 63));
        }
        NvmOpcode write = NvmOpcode.WRITE;
        add("6.15, DTYPE", INVALID_FIELD_IN_COMMAND, transfer(write), e -> e.dwords[12] |= 1 << 20);
        NvmOpcode dataset = NvmOpcode.DATASET_MANAGEMENT;
        add("6.7, nowhere", DATA_TRANSFER_ERROR, transfer(dataset), e -> e.prp(NOWHERE, 0));
        add("6.7, PRP1", PRP_OFFSET_INVALID, transfer(dataset), e -> e.prp(PAGE + 1, 0));
        return List.copyOf(CASES);
    }

    @ParameterizedTest
    @MethodSource("adminCommands")
    void aBadAdminCommandEndsWithItsStatus(Case bad) {
        driver.admin.call(bad.entry).assertStatus(bad.status);
        assertEquals(1, bench.state.errors().count());
        driver.identify(1, 0);
    }

    @ParameterizedTest
    @MethodSource("nvmCommands")
    void aBadNvmCommandEndsWithItsStatusAndChangesNothing(Case bad) {
        queue.call(bad.entry).assertStatus(bad.status);
        assertEquals(0, image.writes.get());
        queue.call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
    }

    @Test
    void anIdentifierThatIsInUseIsAConflict() {
        image.closeGate();
        NvmeDriver.Entry first = NvmeDriver.io(NvmOpcode.FLUSH);
        first.dwords[0] |= 7 << 16;
        queue.putRaw(first);
        queue.putRaw(first);
        queue.ring();
        queue.await(7).assertStatus(COMMAND_ID_CONFLICT);
        image.openGate();
        queue.await(7).ok();
    }

    @Test
    void entrySizesThatAreNotOursMakeNoQueues() {
        driver.disable();
        driver.enableWith(1, 32);
        driver.admin.call(completionQueue()).assertStatus(INVALID_QUEUE_SIZE);
    }

    @Test
    void eventRequestsBeyondTheLimitAreRefused() {
        int[] requests = new int[AsyncEvents.REQUEST_LIMIT + 1];
        for (int i = 0; i < requests.length; i++) {
            requests[i] = driver.admin.submit(request());
        }
        // They may be executed in any order.
        NvmeDriver.Completion refused = null;
        while (refused == null) {
            for (int request : requests) {
                NvmeDriver.Completion completion = driver.admin.poll(request);
                refused = completion == null ? refused : completion;
            }
        }
        refused.assertStatus(StatusCode.ASYNCHRONOUS_EVENT_REQUEST_LIMIT_EXCEEDED);
    }

    private static NvmeDriver.Entry request() {
        return NvmeDriver.admin(AdminOpcode.ASYNCHRONOUS_EVENT_REQUEST);
    }
}
