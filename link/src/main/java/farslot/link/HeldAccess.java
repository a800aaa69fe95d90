package farslot.link;

/**
 * An access that a lender has begun and not ended: a debugger holds it, or the device is slow. Its
 * link is alive meanwhile.
 *
 * @param what for people: "a read of BAR0 at offset 0x1c"
 * @param millis for how long it has been held
 */
public record HeldAccess(String what, long millis) {
    /** An access to a region by its index. */
    static HeldAccess of(int region, long offset, boolean write, long millis) {
        String label =
                switch (region) {
                    case farslot.core.Region.ROM -> "the ROM";
                    case farslot.core.Region.CONFIGURATION -> "configuration space";
                    default -> "BAR" + region;
                };
        return new HeldAccess(
                String.format(
                        "a %s %s at offset 0x%x", write ? "write to" : "read of", label, offset),
                millis);
    }
}
