package farslot.cli;

import java.io.Console;
import java.io.PrintWriter;

/** A line on a terminal that tells how something stands; elsewhere nothing. */
final class Progress {
    private static final String BACK_AND_CLEAR = "\r\u001b[K";

    private final PrintWriter out;
    private final boolean shown = isTerminal();
    private boolean begun;

    Progress(PrintWriter out) {
        this.out = out;
    }

    @SuppressWarnings("SystemConsoleNull") // It does, where there is none at all.
    private static boolean isTerminal() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    void show(String words) {
        if (shown) {
            begun = true;
            out.print(BACK_AND_CLEAR + words);
            out.flush();
        }
    }

    /** The line is free for what comes next. */
    void end() {
        if (begun) {
            out.print(BACK_AND_CLEAR);
            out.flush();
        }
    }
}
