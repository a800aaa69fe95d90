package farslot.slot;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;

/** A driver's side that notes what reaches it. */
final class NotingHost implements PciHost {
    final List<String> seen = new CopyOnWriteArrayList<>();
    final BlockingQueue<FunctionEvent> events = new LinkedBlockingQueue<>();

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        seen.add("read " + address + " in " + generation);
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        seen.add("write " + address + " in " + generation);
        return CompletionStatus.SUCCESS;
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        return MemorySegment.ofArray(new byte[(int) length]);
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return true;
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {
        seen.add(kind + " " + vector + " in " + generation);
    }

    @Override
    public void event(FunctionEvent event) {
        events.add(event);
    }
}
