package farslot.cli;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes and times as people write them: 512M, 10s. */
final class Amount {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,12})([KMGT]?)");
    private static final Pattern TIME = Pattern.compile("([0-9]{1,9})(ms|s|m|h)");
    private static final String UNITS = "KMGT";

    private Amount() {}

    /** So many bytes; K, M, G and T are powers of 1024. */
    static long bytes(String option, String text) {
        Matcher matcher = SIZE.matcher(text.toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new CommandFailure(
                    ExitCode.USAGE, option + "=" + text + ": a size is wanted, as in 64M or 1G.");
        }
        int shift = matcher.group(2).isEmpty() ? 0 : 10 * (1 + UNITS.indexOf(matcher.group(2)));
        long number = Long.parseLong(matcher.group(1));
        if (number > Long.MAX_VALUE >> shift) {
            throw new CommandFailure(
                    ExitCode.USAGE, option + "=" + text + ": that is more than any disk has.");
        }
        return number << shift;
    }

    static Duration time(Verb verb, String option, String text) {
        Matcher matcher = TIME.matcher(text);
        if (!matcher.matches()) {
            throw verb.usage(option + "=" + text + ": a time is wanted, as in 10s, 5m or 2h.");
        }
        long number = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "s" -> Duration.ofSeconds(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofHours(number);
        };
    }

    /** So many bytes, in words: "12.3 MiB". */
    static String words(long bytes) {
        if (bytes < 1 << 10) {
            return bytes + " bytes";
        }
        int unit = Math.min(UNITS.length(), (63 - Long.numberOfLeadingZeros(bytes)) / 10);
        double value = (double) bytes / (1L << (10 * unit));
        return String.format(Locale.ROOT, "%.1f %ciB", value, UNITS.charAt(unit - 1));
    }
}
