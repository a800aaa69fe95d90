package farslot.link;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;

/** A driver's side: memory from DMA address 0x1000 on, and a queue of what it was told. */
final class FakeHost implements PciHost {
    static final long BASE = 0x1000;

    final MemorySegment memory;
    final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    volatile Runnable onRead = () -> {};
    volatile Runnable onInterrupt = () -> {};
    volatile boolean refusesWrites;

    /** Instead of noting an interrupt; null notes it. */
    volatile IntConsumer onInterruptOf;

    FakeHost() {
        this(Arena.ofAuto().allocate(0x200000, 8));
    }

    FakeHost(MemorySegment memory) {
        this.memory = memory;
    }

    long word(long address) {
        return memory.get(ValueLayout.JAVA_LONG_UNALIGNED, address - BASE);
    }

    String next() {
        try {
            String next = told.poll(20, TimeUnit.SECONDS);
            return next == null ? "nothing came" : next;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        onRead.run();
        MemorySegment.copy(memory, address - BASE, into, 0, into.byteSize());
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        if (refusesWrites) {
            return CompletionStatus.COMPLETER_ABORT;
        }
        MemorySegment.copy(from, 0, memory, address - BASE, from.byteSize());
        return CompletionStatus.SUCCESS;
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        return memory.asSlice(address - BASE, length);
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return true;
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {
        IntConsumer instead = onInterruptOf;
        if (instead != null) {
            instead.accept(vector);
            return;
        }
        onInterrupt.run();
        told.add(kind + " " + vector + " in " + generation);
    }

    @Override
    public void event(FunctionEvent event) {
        told.add(event.toString());
    }
}
