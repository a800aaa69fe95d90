package farslot.cli;

/** How {@code farslot} ends; part of its interface, so a change needs a line in CHANGELOG.md. */
public final class ExitCode {
    /** Done. */
    public static final int OK = 0;

    /** Tried, and failed. */
    public static final int FAILED = 1;

    /** The command line or its input is wrong; nothing was changed. */
    public static final int USAGE = 2;

    /** The other side refused: already borrowed, not allowed, another protocol version. */
    public static final int REFUSED = 3;

    /** What was named is not there, or cannot be reached. */
    public static final int NOT_FOUND = 4;

    /**
     * This machine lacks something needed: QEMU, memory, network. {@code farslot doctor} says what.
     */
    public static final int LACKING = 5;

    /** Ended by Ctrl-C, after cleaning up; 143 by SIGTERM. */
    public static final int INTERRUPTED = 130;

    private ExitCode() {}
}
