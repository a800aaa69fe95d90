package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.DmaMap;
import farslot.core.FunctionDescription;
import farslot.core.FunctionDescription.CapabilityPlace;
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

/** A function whose BAR0 is memory, for tests. */
class MemoryFunction implements PciFunction {
    static final FunctionDescription DESCRIPTION =
            new FunctionDescription(
                    "memory",
                    new Identity(0x1234, 0x5678, 0x1af4, 0x1100, 0x01_08_02, 3),
                    List.of(
                            new Region(
                                    0,
                                    Region.Space.MEMORY,
                                    1 << 20,
                                    Set.of(Region.Attribute.BITS_64, Region.Attribute.RAM_LIKE),
                                    1 << 20),
                            new Region(
                                    Region.CONFIGURATION,
                                    Region.Space.CONFIGURATION,
                                    4096,
                                    Set.of(),
                                    8)),
                    List.of(
                            new CapabilityPlace(0x10, false, 0x40, 0x3c),
                            new CapabilityPlace(0x11, false, 0x80, 12),
                            new CapabilityPlace(0x01, true, 0x100, 0x48)),
                    1,
                    0,
                    4,
                    Set.of(ResetKind.FLR, ResetKind.COLD),
                    Set.of());

    private final MemorySegment memory = MemorySegment.ofArray(new byte[1 << 20]);
    private int generation = 1;
    PciHost host;

    @Override
    public FunctionDescription describe() {
        return DESCRIPTION;
    }

    @Override
    public void attach(PciHost newHost) {
        host = newHost;
    }

    @Override
    public int generation() {
        return generation;
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        if (offset + into.byteSize() > memory.byteSize()) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        MemorySegment.copy(memory, offset, into, 0, into.byteSize());
        return CompletionStatus.SUCCESS;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        if (offset + from.byteSize() > memory.byteSize()) {
            return CompletionStatus.UNSUPPORTED_REQUEST;
        }
        MemorySegment.copy(from, 0, memory, offset, from.byteSize());
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
        generation++;
        return CompletionStatus.SUCCESS;
    }
}
