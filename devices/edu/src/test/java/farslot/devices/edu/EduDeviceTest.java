package farslot.devices.edu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.InterruptKind;
import farslot.core.Region;
import farslot.core.ResetKind;
import farslot.sdk.BadOptionException;
import farslot.sdk.DeviceCreationException;
import farslot.sdk.DeviceKinds;
import farslot.sdk.testbench.TestBench;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EduDeviceTest {
    private static final TestBench.Interrupt INTX = new TestBench.Interrupt(InterruptKind.INTX, 0);
    private static final TestBench.Interrupt MSI = new TestBench.Interrupt(InterruptKind.MSI, 0);
    private static final Duration DMA_TAKES = Duration.ofMillis(100);
    private static final long ALL_ONES_32 = 0xffff_ffffL;

    private TestBench bench = started(Map.of());

    private static TestBench started(Map<String, String> options) {
        try {
            return TestBench.of(new EduKind(), options).start();
        } catch (DeviceCreationException e) {
            throw new AssertionError(e);
        }
    }

    private void use(Map<String, String> options) {
        bench.close();
        bench = started(options);
    }

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void shouldIdentifyItself() {
        assertEquals(0x11e8_1234, bench.configuration(0, 4));
        assertEquals(0x00ff_0010, bench.configuration(8, 4));
        assertEquals(0x0100_00ed, bench.read("ID"));
        bench.write("ID", 0);
        assertEquals(0x0100_00ed, bench.read("ID"));
    }

    @Test
    void shouldInvertWhatShowsThatItLives() {
        bench.write("LIVENESS", 0x1234_5678);
        assertEquals(0xedcb_a987L, bench.read("LIVENESS"));
    }

    @Test
    void shouldComputeFactorials() {
        long[][] known = {{0, 1}, {1, 1}, {5, 120}, {12, 479001600}, {13, 1932053504}, {-1, 0}};
        for (long[] pair : known) {
            bench.write("FACTORIAL", pair[0]).settle();
            assertEquals(pair[1], bench.read("FACTORIAL"));
            assertEquals(0, bench.read("STATUS"));
        }
        assertEquals(List.of(), bench.interrupts());
    }

    @Test
    void shouldInterruptWhenAFactorialIsDoneIfAsked() {
        bench.write("STATUS", 0x80).write("FACTORIAL", 4);
        assertEquals(INTX, bench.awaitInterrupt());
        bench.settle();
        assertEquals(24, bench.read("FACTORIAL"));
        assertEquals(1, bench.read("IRQ_STATUS"));
    }

    @Test
    void shouldKeepStatusBitsThatAreNotWritable() {
        bench.write("STATUS", ALL_ONES_32);
        assertEquals(0x80, bench.read("STATUS"));
    }

    @Test
    void shouldAssertIntxUntilAllBitsAreAcknowledged() {
        bench.write("IRQ_RAISE", 0x30);
        assertEquals(List.of(INTX), bench.interrupts());
        assertEquals(0x30, bench.read("IRQ_STATUS"));
        bench.unmaskIntx();
        assertEquals(List.of(INTX), bench.interrupts());
        bench.write("IRQ_ACK", 0x10).unmaskIntx();
        assertEquals(List.of(INTX), bench.interrupts());
        bench.write("IRQ_ACK", 0x20).unmaskIntx();
        assertEquals(List.of(), bench.interrupts());
        assertEquals(0, bench.read("IRQ_STATUS"));
    }

    @Test
    void shouldSendOneMessageForEachRaise() {
        bench.useMsi(1);
        bench.write("IRQ_RAISE", 1).write("IRQ_RAISE", 2);
        assertEquals(List.of(MSI, MSI), bench.interrupts());
        assertEquals(3, bench.read("IRQ_STATUS"));
        bench.write("IRQ_ACK", 3);
        assertEquals(List.of(), bench.interrupts());
    }

    @Test
    void shouldReadWriteOnlyAndUnknownRegistersAsAllOnes() {
        assertEquals(ALL_ONES_32, bench.read("IRQ_RAISE"));
        assertEquals(ALL_ONES_32, bench.read(0, 0x40, 4));
        assertEquals(ALL_ONES_32, bench.read(0, 0x40000, 4));
        assertTrue(bench.write(0, 0x40, 4, 5).isSuccess());
    }

    @Test
    void shouldTakeOnlyTheWidthsThatTheSpecificationAllows() {
        for (int size : new int[] {1, 2, 8}) {
            assertEquals(-1L >>> (64 - 8 * size), bench.read(0, 0, size));
            assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, bench.write(0, 4, size, 0));
        }
        assertEquals(0, bench.read("LIVENESS"));
        assertEquals(0xff, bench.read(0, 0x80, 1));
        assertEquals(0, bench.read(0, 0x80, 8));
        assertEquals(0, bench.read(0, 0x80, 4));
    }

    private void copy(long from, long to, long count, int command) {
        bench.write("DMA_SOURCE", from)
                .write("DMA_DESTINATION", to)
                .write("DMA_COUNT", count)
                .write("DMA_COMMAND", command);
    }

    @Test
    void shouldCopyToItsBufferAndBack() {
        MemorySegment memory = bench.memory(0x10_0000, 0x1000);
        for (int i = 0; i < 100; i++) {
            memory.set(ValueLayout.JAVA_BYTE, i, (byte) (i + 1));
        }
        copy(0x10_0000, 0x40000, 100, 1);
        assertEquals(1, bench.read("DMA_COMMAND"));
        bench.write("DMA_COUNT", 7); // ignored while it runs
        bench.advance(DMA_TAKES);
        assertEquals(0, bench.read("DMA_COMMAND"));
        assertEquals(100, bench.read("DMA_COUNT"));
        copy(0x40000, 0x10_0000 + 101, 100, 3);
        bench.advance(DMA_TAKES);
        assertArrayEquals(TestBench.bytes(memory, 0, 100), TestBench.bytes(memory, 101, 100));
        assertEquals(List.of(), bench.interrupts());
    }

    @Test
    void shouldInterruptWhenDmaIsDoneIfAsked() {
        MemorySegment memory = bench.memory(0, 0x1000);
        memory.fill((byte) 0x5a);
        bench.useMsi(1);
        copy(0, 0x40800, 8, 5);
        bench.advance(DMA_TAKES);
        assertEquals(List.of(MSI), bench.interrupts());
        assertEquals(0x100, bench.read("IRQ_STATUS"));
        assertEquals(4, bench.read("DMA_COMMAND"));
    }

    @Test
    void shouldIgnoreACommandWithoutRun() {
        bench.write("DMA_COMMAND", 6);
        assertEquals(0, bench.read("DMA_COMMAND"));
    }

    @Test
    void shouldCutDmaAddressesToItsMask() {
        MemorySegment memory = bench.memory(0x100_0000, 0x1000);
        memory.fill((byte) 9);
        copy(0xf_0100_0000L, 0x40000, 16, 1);
        bench.advance(DMA_TAKES);
        copy(0x40000, 0xf_0100_0800L, 16, 3);
        memory.fill((byte) 0);
        bench.advance(DMA_TAKES);
        assertEquals(9, memory.get(ValueLayout.JAVA_BYTE, 0x80f));
        use(Map.of("dma_mask", "0xffffffffff"));
        MemorySegment high = bench.memory(0xf_0100_0000L, 0x1000);
        copy(0x40000, 0xf_0100_0000L, 1, 3);
        high.fill((byte) 1);
        bench.advance(DMA_TAKES);
        assertEquals(0, high.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void shouldCopyNothingOutsideItsBufferOrTheMap() {
        MemorySegment memory = bench.memory(0, 0x1000);
        memory.fill((byte) 1);
        for (long[] bad :
                new long[][] {
                    {0x40000, 4097}, {0x40ff8, 9}, {0x3ffff, 1}, {0, 1}, {0x40000, -1}, {-1, 1}
                }) {
            copy(bad[0], 0, bad[1], 7);
            bench.advance(DMA_TAKES);
            assertEquals(6, bench.read("DMA_COMMAND"));
            assertEquals(0x100, bench.read("IRQ_STATUS"));
            bench.write("IRQ_ACK", 0x100);
        }
        copy(0x40000, 0xff9, 8, 3);
        bench.advance(DMA_TAKES);
        assertArrayEquals(new byte[] {1, 1, 1}, TestBench.bytes(memory, 0xffd, 3));
    }

    @Test
    void shouldForgetEverythingInAReset() {
        MemorySegment memory = bench.memory(0, 0x1000);
        memory.fill((byte) 7);
        bench.write("IRQ_RAISE", 1).write("LIVENESS", 1).write("STATUS", 0x80);
        copy(0, 0x40000, 16, 5);
        bench.interrupts();
        bench.reset(ResetKind.HOT).start().advance(Duration.ofSeconds(1));
        assertEquals(0, bench.read("DMA_COMMAND"));
        assertEquals(0, bench.read("IRQ_STATUS"));
        assertEquals(0, bench.read("LIVENESS"));
        assertEquals(List.of(), bench.interrupts());
        copy(0x40000, 0x800, 16, 3);
        bench.advance(DMA_TAKES);
        assertArrayEquals(new byte[16], TestBench.bytes(memory, 0x800, 16));
    }

    @Test
    void shouldDoTheSameByIoPorts() {
        use(Map.of("bar", "io"));
        Region bar = bench.function().describe().region(0).orElseThrow();
        assertEquals(Region.Space.IO_PORT, bar.space());
        assertEquals(256, bar.sizeBytes());
        assertEquals(0x0100_00ed, bench.read(0, 0, 4));
        bench.write(0, 4, 4, 1);
        assertEquals(0xffff_fffeL, bench.read(0, 4, 4));
        MemorySegment memory = bench.memory(0, 0x1000);
        memory.fill((byte) 3);
        bench.write(0, 0x80, 4, 0);
        bench.write(0, 0x84, 4, 0);
        bench.write(0, 0x88, 4, 0x40000);
        bench.write(0, 0x90, 4, 4096);
        bench.write(0, 0x98, 4, 5);
        bench.advance(DMA_TAKES);
        assertEquals(List.of(INTX), bench.interrupts());
        assertEquals(0x100, bench.read(0, 0x24, 4));
    }

    @Test
    void shouldBeFoundByItsName() throws BadOptionException {
        assertEquals("edu", DeviceKinds.named("edu").kind());
        assertTrue(
                assertThrows(BadOptionException.class, () -> DeviceKinds.named("edo"))
                        .getMessage()
                        .contains("did you mean \"edu\"?"));
    }

    @Test
    void shouldRefuseOptionsThatItDoesNotKnow() {
        assertThrows(
                BadOptionException.class,
                () -> TestBench.of(new EduKind(), Map.of("dma-mask", "1")));
        assertThrows(
                BadOptionException.class, () -> TestBench.of(new EduKind(), Map.of("bar", "ram")));
    }
}
