package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.ConfigurationSpace;
import farslot.core.ConfigurationSpaceBuilder;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.posix.EventFd;
import farslot.posix.MappedMemory;
import farslot.vfiouser.RawClient;
import farslot.vfiouser.VfioUserServer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A device that knows addresses only becomes a function whose interrupts are (kind, vector). */
@Timeout(120)
class AddressedFunctionTest {
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int BUS_MASTER = 0x6;
    private static final int MSIX_ENABLE = 0x8000;

    private final RaisingModel model = new RaisingModel(RaisingModel.BAR2_BYTES);
    private final AddressedFunction function = new AddressedFunction(model);
    private final List<String> told = new ArrayList<>();
    private final InProcessHost host =
            new InProcessHost(
                    function,
                    new InProcessHost.Listener() {
                        @Override
                        public void interrupt(InterruptKind kind, int vector) {
                            told.add(kind + " " + vector);
                        }

                        @Override
                        public void event(FunctionEvent event) {
                            told.add(event.getClass().getSimpleName());
                        }
                    });
    private final MemorySegment ram = Arena.ofAuto().allocate(0x10000, 8);

    private void write(int region, long offset, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(new byte[8]);
        from.set(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, value);
        assertEquals(
                CompletionStatus.SUCCESS,
                function.write(
                        region, offset, from.asSlice(0, bytes), bytes, PciFunction.ALL_BYTES));
    }

    private int read(int region, long offset) {
        MemorySegment into = MemorySegment.ofArray(new byte[4]);
        assertEquals(CompletionStatus.SUCCESS, function.read(region, offset, into, 4));
        return into.get(INT, 0);
    }

    private int capability(int id) {
        return function.describe().capabilities().stream()
                .filter(place -> place.id() == id)
                .findFirst()
                .orElseThrow()
                .offset();
    }

    private void command() {
        write(Region.CONFIGURATION, ConfigurationSpace.COMMAND, 2, BUS_MASTER);
    }

    private void enableMsix() {
        command();
        write(
                Region.CONFIGURATION,
                capability(ConfigurationSpaceBuilder.ID_MSIX) + 2,
                2,
                MSIX_ENABLE);
    }

    private void raise(int source) {
        write(0, RaisingModel.RAISE, 4, source);
    }

    private List<String> heard() {
        List<String> heard = List.copyOf(told);
        told.clear();
        return heard;
    }

    @Test
    void shouldBecomeAVectorWhateverTheDriverHasInItsTable() {
        enableMsix();
        // As QEMU's drivers: the table is never written. And as one that writes what is true of
        // its own machine alone.
        write(2, RaisingModel.TABLE + 16, 8, 0x1000);
        write(2, RaisingModel.TABLE + 24, 8, 0x1_0000_0042L);
        host.map(0, ram, Direction.READ_WRITE);
        function.interrupts(InterruptKind.MSIX, 0, RaisingModel.VECTORS, InterruptAction.ENABLE);
        for (int vector : new int[] {0, 1, 2, 69}) {
            raise(vector);
            assertEquals(List.of("MSIX " + vector), heard());
        }
        assertEquals(0x1000, read(2, RaisingModel.TABLE + 16), "the driver's own is kept");
        assertEquals(0x42, read(2, RaisingModel.TABLE + 24));
        assertEquals(1, read(2, RaisingModel.TABLE + 28), "masked, says the driver's");
        assertEquals(0, ram.get(INT, 0x1000), "nothing was written there");
        assertEquals(0, function.strays());
    }

    @Test
    void shouldKeepWhatNobodyTakesYetAndSendItOnce() {
        enableMsix();
        raise(4);
        raise(4);
        raise(5);
        assertEquals(List.of(), heard());
        function.interrupts(InterruptKind.MSIX, 4, 1, InterruptAction.ENABLE);
        assertEquals(List.of("MSIX 4"), heard());
        function.interrupts(InterruptKind.MSIX, 4, 1, InterruptAction.MASK);
        raise(4);
        assertEquals(List.of(), heard());
        assertEquals(0b110000, read(2, RaisingModel.PENDING));
        function.interrupts(InterruptKind.MSIX, 4, 1, InterruptAction.UNMASK);
        assertEquals(List.of("MSIX 4"), heard());
        function.interrupts(InterruptKind.MSIX, 4, 1, InterruptAction.DISABLE);
        raise(4);
        assertEquals(List.of(), heard());
    }

    @Test
    void shouldWriteNoMessageToMemoryWhenMsiIsEnabledBeforeItIsTaken() {
        host.map(0, ram, Direction.READ_WRITE);
        command();
        int msi = capability(ConfigurationSpaceBuilder.ID_MSI);
        // The driver's address is memory of its own: a device that used it would write there.
        write(Region.CONFIGURATION, msi + 4, 8, 0x2000);
        write(Region.CONFIGURATION, msi + 12, 2, 0x77);
        write(Region.CONFIGURATION, msi + 2, 2, 1 | 2 << 4);
        raise(3);
        assertEquals(List.of(), heard());
        function.interrupts(InterruptKind.MSI, 0, RaisingModel.MSI_VECTORS, InterruptAction.ENABLE);
        assertEquals(List.of("MSI 3"), heard());
        raise(1);
        assertEquals(List.of("MSI 1"), heard());
        assertEquals(0x2000, read(Region.CONFIGURATION, msi + 4));
        for (int at = 0; at < ram.byteSize(); at += 4) {
            assertEquals(0, ram.get(INT, at));
        }
    }

    @Test
    void shouldPassDmaAndDropWhatIsNoMessage() {
        host.map(0, ram, Direction.READ_WRITE);
        enableMsix();
        function.interrupts(InterruptKind.MSIX, 0, RaisingModel.VECTORS, InterruptAction.ENABLE);
        write(0, RaisingModel.BUFFER, 4, 0x1234_5678);
        write(0, RaisingModel.DMA_ADDRESS, 8, 0x4004);
        write(0, RaisingModel.DMA_LENGTH, 4, 4);
        write(0, RaisingModel.DMA_GO, 4, 2);
        assertEquals(0x1234_5678, ram.get(INT, 0x4004));
        for (long wild : new long[] {0xfee0_0000L, 0xfee0_1000L, 0xfee0_1004L, 0xfeef_fffcL}) {
            write(0, RaisingModel.DMA_ADDRESS, 8, wild);
            write(0, RaisingModel.DMA_GO, 4, 2);
        }
        assertEquals(4, function.strays());
        write(0, RaisingModel.DMA_ADDRESS, 8, 0x5_0000_0000L);
        write(0, RaisingModel.DMA_GO, 4, 2);
        assertEquals(List.of("DmaRefused"), heard());
    }

    @Test
    void shouldAssertThePinAgainOnlyWhileItIsHigh() {
        command();
        function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.ENABLE);
        raise(0);
        raise(0);
        assertEquals(List.of("INTX 0"), heard());
        function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
        assertEquals(List.of("INTX 0"), heard());
        write(0, RaisingModel.LOWER, 4, 0);
        function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
        assertEquals(List.of(), heard());
    }

    @Test
    void shouldProgramTheDeviceAgainAfterEachReset() {
        enableMsix();
        function.interrupts(InterruptKind.MSIX, 7, 1, InterruptAction.ENABLE);
        for (int round = 0; round < 3; round++) {
            if (round % 2 == 0) {
                assertEquals(CompletionStatus.SUCCESS, function.reset(ResetKind.FLR));
            } else {
                int express = capability(ConfigurationSpaceBuilder.ID_EXPRESS);
                write(Region.CONFIGURATION, express + 8, 2, 0x8000);
                assertEquals(List.of("NewGeneration"), heard());
            }
            assertEquals(round + 2, function.generation());
            raise(7);
            assertEquals(List.of(), heard(), "MSI-X is off after a reset");
            write(0, RaisingModel.LOWER, 4, 0);
            enableMsix();
            raise(7);
            assertEquals(List.of("MSIX 7"), heard());
        }
    }

    @Test
    void shouldSignalAnEmulatorThatOwnsTheTable(@TempDir Path folder) throws Exception {
        try (VfioUserServer server =
                        VfioUserServer.start(
                                function, folder.resolve("s"), VfioUserServer.ClientListener.NONE);
                RawClient client = RawClient.start(server.socket());
                MappedMemory memory = MappedMemory.create("farslot-test", 0x10000);
                EventFd event = EventFd.create()) {
            assertEquals(0, client.map(0, 0x10000, 3, 0, memory.descriptor()).errno());
            client.write(Region.CONFIGURATION, ConfigurationSpace.COMMAND, 2, BUS_MASTER);
            client.write(
                    Region.CONFIGURATION,
                    capability(ConfigurationSpaceBuilder.ID_MSIX) + 2,
                    2,
                    MSIX_ENABLE);
            assertEquals(0, client.events(2, 68, 1, event).errno());
            client.post(0, RaisingModel.RAISE, 4, 68);
            assertTrue(event.await(60_000));
            assertEquals(1, event.drain());
        }
    }
}
