package farslot.integration;

/** A way between a driver and its device that litmus tests run over. */
enum LitmusPath {
    /** The device in the driver's process: no link. */
    DIRECT(1_000_000, 50_000, 600),
    /** A UNIX link; the device's process maps all of the driver's memory. */
    UNIX(1_000_000, 50_000, 300),
    /** A UNIX link; DMA by messages. */
    UNIX_UNMAPPED(100_000, 5_000, 100),
    /** A UNIX link; half of the memory mapped, half by messages, as QEMU's RAM and ROMs are. */
    UNIX_MIXED(100_000, 5_000, 100),
    TCP(1_000_000, 40_000, 300),
    /** TCP through a {@link ShufflingProxy}: delays up to 50 µs, splits and joins. */
    SHUFFLED(20_000, 1_000, 50),
    /** TCP with a millisecond each way. */
    FAR(1_000, 100, 10);

    private final long full;
    private final long some;
    private final long few;

    LitmusPath(long full, long some, long few) {
        this.full = full;
        this.some = some;
        this.few = few;
    }

    /** How many rounds each rule is to be tried. */
    long rounds() {
        return switch (System.getProperty("farslot.rounds", "short")) {
            case "full" -> full;
            case "few" -> few;
            default -> some;
        };
    }

    boolean isTcp() {
        return this == TCP || this == SHUFFLED || this == FAR;
    }
}
