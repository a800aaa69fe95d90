package farslot.core;

/** What the driver's side asks of a range of interrupt vectors ({@link PciFunction#interrupts}). */
public enum InterruptAction {
    /** The driver's side takes these vectors from now on; before that nothing is delivered. */
    ENABLE(1),
    /** The driver's side no longer takes them; the function forgets what was pending. */
    DISABLE(2),
    /** Hold them back: remember one as pending. */
    MASK(3),
    /**
     * Let them through again. For INTx: the end of an interrupt; the function alone decides whether
     * to assert again.
     */
    UNMASK(4);

    private final int code;

    InterruptAction(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** The action with this code, or null where there is none. */
    public static InterruptAction ofCode(int code) {
        return code >= 1 && code <= 4 ? values()[code - 1] : null;
    }
}
