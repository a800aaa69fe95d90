package farslot.core;

/**
 * The kinds of reset. Each starts a new generation; what each preserves is a table in
 * docs/protocol.md, "Reset".
 */
public enum ResetKind {
    /** Function-level reset (PCI Express Base 4.0, 6.6.2). */
    FLR(1),
    /** Hot reset, by the bus above (6.6.1). */
    HOT(2),
    /** Cold: as after power came on (6.6.1). */
    COLD(3);

    private final int code;

    ResetKind(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** The kind with this code, or null where there is none. */
    public static ResetKind ofCode(int code) {
        return code >= 1 && code <= 3 ? values()[code - 1] : null;
    }
}
