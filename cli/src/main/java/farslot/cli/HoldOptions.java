package farslot.cli;

import farslot.slot.HeldFunction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/**
 * How a slot bears a broken connection, for {@code borrow} and {@code vm run}. docs/resume.md says
 * what follows from each.
 */
final class HoldOptions {
    private static final double LONGEST_SECONDS = 86_400;

    @Option(
            names = "--hold",
            paramLabel = "SECONDS",
            defaultValue = "4",
            description =
                    "How long one access of the driver waits for a connection; then reads are"
                            + " all-ones until there is one. Default ${DEFAULT-VALUE}, since QEMU"
                            + " gives up after 5.")
    double hold;

    @Option(
            names = "--grace",
            paramLabel = "SECONDS",
            description =
                    "For how long the slot tries to go on with its session when the connection is"
                            + " broken. Default: for as long as the lender keeps it"
                            + " (\"lend --grace\").")
    Double grace;

    @Option(
            names = "--rejoin",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description =
                    "Borrow a lost function again when its lender is back (the default); with"
                            + " --no-rejoin the slot ends instead, and the driver reads all-ones.")
    boolean rejoin;

    /** Whether accesses may be held for longer than an emulator waits by itself. */
    boolean isLong() {
        return holdMillis() > HeldFunction.HOLD_MILLIS;
    }

    long holdMillis() {
        return Math.round(hold * 1000);
    }

    HeldFunction.Rules rules() {
        return new HeldFunction.Rules(holdMillis(), rejoin);
    }

    /** The slot's own bound: a day is more than any lender's. */
    Duration graceTime() {
        return millis(grace == null ? LONGEST_SECONDS : grace);
    }

    static Duration millis(double seconds) {
        return Duration.ofMillis(Math.round(seconds * 1000));
    }

    /** Ends the verb where a time is none. */
    void check(Verb verb) {
        checkSeconds(verb, "--hold", hold, 0.1);
        if (grace != null) {
            checkSeconds(verb, "--grace", grace, 0);
        }
    }

    static void checkSeconds(Verb verb, String name, double seconds, double least) {
        if (!(seconds >= least && seconds <= LONGEST_SECONDS)) {
            throw verb.usage(
                    String.format(
                            Locale.ROOT,
                            "%s is a number of seconds from %s to 86400, not %s.",
                            name,
                            number(least),
                            number(seconds)));
        }
    }

    /** The same as words of {@code borrow}, for a slot of an emulator that is told to wait. */
    List<String> words() {
        List<String> words = new ArrayList<>(List.of("--hold", number(hold)));
        if (isLong()) {
            words.add("--emulator-waits");
        }
        if (grace != null) {
            words.addAll(List.of("--grace", number(grace)));
        }
        if (!rejoin) {
            words.add("--no-rejoin");
        }
        return words;
    }

    private static String number(double value) {
        return value == Math.rint(value)
                ? String.format(Locale.ROOT, "%.0f", value)
                : Double.toString(value);
    }
}
