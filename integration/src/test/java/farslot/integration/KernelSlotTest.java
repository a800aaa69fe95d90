package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.FunctionDescription;
import farslot.core.PciFunction;
import farslot.integration.PcidevMessage.Op;
import farslot.posix.MappedMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A slot that owns its MSI-X table in front of a lender whose device signals by (address, data):
 * both fit the waist as it is, with nothing between them and over the link.
 */
@Timeout(300)
class KernelSlotTest {
    private static final boolean FEW = System.getProperty("farslot.rounds", "short").equals("few");
    private static final boolean FULL = System.getProperty("farslot.rounds", "").equals("full");
    private static final int RAM_BYTES = 1 << 20;
    private static final int MSIX_ENABLE = 0x8000;
    private static final int MSIX_FUNCTION_MASK = 0x4000;
    private static final int MSI_CONTROL = 2;
    private static final int MSI_MASK = 0x10;
    private static final int MSI_PENDING = 0x14;

    /** What lies between the slot and the device. */
    enum Between {
        NOTHING,
        UNIX,
        TCP
    }

    private final List<AutoCloseable> open = new ArrayList<>();
    private final LinkedBlockingQueue<PcidevMessage> told = new LinkedBlockingQueue<>();
    private MappedMemory ram;
    private KernelSlot slot;
    private FunctionDescription description;

    private void begin(Between between) throws Exception {
        // Longer copies have to be cut.
        PciFunction function = new AddressedFunction(new RaisingModel(0x180));
        description = function.describe();
        if (between != Between.NOTHING) {
            Path runtime = Files.createTempDirectory("fs-");
            open.add(() -> remove(runtime));
            Linked linked =
                    new Linked(function, runtime, between == Between.TCP, UnaryOperator.identity());
            open.add(linked);
            function = linked.function();
        }
        ram = MappedMemory.create("farslot-test", RAM_BYTES);
        open.add(ram);
        slot = new KernelSlot(function, ram, told::add);
        open.add(slot);
        configure(ConfigurationSpace.COMMAND, 2, 0x6);
    }

    private static void remove(Path runtime) throws Exception {
        try (var all = Files.walk(runtime)) {
            for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    private int capability(int id) {
        return description.capabilities().stream()
                .filter(place -> place.id() == id)
                .findFirst()
                .orElseThrow()
                .offset();
    }

    private byte[] ask(Op op, int bar, int size, long address, byte... data) {
        return slot.command(new PcidevMessage(op, bar, size, address, data).toBytes());
    }

    private void configure(int offset, int bytes, long value) {
        ask(Op.CFG_WRITE, 0, bytes, offset, littleEndian(value, bytes));
    }

    private long configuration(int offset, int bytes) {
        byte[] data = ask(Op.CFG_READ, 0, bytes, offset);
        return new PcidevMessage(Op.CFG_READ, 0, bytes, offset, data).value();
    }

    private void write(int bar, long offset, int bytes, long value) {
        ask(Op.MMIO_WRITE, bar, bytes, offset, littleEndian(value, bytes));
    }

    private long read(int bar, long offset, int bytes) {
        byte[] data = ask(Op.MMIO_READ, bar, bytes, offset);
        return new PcidevMessage(Op.MMIO_READ, bar, bytes, offset, data).value();
    }

    private static byte[] littleEndian(long value, int bytes) {
        byte[] data = new byte[bytes];
        for (int at = 0; at < bytes; at++) {
            data[at] = (byte) (value >>> (8 * at));
        }
        return data;
    }

    private void msixControl(int bits) {
        configure(capability(ConfigurationSpaceBuilder.ID_MSIX) + 2, 2, bits);
    }

    private static long address(int vector) {
        return 0x1_fee0_0000L + 0x40L * vector;
    }

    private static int data(int vector) {
        return 0x10000 * (vector + 1) + 7;
    }

    private void program(int vector, int control) {
        long entry = RaisingModel.TABLE + 16L * vector;
        write(2, entry, 8, address(vector));
        write(2, entry + 8, 4, data(vector));
        write(2, entry + 12, 4, control);
    }

    private void mask(int vector, int control) {
        write(2, RaisingModel.TABLE + 16L * vector + 12, 4, control);
    }

    private void raise(int source) {
        write(0, RaisingModel.RAISE, 4, source);
    }

    private void assertTold(Op op, long address, long value) throws InterruptedException {
        PcidevMessage message = told.poll(60, TimeUnit.SECONDS);
        assertEquals(
                new PcidevMessage(op, 0, 0, address, littleEndian(value, 4)).toString(),
                String.valueOf(message));
    }

    /** Behind a read, what was raised before it has arrived. */
    private void assertQuiet() {
        read(0, RaisingModel.BUFFER, 4);
        assertEquals(List.of(), List.copyOf(told));
    }

    /** Bit of a vector as the driver reads it. */
    private boolean pending(int vector) {
        long word = read(2, RaisingModel.PENDING + vector / 64 * 8L, 8);
        return (word >>> (vector % 64) & 1) != 0;
    }

    @ParameterizedTest
    @EnumSource
    void shouldSendEachVectorsOwnMessage(Between between) throws Exception {
        begin(between);
        for (int vector = 0; vector < RaisingModel.VECTORS; vector++) {
            program(vector, 0);
        }
        msixControl(MSIX_ENABLE);
        for (int vector = RaisingModel.VECTORS - 1; vector >= 0; vector--) {
            raise(vector);
            assertTold(Op.MSI, address(vector), data(vector));
        }
        assertQuiet();
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepAMaskedVectorPendingAndSendItOnceWithTheMessageOfThen(Between between)
            throws Exception {
        begin(between);
        msixControl(MSIX_ENABLE);
        for (int vector : new int[] {0, 5, 63, 64, 69}) {
            program(vector, 1);
            raise(vector);
            raise(vector);
            assertQuiet();
            assertEquals(true, pending(vector));
            write(2, RaisingModel.TABLE + 16L * vector + 8, 4, 0xabcd_0000L + vector);
            assertQuiet();
            mask(vector, 0);
            assertTold(Op.MSI, address(vector), 0xabcd_0000L + vector);
            assertEquals(false, pending(vector));
            assertQuiet();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldHoldAllBackByTheFunctionMask(Between between) throws Exception {
        begin(between);
        program(3, 0);
        program(66, 0);
        program(68, 1);
        msixControl(MSIX_ENABLE | MSIX_FUNCTION_MASK);
        for (int vector : new int[] {3, 66, 68}) {
            raise(vector);
            assertQuiet();
            assertEquals(true, pending(vector));
        }
        msixControl(MSIX_ENABLE);
        assertTold(Op.MSI, address(3), data(3));
        assertTold(Op.MSI, address(66), data(66));
        assertQuiet();
        assertEquals(true, pending(68));
        msixControl(0);
        assertEquals(false, pending(68));
        mask(68, 0);
        msixControl(MSIX_ENABLE);
        assertQuiet();
    }

    @ParameterizedTest
    @EnumSource
    void shouldSendMsiWithTheVectorInItsDataAndHeedItsMasks(Between between) throws Exception {
        begin(between);
        int msi = capability(ConfigurationSpaceBuilder.ID_MSI);
        configure(msi + 4, 4, 0xfee0_2000L);
        configure(msi + 8, 4, 2);
        configure(msi + 12, 2, 0x5558);
        configure(msi + MSI_MASK, 4, 0b0100);
        configure(msi + MSI_CONTROL, 2, 1 | 2 << 4);
        assertEquals(0x5558, configuration(msi + 12, 2));
        for (int vector : new int[] {3, 0, 1}) {
            raise(vector);
            assertTold(Op.MSI, 0x2_fee0_2000L, 0x5558 | vector);
        }
        raise(2);
        assertQuiet();
        assertEquals(0b0100, configuration(msi + MSI_PENDING, 4));
        configure(msi + MSI_MASK, 4, 0);
        assertTold(Op.MSI, 0x2_fee0_2000L, 0x555a);
        assertEquals(0, configuration(msi + MSI_PENDING, 4));
        assertQuiet();
    }

    @ParameterizedTest
    @EnumSource
    void shouldTellOfThePinOnceForEachTimeTheFunctionStillNeedsService(Between between)
            throws Exception {
        begin(between);
        raise(0);
        assertTold(Op.INT, 1, 0);
        // The handler looks before it acknowledges: still asserted, told once more.
        assertEquals(0, read(0, RaisingModel.RAISE, 4));
        assertTold(Op.INT, 1, 0);
        write(0, RaisingModel.LOWER, 4, 0);
        assertQuiet();
        for (int round = 0; round < 100; round++) {
            read(0, RaisingModel.RAISE, 4);
        }
        assertQuiet();
    }

    @ParameterizedTest
    @EnumSource
    void shouldCopyAcrossTheTableAndStopWhereTheBarEnds(Between between) throws Exception {
        begin(between);
        byte[] pattern = new byte[RaisingModel.BAR2_BYTES + 100];
        new Random(1).nextBytes(pattern);
        ask(Op.MMIO_WRITE, 2, pattern.length - 1, 1, Arrays.copyOf(pattern, pattern.length - 1));
        byte[] expected = new byte[pattern.length];
        Arrays.fill(expected, (byte) 0xff);
        System.arraycopy(pattern, 0, expected, 1, RaisingModel.BAR2_BYTES - 1);
        expected[0] = 0;
        asTableAndPendingBits(expected);
        assertArrayEquals(expected, ask(Op.MMIO_READ, 2, expected.length, 0));
        byte[] odd = ask(Op.MMIO_READ, 2, 0x777, RaisingModel.TABLE - 3);
        int from = RaisingModel.TABLE - 3;
        assertArrayEquals(Arrays.copyOfRange(expected, from, from + 0x777), odd);
        int end = RaisingModel.BAR2_BYTES;
        assertArrayEquals(
                Arrays.copyOfRange(expected, end - 5, end + 6), ask(Op.MMIO_READ, 2, 11, end - 5));
        assertArrayEquals(new byte[] {-1, -1, -1}, ask(Op.MMIO_READ, 2, 3, end), "beyond the BAR");
        assertArrayEquals(new byte[] {-1, -1}, ask(Op.MMIO_READ, 1, 2, 0), "no such BAR");
        ask(Op.MMIO_WRITE, 2, 4, end, new byte[4]);
        ask(Op.MMIO_WRITE, 3, 4, 0, new byte[4]);
        assertArrayEquals(expected, ask(Op.MMIO_READ, 2, expected.length, 0));
        // The garbage that is in the table now is no message: all its vectors are masked or not
        // enabled.
        assertQuiet();
    }

    /** What a table keeps of bytes written to it, and pending bits of none pending. */
    private static void asTableAndPendingBits(byte[] bar) {
        for (int vector = 0; vector < RaisingModel.VECTORS; vector++) {
            int entry = RaisingModel.TABLE + 16 * vector;
            bar[entry] &= ~3;
            bar[entry + 12] &= 1;
            Arrays.fill(bar, entry + 13, entry + 16, (byte) 0);
        }
        int pending = RaisingModel.PENDING;
        Arrays.fill(bar, pending, pending + RaisingModel.PENDING_BYTES, (byte) 0);
    }

    @ParameterizedTest
    @EnumSource
    void shouldFillAndCopyWhateverTheLength(Between between) throws Exception {
        begin(between);
        Random random = new Random(5);
        byte[] model = ask(Op.MMIO_READ, 2, RaisingModel.BAR2_BYTES, 0);
        int rounds = FEW ? 20 : FULL ? 20_000 : 300;
        for (int round = 0; round < rounds; round++) {
            int offset = random.nextInt(model.length);
            int length = 1 + random.nextInt(random.nextInt(4) == 0 ? 0x1500 : 40);
            int within = Math.min(length, model.length - offset);
            switch (random.nextInt(3)) {
                case 0 -> {
                    byte value = (byte) random.nextInt();
                    ask(Op.MMIO_MEMSET, 2, length, offset, value);
                    Arrays.fill(model, offset, offset + within, value);
                }
                case 1 -> {
                    byte[] data = new byte[length];
                    random.nextBytes(data);
                    ask(Op.MMIO_WRITE, 2, length, offset, data);
                    System.arraycopy(data, 0, model, offset, within);
                }
                default -> {
                    byte[] read = ask(Op.MMIO_READ, 2, length, offset);
                    byte[] expected = new byte[length];
                    Arrays.fill(expected, (byte) 0xff);
                    System.arraycopy(model, offset, expected, 0, within);
                    assertArrayEquals(expected, read, "at 0x" + Integer.toHexString(offset));
                }
            }
            asTableAndPendingBits(model);
        }
        assertArrayEquals(model, ask(Op.MMIO_READ, 2, model.length, 0));
    }

    @ParameterizedTest
    @EnumSource
    void shouldForgetTheTableWithAFunctionLevelResetAndNotLater(Between between) throws Exception {
        begin(between);
        int express = capability(ConfigurationSpaceBuilder.ID_EXPRESS);
        int rounds = FEW ? 3 : FULL ? 3000 : 100;
        for (int round = 0; round < rounds; round++) {
            program(9, 1);
            program(10, 0);
            msixControl(MSIX_ENABLE);
            raise(9);
            assertEquals(true, pending(9));
            configure(express + 8, 2, 0x8000);
            assertEquals(false, pending(9));
            assertEquals(0, read(2, RaisingModel.TABLE + 16L * 9, 8));
            assertEquals(1, read(2, RaisingModel.TABLE + 16L * 10 + 12, 4), "masked");
            // At once: that the reset is heard of elsewhere must not undo what comes behind it.
            configure(ConfigurationSpace.COMMAND, 2, 0x6);
            program(10, 0);
            msixControl(MSIX_ENABLE);
            raise(10);
            assertTold(Op.MSI, address(10), data(10));
            msixControl(0);
            assertQuiet();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldMoveDataByDma(Between between) throws Exception {
        begin(between);
        byte[] data = new byte[0x300];
        new Random(2).nextBytes(data);
        ram.segment().asSlice(0x1234, data.length).copyFrom(segment(data));
        write(0, RaisingModel.DMA_ADDRESS, 8, 0x1234);
        write(0, RaisingModel.DMA_LENGTH, 4, data.length);
        write(0, RaisingModel.DMA_GO, 4, 1);
        assertArrayEquals(data, ask(Op.MMIO_READ, 0, data.length, RaisingModel.BUFFER));
        write(0, RaisingModel.DMA_ADDRESS, 8, 0x8_0001);
        write(0, RaisingModel.DMA_GO, 4, 2);
        read(0, RaisingModel.RAISE, 4); // pushes the DMA before it
        assertEquals(-1, ram.segment().asSlice(0x8_0001, data.length).mismatch(segment(data)));
    }

    private static java.lang.foreign.MemorySegment segment(byte[] data) {
        return java.lang.foreign.MemorySegment.ofArray(data);
    }
}
