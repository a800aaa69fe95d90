package farslot.core;

/**
 * The function's side of INTx in VFIO's auto-masked model: an assertion masks, and only the
 * function, from its own level, asserts again once it is unmasked. A level that somebody else had
 * remembered would fire again for what the driver has dealt with meanwhile: over a distance that is
 * an interrupt storm.
 *
 * <p>Every method says whether the assertion is to be signalled now; it counts as signalled then.
 * Any thread may call.
 */
public final class IntxState {
    private boolean level;
    private boolean taken;
    private boolean asserted;
    private boolean masked;
    private boolean disabled;

    /** The pin rests, and nobody takes its interrupts. */
    public IntxState() {}

    /** The function needs service, or no longer does. */
    public synchronized boolean level(boolean needsService) {
        level = needsService;
        return assertion();
    }

    /** Whether the function needs service: the interrupt status bit. */
    public synchronized boolean level() {
        return level;
    }

    /** The command register's INTx disable bit (PCI 3.0, 6.2.2). */
    public synchronized boolean disabled(boolean byCommand) {
        disabled = byCommand;
        return assertion();
    }

    /** What the driver's side asks ({@link PciFunction#interrupts}). */
    public synchronized boolean apply(InterruptAction action) {
        switch (action) {
            case ENABLE -> {
                taken = true;
                asserted = false;
                masked = false;
            }
            case DISABLE -> {
                taken = false;
                asserted = false;
                masked = false;
            }
            case MASK -> masked = true;
            case UNMASK -> {
                asserted = false;
                masked = false;
            }
        }
        return assertion();
    }

    /**
     * A reset: the function needs nothing, and its last assertion and the mask that came with it
     * are forgotten. That the driver's side takes interrupts, or has masked them, stays.
     */
    public synchronized void reset() {
        level = false;
        asserted = false;
        disabled = false;
    }

    /** All of it, as bits: for a function that is saved. */
    public synchronized int save() {
        return (level ? 1 : 0)
                | (taken ? 1 << 1 : 0)
                | (asserted ? 1 << 2 : 0)
                | (masked ? 1 << 3 : 0)
                | (disabled ? 1 << 4 : 0);
    }

    /** What {@link #save} gave; other bits are ignored. Signals nothing. */
    public synchronized void load(int bits) {
        level = (bits & 1) != 0;
        taken = (bits & 1 << 1) != 0;
        asserted = (bits & 1 << 2) != 0;
        masked = (bits & 1 << 3) != 0;
        disabled = (bits & 1 << 4) != 0;
    }

    private boolean assertion() {
        boolean signals = level && taken && !asserted && !masked && !disabled;
        asserted |= signals;
        return signals;
    }
}
