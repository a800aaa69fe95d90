package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bad field of an NVM command has one status, and nothing on the disk changes. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class NvmCommandChecksTest {
    private static final int BLOCKS = 2048;
    private static final long PAGE = DriverSide.RAM_ADDRESS + (20 << 20);
    private static final long NOWHERE = 0x7000_0000_0000L;

    private static final String FIELD = "0/02h DNR";
    private static final String TRANSFER = "0/04h";
    private static final String NAMESPACE = "0/0Bh DNR";
    private static final String SGL_SEGMENT = "0/0Dh DNR";
    private static final String SGL_COUNT = "0/0Eh DNR";
    private static final String SGL_LENGTH = "0/0Fh DNR";
    private static final String SGL_TYPE = "0/11h DNR";
    private static final String PRP_OFFSET = "0/13h DNR";
    private static final String RANGE = "0/80h DNR";

    private static final List<NvmOpcode> OF_BLOCKS =
            List.of(
                    NvmOpcode.READ,
                    NvmOpcode.WRITE,
                    NvmOpcode.COMPARE,
                    NvmOpcode.WRITE_UNCORRECTABLE,
                    NvmOpcode.WRITE_ZEROES);
    private static final List<NvmOpcode> WITH_DATA =
            List.of(NvmOpcode.READ, NvmOpcode.WRITE, NvmOpcode.COMPARE);

    private final MemoryImage image = new MemoryImage(BLOCKS * 512L);
    private final MemoryImage second = new MemoryImage(BLOCKS * 512L * 2);
    private ControllerBench bench;
    private NvmeDriver driver;
    private NvmeDriver.Queue queue;

    @BeforeEach
    void build() {
        bench = new ControllerBench(image, second);
        driver = new NvmeDriver(bench).enable();
        queue = driver.createQueue(1, 16, 1);
    }

    @AfterEach
    void close() throws IOException {
        bench.close();
    }

    private static NvmeDriver.Entry of(NvmOpcode opcode) {
        return NvmeDriver.transfer(opcode, 0, 8, PAGE, 0);
    }

    private static NvmeDriver.Entry orDword0(NvmeDriver.Entry entry, int bits) {
        entry.dwords[0] |= bits;
        return entry;
    }

    private static CheckedCommand row(
            String section, String wrong, String ends, String location, NvmeDriver.Entry entry) {
        return new CheckedCommand(section, wrong, ends, location, entry);
    }

    static List<CheckedCommand> ofAllCommands() {
        List<CheckedCommand> rows = new ArrayList<>();
        for (int opcode : new int[] {0x03, 0x0C, 0x0D, 0x0E, 0x11, 0x15, 0x80, 0xFF}) {
            NvmeDriver.Entry entry = new NvmeDriver.Entry(opcode).namespace(1);
            rows.add(row("6", "opcode " + opcode, "0/01h DNR", "0.0", entry));
        }
        for (NvmOpcode opcode : NvmOpcode.values()) {
            for (int fuse = 1; fuse <= 3; fuse++) {
                String wrong = opcode + " with FUSE " + fuse;
                rows.add(row("4.2", wrong, FIELD, "1.0", orDword0(of(opcode), fuse << 8)));
            }
            String name = opcode + " with ";
            rows.add(row("4.2", name + "PSDT 3", FIELD, "1.6", orDword0(of(opcode), 3 << 14)));
            rows.add(row("6.1", name + "NSID 0", NAMESPACE, "4.0", of(opcode).namespace(0)));
            rows.add(row("6.1", name + "NSID 3", NAMESPACE, "4.0", of(opcode).namespace(3)));
            if (opcode != NvmOpcode.FLUSH) {
                rows.add(row("6.1", name + "all", NAMESPACE, "4.0", of(opcode).namespace(-1)));
            }
        }
        return rows;
    }

    static List<CheckedCommand> ofRanges() {
        List<CheckedCommand> rows = new ArrayList<>();
        for (NvmOpcode opcode : OF_BLOCKS) {
            NvmeDriver.Entry end = of(opcode).dword(10, BLOCKS - 7);
            rows.add(row("6", opcode + " past the end", RANGE, "40.0", end));
            rows.add(row("6", opcode + " beyond", RANGE, "40.0", of(opcode).dword(11, 1)));
            rows.add(row("6", opcode + " negative", RANGE, "40.0", of(opcode).dword(11, -1)));
            NvmeDriver.Entry wrapping = of(opcode).dword(10, -1).dword(11, -1);
            rows.add(row("6", opcode + " wrapping", RANGE, "40.0", wrapping));
        }
        NvmeDriver.Entry directive = of(NvmOpcode.WRITE).dword(12, 7 | 1 << 20);
        rows.add(row("6.15", "DTYPE is 1", FIELD, "50.4", directive));
        return rows;
    }

    static List<CheckedCommand> ofData() {
        List<CheckedCommand> rows = new ArrayList<>();
        for (NvmOpcode opcode : WITH_DATA) {
            String name = opcode + ", ";
            rows.add(row("5.15.2.2", name + "MDTS", FIELD, "48.0", of(opcode).dword(12, 2048)));
            NvmeDriver.Entry odd = of(opcode).prp(PAGE + 2, 0);
            rows.add(row("4.3", name + "PRP1 is odd", PRP_OFFSET, "24.0", odd));
            NvmeDriver.Entry offset = of(opcode).prp(PAGE + 4, PAGE + 4);
            rows.add(row("4.3", name + "PRP2 has an offset", PRP_OFFSET, "32.0", offset));
            NvmeDriver.Entry list = of(opcode).prp(PAGE, PAGE + 4).dword(12, 63);
            rows.add(row("4.3", name + "a list at no qword", PRP_OFFSET, "32.0", list));
            NvmeDriver.Entry nowhere = of(opcode).prp(NOWHERE, 0);
            rows.add(row("4.3", name + "no memory", TRANSFER, "24.0", nowhere));
            NvmeDriver.Entry nowhereList = of(opcode).prp(PAGE, NOWHERE).dword(12, 63);
            rows.add(row("4.3", name + "no list", TRANSFER, "32.0", nowhereList));
        }
        NvmOpcode dataset = NvmOpcode.DATASET_MANAGEMENT;
        rows.add(row("6.7", "no memory", TRANSFER, "24.0", of(dataset).prp(NOWHERE, 0)));
        rows.add(row("6.7", "PRP1 is odd", PRP_OFFSET, "24.0", of(dataset).prp(PAGE + 1, 0)));
        return rows;
    }

    /** An SGL descriptor (4.4) in place of PRPs, for 8 blocks. */
    private static NvmeDriver.Entry sgl(NvmOpcode opcode, long address, int bytes, int type) {
        return orDword0(of(opcode), 1 << 14)
                .prp(address, Integer.toUnsignedLong(bytes) | (long) type << 56);
    }

    static List<CheckedCommand> ofSgls() {
        List<CheckedCommand> rows = new ArrayList<>();
        for (NvmOpcode opcode : WITH_DATA) {
            for (int type : new int[] {0x01, 0x0A, 0x10, 0x21, 0x31, 0x40, 0x50, 0xF0}) {
                String wrong = opcode + ", descriptor " + type;
                rows.add(row("4.4", wrong, SGL_TYPE, "24.0", sgl(opcode, PAGE, 4096, type)));
            }
            String name = opcode + ", ";
            NvmeDriver.Entry shorter = sgl(opcode, PAGE, 4095, 0);
            rows.add(row("4.4", name + "too short", SGL_LENGTH, "24.0", shorter));
            NvmeDriver.Entry longer = sgl(opcode, PAGE, 4097, 0);
            rows.add(row("4.4", name + "too long", SGL_LENGTH, "24.0", longer));
            for (int segment : new int[] {0x20, 0x30}) {
                NvmeDriver.Entry none = sgl(opcode, PAGE, 0, segment);
                rows.add(row("4.4", name + "no descriptor", SGL_SEGMENT, "24.0", none));
                NvmeDriver.Entry half = sgl(opcode, PAGE, 24, segment);
                rows.add(row("4.4", name + "half a descriptor", SGL_SEGMENT, "24.0", half));
                NvmeDriver.Entry huge = sgl(opcode, PAGE, -16, segment);
                rows.add(row("4.4", name + "endless", SGL_COUNT, "24.0", huge));
                NvmeDriver.Entry nowhere = sgl(opcode, NOWHERE, 32, segment);
                rows.add(row("4.4", name + "no memory", TRANSFER, "24.0", nowhere));
            }
            rows.add(row("4.4", name + "no data", TRANSFER, "24.0", sgl(opcode, NOWHERE, 4096, 0)));
        }
        return rows;
    }

    @ParameterizedTest
    @MethodSource({"ofAllCommands", "ofRanges", "ofData", "ofSgls"})
    void shouldEndWithTheStatusOfTheSpecificationWhen(CheckedCommand row) {
        row.check(driver, queue);
        assertEquals(0, image.writes.get() + second.writes.get());
        assertEquals(0, image.flushes.get() + second.flushes.get());
        queue.call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
    }

    /** 6.1: each namespace has its own end. */
    @Test
    void shouldCheckARangeAgainstItsOwnNamespace() {
        queue.call(of(NvmOpcode.READ).dword(10, BLOCKS).namespace(2)).ok();
        NvmeDriver.Entry beyond = of(NvmOpcode.READ).dword(10, 2 * BLOCKS - 7).namespace(2);
        row("6.9", "past the end", RANGE, "40.0", beyond).check(driver, queue);
    }

    /** 6.7: the ranges are data, so the data pointer is to blame. */
    @Test
    void shouldDeallocateNothingWhenOneRangeIsPastTheEnd() {
        long page = driver.allocate(1);
        driver.memory(page, 32).set(LittleEndian.INT, 4, 1);
        driver.memory(page, 32).set(LittleEndian.INT, 20, 2);
        driver.memory(page, 32).set(LittleEndian.LONG, 24, BLOCKS - 1);
        NvmeDriver.Entry entry =
                NvmeDriver.io(NvmOpcode.DATASET_MANAGEMENT)
                        .prp(page, 0)
                        .dword(10, 1)
                        .dword(11, 1 << 2);
        row("6.7", "a range past the end", RANGE, "24.0", entry).check(driver, queue);
        assertEquals(0, image.writes.get());
    }

    /** 4.4: only the last descriptor of a segment leads on, and a last segment does not. */
    @Test
    void shouldRefuseASegmentWhoseDescriptorsLeadTheWrongWay() {
        long list = driver.allocate(1);
        driver.memory(list, 32).set(LittleEndian.LONG, 0, list);
        driver.memory(list, 32).set(LittleEndian.LONG, 8, 16 | 0x30L << 56);
        driver.memory(list, 32).set(LittleEndian.LONG, 16, PAGE);
        driver.memory(list, 32).set(LittleEndian.LONG, 24, 4096);
        NvmeDriver.Entry within = sgl(NvmOpcode.READ, list, 32, 0x30);
        row("4.4", "a segment before the last", SGL_COUNT, "24.0", within).check(driver, queue);
        NvmeDriver.Entry beyondLast = sgl(NvmOpcode.READ, list, 16, 0x30);
        row("4.4", "behind the last", SGL_SEGMENT, "24.0", beyondLast).check(driver, queue);
        NvmeDriver.Entry notLast = sgl(NvmOpcode.READ, list + 16, 16, 0x20);
        row("4.4", "no segment at the end", SGL_SEGMENT, "24.0", notLast).check(driver, queue);
    }

    /** 4.4: a list that leads to itself ends. */
    @Test
    void shouldRefuseAListThatHasNoEnd() {
        long list = driver.allocate(1);
        driver.memory(list, 16).set(LittleEndian.LONG, 0, list);
        driver.memory(list, 16).set(LittleEndian.LONG, 8, 16 | 0x20L << 56);
        NvmeDriver.Entry loop = sgl(NvmOpcode.WRITE, list, 16, 0x20);
        row("4.4", "a list that leads to itself", SGL_COUNT, "24.0", loop).check(driver, queue);
    }

    /** 4.6.1.2.1. */
    @Test
    void shouldRefuseAnIdentifierThatIsInUse() {
        image.closeGate();
        NvmeDriver.Entry first = NvmeDriver.io(NvmOpcode.FLUSH);
        first.dwords[0] |= 7 << 16;
        queue.putRaw(first);
        queue.putRaw(first);
        queue.ring();
        queue.await(7).assertStatus(StatusCode.COMMAND_ID_CONFLICT);
        image.openGate();
        queue.await(7).ok();
    }

    /** 6.6: what differs first is in the log, and the driver's memory stays as it is. */
    @Test
    void shouldFailACompareWhenABlockDiffers() {
        long page = driver.allocate(1);
        queue.call(NvmeDriver.transfer(NvmOpcode.COMPARE, 100, 8, page, 0)).ok();
        image.bytes().set(ValueLayout.JAVA_BYTE, 103 * 512 + 511, (byte) 1);
        NvmeDriver.Entry compare = NvmeDriver.transfer(NvmOpcode.COMPARE, 100, 8, page, 0);
        row("6.6", "a block differs", "2/85h DNR", "none", compare).check(driver, queue);
        assertEquals(103, errorLba());
        assertEquals(2, bench.state.counters().reads(), "compares are reads (5.14.1.2)");
    }

    /** 6.16. */
    @Test
    void shouldFailReadsOfBlocksThatWereMadeUncorrectable() {
        long page = driver.allocate(1);
        queue.call(NvmeDriver.transfer(NvmOpcode.WRITE_UNCORRECTABLE, 50, 3, 0, 0)).ok();
        for (NvmOpcode opcode : new NvmOpcode[] {NvmOpcode.READ, NvmOpcode.COMPARE}) {
            NvmeDriver.Entry read = NvmeDriver.transfer(opcode, 48, 8, page, 0);
            row("6.16", "uncorrectable", "2/81h DNR", "none", read).check(driver, queue);
            assertEquals(50, errorLba());
        }
        assertEquals(0, bench.state.counters().mediaErrors(), "the driver asked for it");
        queue.call(NvmeDriver.transfer(NvmOpcode.READ, 48, 2, page, 0)).ok();
        queue.call(NvmeDriver.transfer(NvmOpcode.READ, 53, 3, page, 0)).ok();
        queue.call(NvmeDriver.transfer(NvmOpcode.READ, 50, 3, page, 0).namespace(2)).ok();
    }

    private long errorLba() {
        long page = driver.allocate(1);
        driver.admin.call(ControllerTest.logPage(1, page)).ok();
        return driver.memory(page, 64).get(LittleEndian.LONG, 16);
    }
}
