package farslot.vfiouser;

import farslot.core.FunctionDescription;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Where the pending bits of MSI-X stand (PCI 3.0, 6.8.2). The client forwards reads of them though
 * it keeps the state itself; this side signals at once, so nothing is ever pending here.
 *
 * @param region index of the BAR, -1 where the function has no MSI-X
 */
record PendingBits(int region, long offset, long length) {
    private static final int MSIX_CAPABILITY = 0x11;
    private static final int PBA_REGISTER = 8;
    private static final int BIR_MASK = 7;

    static PendingBits of(PciFunction function, FunctionDescription description) {
        int vectors = description.vectors(InterruptKind.MSIX);
        for (FunctionDescription.CapabilityPlace place : description.capabilities()) {
            if (vectors == 0 || place.extended() || place.id() != MSIX_CAPABILITY) {
                continue;
            }
            try (Arena arena = Arena.ofShared()) {
                MemorySegment register = arena.allocate(4, 4);
                if (function.read(Region.CONFIGURATION, place.offset() + PBA_REGISTER, register, 4)
                        .isSuccess()) {
                    int value = register.get(Messages.U32, 0);
                    return new PendingBits(
                            value & BIR_MASK, value & ~BIR_MASK, (vectors + 63) / 64 * 8L);
                }
            }
        }
        return new PendingBits(-1, 0, 0);
    }

    boolean holds(int index, long at, int count) {
        return index == region && at >= offset && at + count <= offset + length;
    }
}
