package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import java.lang.foreign.MemorySegment;

/** A driver's side with memory from address 0, for tests. */
class MemoryHost implements PciHost {
    private final MemorySegment memory = MemorySegment.ofArray(new byte[1 << 20]);

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        if (address < 0 || address + into.byteSize() > memory.byteSize()) {
            return CompletionStatus.COMPLETER_ABORT;
        }
        MemorySegment.copy(memory, address, into, 0, into.byteSize());
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        if (address < 0 || address + from.byteSize() > memory.byteSize()) {
            return CompletionStatus.COMPLETER_ABORT;
        }
        MemorySegment.copy(from, 0, memory, address, from.byteSize());
        return CompletionStatus.SUCCESS;
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        return null;
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return true;
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {}

    @Override
    public void event(FunctionEvent event) {}
}
