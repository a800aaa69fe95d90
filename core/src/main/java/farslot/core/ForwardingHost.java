package farslot.core;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/** A host that passes everything on to another. */
public abstract class ForwardingHost implements PciHost {
    private final PciHost next;

    protected ForwardingHost(PciHost next) {
        this.next = Objects.requireNonNull(next);
    }

    protected final PciHost next() {
        return next;
    }

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        return next.read(generation, address, into);
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        return next.write(generation, address, from);
    }

    @Override
    public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
        return next.readAll(generation, segments);
    }

    @Override
    public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
        return next.writeAll(generation, segments);
    }

    @Override
    public MemorySegment near(int generation, long address, long length, Direction direction) {
        return next.near(generation, address, length, direction);
    }

    @Override
    public boolean servedWhileWaiting(long address, long length) {
        return next.servedWhileWaiting(address, length);
    }

    @Override
    public void interrupt(int generation, InterruptKind kind, int vector) {
        next.interrupt(generation, kind, vector);
    }

    @Override
    public void event(FunctionEvent event) {
        next.event(event);
    }
}
