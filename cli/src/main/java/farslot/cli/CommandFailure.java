package farslot.cli;

/**
 * Ends a verb with one sentence for the person who can act (what, where, why, what to do) and an
 * exit code. The sentence is printed as {@code farslot: SENTENCE}; the cause only where
 * FARSLOT_DEBUG is 1.
 */
public final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int exitCode;

    /**
     * @param exitCode one of {@link ExitCode}
     */
    public CommandFailure(int exitCode, String sentence) {
        this(exitCode, sentence, null);
    }

    /**
     * @param exitCode one of {@link ExitCode}
     */
    public CommandFailure(int exitCode, String sentence, Throwable cause) {
        super(sentence, cause);
        this.exitCode = exitCode;
    }

    /** One of {@link ExitCode}. */
    public int exitCode() {
        return exitCode;
    }
}
