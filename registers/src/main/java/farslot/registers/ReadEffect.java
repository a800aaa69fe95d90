package farslot.registers;

/** Whether reading a register changes something in the device. */
public enum ReadEffect {
    NONE,
    PRESENT,
    /** The map does not say: counts as present, since a viewer never disturbs a device. */
    UNKNOWN;

    /** Whether a viewer may read the register. */
    public boolean harmless() {
        return this == NONE;
    }
}
