package farslot.core;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** A function that passes everything on to another: what taps and slots begin from. */
public abstract class ForwardingFunction implements PciFunction {
    private final PciFunction next;

    protected ForwardingFunction(PciFunction next) {
        this.next = Objects.requireNonNull(next);
    }

    protected final PciFunction next() {
        return next;
    }

    @Override
    public FunctionDescription describe() {
        return next.describe();
    }

    @Override
    public void attach(PciHost host) {
        next.attach(host);
    }

    @Override
    public int generation() {
        return next.generation();
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        return next.read(region, offset, into, widthBytes);
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        return next.write(region, offset, from, widthBytes, byteEnables);
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        next.interrupts(kind, first, count, action);
    }

    @Override
    public void map(DmaMap map) {
        next.map(map);
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        return next.unmap(address, length);
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        return next.reset(kind);
    }

    @Override
    public CompletionStatus quiesce() {
        return next.quiesce();
    }

    @Override
    public void resume() {
        next.resume();
    }

    @Override
    public byte[] save() throws StateException {
        return next.save();
    }

    @Override
    public void load(byte[] state) throws StateException {
        next.load(state);
    }
}
