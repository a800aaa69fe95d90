package farslot.watch;

import farslot.core.CompletionStatus;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.Identity;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.Region;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/** A function that takes every write and reads as zeros. */
final class Register implements PciFunction {
    private static final FunctionDescription DESCRIPTION =
            new FunctionDescription(
                    "register",
                    new Identity(1, 2, 3, 4, 5, 6),
                    List.of(
                            new Region(0, Region.Space.MEMORY, 1 << 20, Set.of(), 64),
                            new Region(
                                    Region.CONFIGURATION,
                                    Region.Space.CONFIGURATION,
                                    4096,
                                    Set.of(),
                                    4)),
                    List.of(),
                    0,
                    0,
                    0,
                    Set.of(),
                    Set.of());

    @Override
    public FunctionDescription describe() {
        return DESCRIPTION;
    }

    @Override
    public void attach(PciHost host) {}

    @Override
    public int generation() {
        return 1;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        into.fill((byte) 0);
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        return CompletionStatus.SUCCESS;
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {}

    @Override
    public void map(DmaMap map) {}

    @Override
    public CompletionStatus unmap(long address, long length) {
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        return CompletionStatus.SUCCESS;
    }
}
