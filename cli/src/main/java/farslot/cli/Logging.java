package farslot.cli;

import java.util.logging.Level;
import java.util.logging.Logger;

/** How the modules' {@link System.Logger}s appear on standard error. */
final class Logging {
    /** Kept, since java.util.logging forgets a logger that nobody holds, with its level. */
    private static final Logger FARSLOT = Logger.getLogger("farslot");

    private Logging() {}

    /** "21:05:17 farslot.link: the sentence": the JDK's own format takes two lines. */
    static void inOneLine() {
        System.setProperty(
                "java.util.logging.SimpleFormatter.format", "%1$tH:%1$tM:%1$tS %3$s: %5$s%6$s%n");
    }

    /** Leaves out what is only for information. */
    static void warningsOnly() {
        FARSLOT.setLevel(Level.WARNING);
    }
}
