package farslot.core;

/**
 * What a function can do beyond what each must. Codes are bit numbers on the wire; unknown ones are
 * ignored there.
 */
public enum Ability {
    SAVE_LOAD(0),
    QUIESCE(1),
    /** Regions may be reached as memory by a slot on the same computer. */
    MAPPED_REGIONS(2),
    /** Reserved: atomic operations (PCI Express Base 4.0, 6.15). */
    ATOMICS(3);

    private final int bit;

    Ability(int bit) {
        this.bit = bit;
    }

    public int bit() {
        return bit;
    }
}
