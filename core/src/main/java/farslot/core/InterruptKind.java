package farslot.core;

/**
 * The interrupt mechanisms of a function. The codes are VFIO's indexes, which the link and traces
 * use too.
 */
public enum InterruptKind {
    /**
     * The pin, as VFIO's auto-masked model: an assertion masks; see {@link PciFunction#interrupts}.
     */
    INTX(0),
    /** PCI 3.0, 6.8.1. */
    MSI(1),
    /** PCI 3.0, 6.8.2. */
    MSIX(2);

    private final int code;

    InterruptKind(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** The kind with this code, or null where there is none. */
    public static InterruptKind ofCode(int code) {
        return switch (code) {
            case 0 -> INTX;
            case 1 -> MSI;
            case 2 -> MSIX;
            default -> null;
        };
    }
}
