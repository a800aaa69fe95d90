package farslot.recorder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The names of a trace's files: {@code FILE} is the newest, {@code FILE.1} the one before it, and
 * so on. For one thread, but {@link #of}.
 */
public final class TraceFileNames {
    private final Path newest;

    /** How many files there are. */
    private int kept = 1;

    /** Of a trace that has one file, or will have. */
    public TraceFileNames(Path newest) {
        this.newest = newest;
    }

    public Path newest() {
        return newest;
    }

    /** The name of the newest, 0, or of one so many before it. */
    public Path of(int number) {
        return number == 0 ? newest : newest.resolveSibling(newest.getFileName() + "." + number);
    }

    /**
     * Makes the newest name free for one file more: each gets the name behind its own, and the
     * oldest goes where there are as many as there may be.
     */
    public void moveOn(int most) throws IOException {
        if (kept == most) {
            Files.delete(of(most - 1));
            kept--;
        }
        for (int number = kept; number > 0; number--) {
            Files.move(of(number - 1), of(number), StandardCopyOption.ATOMIC_MOVE);
        }
        kept++;
    }
}
