package farslot.core;

/** What a function tells its driver's side apart from completions and interrupts. */
public sealed interface FunctionEvent {
    /**
     * A device's fault that the driver's machine should know of (AER). {@code fatal} stops a
     * virtual machine that asked for it.
     */
    @SuppressWarnings("AvoidCommonTypeNames")
    record Error(boolean fatal, String sentence) implements FunctionEvent {}

    /** A power-management event, PME# (PCI Power Management 1.2, 3.2.4). */
    record PowerManagement() implements FunctionEvent {}

    /** The function came or went. */
    record Presence(boolean present) implements FunctionEvent {}

    /** Something that {@link PciFunction#describe} tells has changed. */
    record DescriptionChanged() implements FunctionEvent {}

    /** The lender will end this borrow on its own accord; the sentence says why. */
    record GoingAway(String sentence) implements FunctionEvent {}

    /**
     * The function began a new generation without being asked by {@link PciFunction#reset}: the
     * driver wrote FLR to its configuration space.
     */
    record NewGeneration(int generation, ResetKind kind) implements FunctionEvent {}

    /** DMA was refused; nothing was transferred. */
    record DmaRefused(long address, long length, Direction direction, String sentence)
            implements FunctionEvent {}
}
