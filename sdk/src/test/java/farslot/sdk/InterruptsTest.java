package farslot.sdk;

import static farslot.core.InterruptAction.DISABLE;
import static farslot.core.InterruptAction.ENABLE;
import static farslot.core.InterruptAction.MASK;
import static farslot.core.InterruptAction.UNMASK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import farslot.core.ConfigurationSpace;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;
import farslot.registers.RegisterMap;
import farslot.sdk.testbench.TestBench;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class InterruptsTest {
    private Interrupts interrupts;

    private final TestBench bench =
            TestBench.of(
                    "test",
                    function -> {
                        interrupts = function.interrupts();
                        function.identity(RegisterFileTest.IDENTITY).intx(1).msi(8);
                        Bar bar = function.memoryBar(0, 0x4000);
                        function.msix(66, bar, 0x2000, bar, 0x3000);
                    },
                    RegisterMap.EMPTY);

    @AfterEach
    void close() {
        bench.close();
    }

    private void comes(InterruptKind kind, int... vectors) {
        List<TestBench.Interrupt> expected =
                java.util.Arrays.stream(vectors)
                        .mapToObj(vector -> new TestBench.Interrupt(kind, vector))
                        .toList();
        assertEquals(expected, bench.interrupts());
    }

    private boolean statusBit() {
        return (bench.configuration(ConfigurationSpace.STATUS, 2) & 8) != 0;
    }

    @Test
    void shouldAssertThePinWhileAnyVectorNeedsService() {
        bench.start();
        assertEquals(InterruptKind.INTX, interrupts.kind());
        assertEquals(1, interrupts.vectors());
        interrupts.raise(2);
        interrupts.raise(5);
        comes(InterruptKind.INTX, 0);
        assertEquals(true, statusBit());
        interrupts.lower(2);
        bench.unmaskIntx();
        comes(InterruptKind.INTX, 0);
        interrupts.lower(5);
        assertEquals(false, statusBit());
        bench.unmaskIntx();
        comes(InterruptKind.INTX);
    }

    @Test
    void shouldHoldThePinBackByCommandAndShowItInTheStatus() {
        bench.start().configure(ConfigurationSpace.COMMAND, 2, 0x407);
        interrupts.raise(0);
        comes(InterruptKind.INTX);
        assertEquals(true, statusBit());
        bench.configure(ConfigurationSpace.COMMAND, 2, 0x7);
        comes(InterruptKind.INTX, 0);
    }

    @Test
    void shouldAssertThePinWithoutBusMaster() {
        bench.start().configure(ConfigurationSpace.COMMAND, 2, 3);
        interrupts.raise(0);
        comes(InterruptKind.INTX, 0);
    }

    @Test
    void shouldSendAMessageForEachRaiseByMsix() {
        bench.start().useMsix();
        assertEquals(InterruptKind.MSIX, interrupts.kind());
        assertEquals(66, interrupts.vectors());
        interrupts.raise(65);
        interrupts.raise(65);
        interrupts.lower(65);
        comes(InterruptKind.MSIX, 65, 65);
        assertEquals(false, statusBit());
        assertThrows(IndexOutOfBoundsException.class, () -> interrupts.raise(66));
    }

    @Test
    void shouldFireWhateverTheTableSays() {
        bench.start().useMsix();
        assertEquals(1, bench.read(0, 0x2000 + 12, 4), "masked after a reset");
        interrupts.raise(0);
        comes(InterruptKind.MSIX, 0);
        bench.write(0, 0x2000, 8, 0x1_fee0_0000L);
        bench.write(0, 0x2008, 8, 0xffff_fffe_0000_0055L);
        assertEquals(0x1_fee0_0000L, bench.read(0, 0x2000, 8));
        assertEquals(0x55, bench.read(0, 0x2008, 8));
    }

    @Test
    void shouldKeepAMessagePendingUntilItsVectorIsTaken() {
        bench.start();
        bench.configure(bench.capability(0x11) + 2, 2, 0x8000);
        interrupts.raise(64);
        interrupts.raise(64);
        comes(InterruptKind.MSIX);
        assertEquals(1, bench.read(0, 0x3008, 8));
        bench.function().interrupts(InterruptKind.MSIX, 64, 1, ENABLE);
        comes(InterruptKind.MSIX, 64);
        assertEquals(0, bench.read(0, 0x3008, 8));
    }

    @Test
    void shouldKeepMessagesBackWithoutBusMaster() {
        bench.start().useMsix().configure(ConfigurationSpace.COMMAND, 2, 3);
        interrupts.raise(1);
        comes(InterruptKind.MSIX);
        bench.configure(ConfigurationSpace.COMMAND, 2, 7);
        comes(InterruptKind.MSIX, 1);
    }

    @Test
    void shouldMaskAndForgetAsTheDriversSideAsks() {
        bench.start().useMsix();
        bench.function().interrupts(InterruptKind.MSIX, 0, 2, MASK);
        interrupts.raise(0);
        interrupts.raise(1);
        comes(InterruptKind.MSIX);
        bench.function().interrupts(InterruptKind.MSIX, 1, 1, DISABLE);
        bench.function().interrupts(InterruptKind.MSIX, 0, 2, UNMASK);
        bench.function().interrupts(InterruptKind.MSIX, 1, 1, ENABLE);
        comes(InterruptKind.MSIX, 0);
    }

    @Test
    void shouldShareTheMessagesThatTheDriverGranted() {
        bench.start().useMsi(4);
        assertEquals(InterruptKind.MSI, interrupts.kind());
        assertEquals(4, interrupts.vectors());
        interrupts.raise(3);
        interrupts.raise(6);
        comes(InterruptKind.MSI, 3, 2);
    }

    @Test
    void shouldAssertThePinForWhatIsLeftWhenMessagesAreTurnedOff() {
        bench.start().useMsi(1);
        interrupts.raise(0);
        comes(InterruptKind.MSI, 0);
        bench.configure(bench.capability(0x05) + 2, 2, 0);
        bench.function().interrupts(InterruptKind.MSI, 0, 1, DISABLE);
        comes(InterruptKind.INTX, 0);
    }

    @Test
    void shouldKeepTakenVectorsOverAFunctionLevelResetAndForgetTheRest() {
        bench.start().useMsix();
        bench.function().interrupts(InterruptKind.MSIX, 3, 1, MASK);
        interrupts.raise(3);
        int express = bench.capability(0x10);
        bench.configure(express + 8, 2, 0x8000);
        bench.function().interrupts(InterruptKind.MSIX, 3, 1, UNMASK);
        comes(InterruptKind.MSIX);
        bench.configure(ConfigurationSpace.COMMAND, 2, 7);
        interrupts.raise(3);
        comes(InterruptKind.MSIX, 3);
    }

    @Test
    void shouldForgetTheLevelInAReset() {
        bench.start();
        interrupts.raise(0);
        comes(InterruptKind.INTX, 0);
        bench.reset(ResetKind.COLD).unmaskIntx();
        comes(InterruptKind.INTX);
        assertEquals(false, statusBit());
        bench.start();
        interrupts.raise(0);
        comes(InterruptKind.INTX, 0);
    }

    @Test
    void shouldRefuseVectorsThatTheFunctionLacks() {
        assertThrows(
                IllegalArgumentException.class,
                () -> bench.function().interrupts(InterruptKind.MSIX, 60, 7, ENABLE));
        assertThrows(
                IllegalArgumentException.class,
                () -> bench.function().interrupts(InterruptKind.INTX, 1, 1, ENABLE));
    }
}
