package farslot.cli;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.Option;

/** What {@code vm run} takes for a crash of the guest, and how often it starts it again. */
final class CrashOptions {
    @Option(
            names = "--watch-crash",
            description =
                    "When the guest panics (it tells by QEMU's pvpanic device, for which Linux has"
                            + " a driver), end the machine and start it again, with fresh"
                            + " functions.")
    boolean watch;

    @Option(
            names = "--crash-pattern",
            paramLabel = "REGEX",
            description =
                    "The same for a guest that has a line with this on its console, for systems"
                            + " that know no pvpanic.")
    String pattern;

    @Option(
            names = "--restarts",
            paramLabel = "COUNT",
            description =
                    "Start it again so often at most; default: always, after a pause that grows"
                            + " from 1 s to 60 s while it crashes again within ten minutes.")
    Integer restarts;

    boolean areWatched() {
        return watch || pattern != null;
    }

    /** The pattern, or null. */
    Pattern compiled() {
        return pattern == null ? null : Pattern.compile(pattern);
    }

    /** Ends the verb where an option is none. */
    void check(Verb verb) {
        try {
            var _ = compiled();
        } catch (PatternSyntaxException e) {
            throw verb.usage(
                    "--crash-pattern: \""
                            + pattern
                            + "\" is no regular expression: "
                            + e.getDescription()
                            + ".");
        }
        if (restarts != null && restarts < 0) {
            throw verb.usage("--restarts is 0 or more, not " + restarts + ".");
        }
        if (restarts != null && !areWatched()) {
            throw verb.usage("--restarts needs --watch-crash or --crash-pattern.");
        }
    }
}
