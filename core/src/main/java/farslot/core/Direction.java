package farslot.core;

/** What a function may do with a piece of memory that the driver mapped for it. */
public enum Direction {
    /** The function reads the driver's memory. */
    READ(1),
    /** The function writes the driver's memory. */
    WRITE(2),
    READ_WRITE(3);

    private final int bits;

    Direction(int bits) {
        this.bits = bits;
    }

    /**
     * Bit 0: the function may read; bit 1: it may write (vfio-user's and the link's own encoding).
     */
    public int bits() {
        return bits;
    }

    /** Whether everything {@code wanted} asks for is allowed here. */
    public boolean allows(Direction wanted) {
        return (bits & wanted.bits) == wanted.bits;
    }

    /** The direction with these bits, or null where there is none. */
    public static Direction ofBits(int bits) {
        return switch (bits) {
            case 1 -> READ;
            case 2 -> WRITE;
            case 3 -> READ_WRITE;
            default -> null;
        };
    }
}
