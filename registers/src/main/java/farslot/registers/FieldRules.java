package farslot.registers;

/**
 * What happens to a field's bits.
 *
 * @param access what the driver may do; {@link RegisterAccess#UNKNOWN} where the map does not say
 * @param writeOnce whether only the first write after a reset counts
 * @param changesByItself whether the device changes it without a write ("volatile")
 * @param resetMask the field's bits, counted from its lowest, whose value after a reset the map
 *     says
 * @param reset that value, in those bits
 */
public record FieldRules(
        RegisterAccess access,
        boolean writeOnce,
        boolean changesByItself,
        long resetMask,
        long reset) {
    /** Nothing is said. */
    public static final FieldRules UNKNOWN = of(RegisterAccess.UNKNOWN);

    public FieldRules {
        if ((reset & ~resetMask) != 0) {
            throw new IllegalArgumentException("A reset value has bits that are not known.");
        }
    }

    /** Nothing but the access is said. */
    public static FieldRules of(RegisterAccess access) {
        return new FieldRules(access, false, false, 0, 0);
    }
}
