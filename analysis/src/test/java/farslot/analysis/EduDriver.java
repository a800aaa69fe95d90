package farslot.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.Semaphore;

/**
 * A driver of edu: computes a factorial, and moves bytes into the device and back to another place.
 */
final class EduDriver {
    static final int BYTES = 256;

    private final Semaphore interrupts = new Semaphore(0);
    private final PciFunction function;
    private final MemorySegment memory;
    private final long memoryAt;

    EduDriver(PciFunction function, Arena arena, long memoryAt) {
        this.function = function;
        this.memoryAt = memoryAt;
        memory = arena.allocate(0x2000, 4096);
        InProcessHost host =
                new InProcessHost(
                        function,
                        new InProcessHost.Listener() {
                            @Override
                            public void interrupt(InterruptKind kind, int vector) {
                                interrupts.release();
                            }

                            @Override
                            public void event(FunctionEvent event) {}
                        });
        host.map(memoryAt, memory, Direction.READ_WRITE);
    }

    /** The bytes that came back. */
    MemorySegment moved() {
        return memory.asSlice(0x1000, BYTES);
    }

    void work() throws InterruptedException {
        write(Region.CONFIGURATION, 4, 2, 6);
        function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.ENABLE);
        write(0, 0x04, 4, 0x55aa55aa);
        read(0x04, 4);
        write(0, 0x20, 4, 0x80);
        write(0, 0x08, 4, 12);
        while ((read(0x20, 4) & 1) != 0) {
            Thread.onSpinWait();
        }
        read(0x08, 4);
        acknowledge();
        for (int i = 0; i < BYTES; i++) {
            memory.set(ValueLayout.JAVA_BYTE, i, (byte) (i * 7));
        }
        transfer(memoryAt, 0x40000, 5);
        transfer(0x40000, memoryAt + 0x1000, 7);
    }

    private void transfer(long from, long to, long command) throws InterruptedException {
        write(0, 0x80, 8, from);
        write(0, 0x88, 8, to);
        write(0, 0x90, 8, BYTES);
        write(0, 0x98, 8, command);
        acknowledge();
    }

    private void acknowledge() throws InterruptedException {
        interrupts.acquire();
        write(0, 0x64, 4, read(0x24, 4));
        function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
    }

    long read(long offset, int bytes) {
        MemorySegment into = MemorySegment.ofArray(new byte[8]);
        assertEquals(
                CompletionStatus.SUCCESS, function.read(0, offset, into.asSlice(0, bytes), bytes));
        return into.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    }

    void write(int region, long offset, int bytes, long value) {
        MemorySegment from = MemorySegment.ofArray(new byte[8]);
        from.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
        assertEquals(
                CompletionStatus.SUCCESS,
                function.write(
                        region, offset, from.asSlice(0, bytes), bytes, PciFunction.ALL_BYTES));
    }
}
