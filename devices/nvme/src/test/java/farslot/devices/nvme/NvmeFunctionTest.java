package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.ConfigurationSpace;
import farslot.core.FunctionDescription;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterText;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceKinds;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The device as a driver finds it behind PCI. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class NvmeFunctionTest {
    @TempDir Path folder;

    private String image() {
        return "image=" + folder.resolve("d.img");
    }

    private FunctionSide side(String... more) throws DeviceCreationException {
        String[] options = Arrays.copyOf(more, more.length + 2);
        options[more.length] = image();
        options[more.length + 1] = "size=4M";
        return new FunctionSide(options);
    }

    @Test
    void isFoundByItsName() throws DeviceCreationException {
        assertEquals(NvmeKind.class, DeviceKinds.named("nvme").getClass());
    }

    @Test
    void everyRegisterHasItsResetValue() throws DeviceCreationException {
        try (FunctionSide side = side()) {
            assertEquals(0x0040_0020_1E03_03FFL, side.read(0, NvmeDriver.CAP, 8));
            assertEquals(0x1E03_03FF, side.read(NvmeDriver.CAP));
            assertEquals(0x0040_0020, side.read(NvmeDriver.CAP + 4));
            assertEquals(Controller.MAX_QUEUE_ENTRIES - 1, side.read(NvmeDriver.CAP) & 0xFFFF);
            assertEquals(Identify.VERSION_1_4, side.read(NvmeDriver.VS));
            for (int offset = NvmeDriver.INTMS; offset < 0x48; offset += 4) {
                assertEquals(0, side.read(offset), () -> "reset value");
            }
            for (int offset = 0x48; offset < 0x1400; offset += 4) {
                assertEquals(0, side.read(offset), () -> "reserved or doorbell");
            }
        }
    }

    @Test
    void onlyTheBitsThatCanBeWrittenAre() throws DeviceCreationException {
        try (FunctionSide side = side()) {
            for (int offset = 0; offset < 0x44; offset += 4) {
                if (offset != NvmeDriver.CC) {
                    side.write(offset, -1);
                }
            }
            assertEquals(0x1E03_03FF, side.read(NvmeDriver.CAP));
            assertEquals(Identify.VERSION_1_4, side.read(NvmeDriver.VS));
            assertEquals(0x0FFF_0FFF, side.read(NvmeDriver.AQA));
            assertEquals(-4096L, side.read(0, NvmeDriver.ASQ, 8));
            assertEquals(-4096L, side.read(0, NvmeDriver.ACQ, 8));
            assertEquals(0, side.read(NvmeDriver.CSTS));
            assertEquals(0, side.read(NvmeDriver.INTMC), "set by INTMS, cleared by INTMC after");
            for (int offset = 0x38; offset < 0x44; offset += 4) {
                assertEquals(0, side.read(offset));
            }
            side.write(NvmeDriver.CC, 0x00F0_0780);
            assertEquals(0x00F0_0780, side.read(NvmeDriver.CC));
            side.write(NvmeDriver.CC, 0xFF00_000E);
            assertEquals(0, side.read(NvmeDriver.CC));
        }
    }

    @Test
    void theMaskRegistersSetAndClearBits() throws DeviceCreationException {
        try (FunctionSide side = side()) {
            side.write(NvmeDriver.INTMS, 0x8000_0005);
            side.write(NvmeDriver.INTMS, 0x0000_0010);
            side.write(NvmeDriver.INTMC, 0x0000_0004);
            assertEquals(0x8000_0011, side.read(NvmeDriver.INTMS));
            assertEquals(0x8000_0011, side.read(NvmeDriver.INTMC));
        }
    }

    @Test
    void theRegisterMapNamesWhatADriverDoes() {
        RegisterDomain registers = new NvmeKind().registerMap().domain("BAR0");
        assertEquals("CC", RegisterText.name(registers, 0x14, 4));
        assertEquals("SQ3TDBL", RegisterText.name(registers, 0x1018, 4));
        assertEquals("CQ0HDBL", RegisterText.name(registers, 0x1004, 4));
        StringBuilder text = new StringBuilder();
        RegisterText.appendFields(text, registers, 0x14, 4, 0x0046_0001);
        assertEquals(
                "EN=1 CSS=NVM MPS=0 AMS=ROUND_ROBIN SHN=NONE IOSQES=6 IOCQES=4", text.toString());
        assertTrue(new NvmeKind().registerMap().has("COMPLETION"));
    }

    /** The map reads what the controller says of itself. */
    @Test
    void theRegisterMapNamesWhatIdentifySays() throws DeviceCreationException {
        try (FunctionSide side = side("cache=off", "block_size=4096")) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            byte[] controller = driver.identify(1, 0);
            byte[] namespace = driver.identify(0, 1);
            assertEquals("MDTS: 8", decode("IDENTIFY_CONTROLLER", controller, 77, 1));
            assertEquals(
                    "VER: TER=0 MNR=4 MJR=1", decode("IDENTIFY_CONTROLLER", controller, 80, 4));
            assertEquals("NN: 1", decode("IDENTIFY_CONTROLLER", controller, 516, 4));
            assertEquals(
                    "VWC: PRESENT=0 FLUSH_ALL=TAKEN",
                    decode("IDENTIFY_CONTROLLER", controller, 525, 1));
            assertEquals("NSZE: 1024", decode("IDENTIFY_NAMESPACE", namespace, 0, 8));
            assertEquals(
                    "LBAF0: MS=0 LBADS=12 RP=0", decode("IDENTIFY_NAMESPACE", namespace, 128, 4));
        }
    }

    private static String decode(String domain, byte[] data, int offset, int bytes) {
        MemorySegment value = MemorySegment.ofArray(new byte[8]);
        value.copyFrom(MemorySegment.ofArray(data).asSlice(offset, bytes));
        RegisterDomain names = new NvmeKind().registerMap().domain(domain);
        StringBuilder text =
                new StringBuilder(RegisterText.name(names, offset, bytes)).append(": ");
        RegisterText.appendFields(text, names, offset, bytes, value.get(LittleEndian.LONG, 0));
        return text.toString();
    }

    @Test
    void offersTheInterruptsThatTheOptionsSay() throws DeviceCreationException {
        try (FunctionSide side = side("queues=12")) {
            FunctionDescription description = side.function.describe();
            assertEquals(13, description.msixVectors());
            assertEquals(16, description.msiVectors());
            assertEquals(1, description.intxPin());
            assertEquals(0x010802, description.identity().classCode());
        }
        try (FunctionSide side = side("msix=off")) {
            assertEquals(0, side.function.describe().msixVectors());
            assertEquals(16, side.function.describe().msiVectors());
            assertTrue(side.function.describe().region(4).isEmpty());
        }
        try (FunctionSide side = side("msix=off", "msi=off", "queues=64")) {
            assertEquals(0, side.function.describe().msiVectors());
        }
        try (FunctionSide side = side("queues=64")) {
            assertEquals(65, side.function.describe().msixVectors());
            assertEquals(32, side.function.describe().msiVectors());
        }
    }

    @ParameterizedTest
    @EnumSource(InterruptKind.class)
    void aDriverReadsWhatItWroteByEachKindOfInterrupt(InterruptKind kind)
            throws DeviceCreationException, IOException {
        byte[] data = new byte[64 << 10];
        new Random(1).nextBytes(data);
        try (FunctionSide side = side().use(kind)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            int vector = kind == InterruptKind.INTX ? 0 : 1;
            NvmeDriver.Queue queue = driver.createQueue(1, 64, vector);
            long list = driver.allocate(1);
            long pages = driver.allocate(16);
            for (int i = 1; i < 16; i++) {
                driver.memory(list, 4096).set(LittleEndian.LONG, (i - 1) * 8L, pages + i * 4096L);
            }
            driver.memory(pages, data.length).copyFrom(MemorySegment.ofArray(data));
            call(side, kind, queue, NvmeDriver.transfer(NvmOpcode.WRITE, 100, 128, pages, list));
            driver.memory(pages, data.length).fill((byte) 0);
            call(side, kind, queue, NvmeDriver.transfer(NvmOpcode.READ, 100, 128, pages, list));
            assertArrayEquals(
                    data, driver.memory(pages, data.length).toArray(ValueLayout.JAVA_BYTE));
            call(side, kind, queue, NvmeDriver.io(NvmOpcode.FLUSH));
            for (InterruptKind other : InterruptKind.values()) {
                for (int i = 0; i < 4 && other != kind; i++) {
                    assertEquals(0, side.interrupts(other, i), other + " " + i);
                }
            }
        }
        byte[] onDisk = Files.readAllBytes(folder.resolve("d.img"));
        assertArrayEquals(data, Arrays.copyOfRange(onDisk, 100 * 512, 100 * 512 + data.length));
    }

    /**
     * Looks only when the interrupt has come: a driver that looks before may acknowledge what it
     * finds, and is sent no interrupt for that then.
     */
    private static void call(
            FunctionSide side, InterruptKind kind, NvmeDriver.Queue queue, NvmeDriver.Entry entry) {
        int vector = kind == InterruptKind.INTX ? 0 : 1;
        int heard = side.interrupts(kind, vector);
        side.unmaskPin();
        int command = queue.submit(entry);
        NvmeDriver.Completion completion = null;
        while (completion == null) {
            side.awaitInterrupts(kind, vector, ++heard);
            completion = queue.poll(command);
            side.unmaskPin();
        }
        completion.ok();
    }

    @Test
    void thePinIsAssertedAgainWhileServiceIsNeeded() throws DeviceCreationException {
        try (FunctionSide side = side().use(InterruptKind.INTX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            int command =
                    driver.admin.submit(NvmeDriver.admin(AdminOpcode.GET_FEATURES).dword(10, 1));
            side.awaitInterrupts(InterruptKind.INTX, 0, 1);
            assertTrue(side.interruptStatus());
            side.unmaskPin();
            assertEquals(2, side.interrupts(InterruptKind.INTX, 0));
            driver.admin.await(command).ok();
            assertFalse(side.interruptStatus());
            side.unmaskPin();
            assertEquals(2, side.interrupts(InterruptKind.INTX, 0));
        }
    }

    @Test
    void aFunctionLevelResetBringsEverythingBack() throws DeviceCreationException {
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            driver.createQueue(1, 16, 1);
            side.reset();
            assertEquals(0, side.read(NvmeDriver.CC));
            assertEquals(0, side.read(NvmeDriver.AQA));
            assertEquals(0, side.read(0, NvmeDriver.ASQ, 8));
            assertEquals(0, side.read(NvmeDriver.CSTS));
            driver.enable();
            driver.createQueue(1, 16, 1).call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
        }
    }

    @Test
    void withoutBusMasteringTheControllerFails() throws DeviceCreationException {
        try (FunctionSide side = side()) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            side.configure(ConfigurationSpace.COMMAND, 2, 0x402);
            driver.admin.submit(NvmeDriver.admin(AdminOpcode.GET_FEATURES).dword(10, 1));
            driver.awaitStatus(2, 2);
        }
    }

    /** 5.14.1.2: power that goes without a shutdown is an unsafe one. */
    @Test
    void countsPowerCyclesAndUnsafeShutdowns() throws DeviceCreationException {
        try (FunctionSide side = side()) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            side.function.reset(ResetKind.COLD);
            side.configure(ConfigurationSpace.COMMAND, 2, 0x406);
            driver.enable();
            side.write(NvmeDriver.CC, NvmeDriver.ENABLED | 1 << 14);
            driver.awaitStatus(3 << 2, 2 << 2);
            side.function.reset(ResetKind.COLD);
            side.configure(ConfigurationSpace.COMMAND, 2, 0x406);
            driver.enable();
            side.reset();
            driver.enable();
            long page = driver.allocate(1);
            driver.admin.call(ControllerTest.logPage(LogPages.HEALTH, page)).ok();
            assertEquals(3, driver.memory(page, 512).get(LittleEndian.LONG, 112), "power cycles");
            assertEquals(1, driver.memory(page, 512).get(LittleEndian.LONG, 144), "unsafe");
        }
    }

    @Test
    void aDiskThatIsClosedUnderAnEnabledControllerIsFlushed() throws Exception {
        try (FunctionSide side = side().use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            long page = driver.allocate(1);
            driver.memory(page, 512).fill((byte) 7);
            driver.createQueue(1, 16, 1)
                    .call(NvmeDriver.transfer(NvmOpcode.WRITE, 3, 1, page, 0))
                    .ok();
        }
        assertEquals(7, Files.readAllBytes(folder.resolve("d.img"))[3 * 512]);
    }
}
