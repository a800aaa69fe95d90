package farslot.cli;

import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Option;

/** The {@code --color} of verbs whose lines have colours on a terminal. */
final class ColorOption {
    enum When {
        AUTO,
        ALWAYS,
        NEVER
    }

    @Option(
            names = "--color",
            paramLabel = "WHEN",
            description =
                    "auto (on a terminal, unless NO_COLOR is set), always or never;"
                            + " auto by default.")
    When when = When.AUTO;

    boolean wanted() {
        return switch (when) {
            case AUTO -> Ansi.AUTO.enabled();
            case ALWAYS -> true;
            case NEVER -> false;
        };
    }
}
