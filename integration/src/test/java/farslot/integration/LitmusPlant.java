package farslot.integration;

/** A reordering that breaks one rule in one round ({@link ReorderingTap}). */
enum LitmusPlant {
    /** A DMA write waits until the driver has looked, which the interrupt behind it makes it do. */
    DATA_BEHIND_INTERRUPT(LitmusRule.DATA_THEN_INTERRUPT),
    /** The same; the flag makes it look. */
    DATA_BEHIND_FLAG(LitmusRule.DATA_THEN_FLAG),
    /** A read is done before the posted write before it. */
    WRITE_BEHIND_READ(LitmusRule.WRITES_THEN_READ),
    /** A DMA write is done after the completion of the read that came after it. */
    DATA_BEHIND_COMPLETION(LitmusRule.READ_PUSHES_DMA),
    /** A write to BAR0 is done after the later one to BAR2. */
    FIRST_REGION_LAST(LitmusRule.WRITES_TO_TWO_REGIONS),
    /** The unmask is done before the acknowledgement before it. */
    ACKNOWLEDGE_BEHIND_UNMASK(LitmusRule.INTERRUPT_THEN_ACKNOWLEDGE),
    /** A completion entry's last word is there before the rest of it. */
    LAST_WORD_FIRST(LitmusRule.ENTRY_AS_ONE),
    /** Two reads under way at once get each other's values. */
    COMPLETIONS_EXCHANGED(LitmusRule.ACCESSES_BESIDE_DMA),
    /** The device's DMA read is done before its DMA write of the same place. */
    BLOCK_BEHIND_READ(LitmusRule.ACCESSES_BESIDE_DMA);

    private final LitmusRule breaks;

    LitmusPlant(LitmusRule breaks) {
        this.breaks = breaks;
    }

    LitmusRule breaks() {
        return breaks;
    }

    /** Whether what was planted in one round may be found in another. */
    boolean isSeenIn(long seen, long planted) {
        return switch (this) {
            case ACKNOWLEDGE_BEHIND_UNMASK -> seen == planted + 1;
            // Either lane may be the first to tell, and lane 1 tells of a round of its own.
            case COMPLETIONS_EXCHANGED -> true;
            default -> seen == planted;
        };
    }

    /** Whether it needs the driver's threads beside each other, as they are at the slot only. */
    boolean needsSlot() {
        return this == COMPLETIONS_EXCHANGED;
    }
}
