package farslot.cli;

import farslot.recorder.Condition;
import farslot.recorder.ConditionException;
import farslot.recorder.TraceNames;
import java.io.PrintWriter;
import picocli.CommandLine.Option;

/**
 * The {@code --where} of every verb that is about some events: {@code @Mixin WhereOption where}. A
 * verb ends when {@link #explained} did.
 */
final class WhereOption {
    @Option(
            names = "--where",
            paramLabel = "EXPR",
            description =
                    "Only events for which this holds, as in \"CSTS.RDY == 1 or irq\"; \"help\""
                            + " lists what can be asked.")
    String expression;

    /** Prints the fields of the language where they were asked for, and says whether. */
    boolean explained(PrintWriter out) {
        if (!Condition.HELP.equals(expression)) {
            return false;
        }
        Condition.help().forEach(out::println);
        return true;
    }

    /** The condition, by the names of one function's registers; null where all events are meant. */
    Condition condition(TraceNames names) {
        if (expression == null) {
            return null;
        }
        try {
            return Condition.of(expression, names);
        } catch (ConditionException e) {
            throw new CommandFailure(ExitCode.USAGE, "--where: " + e.getMessage(), e);
        }
    }
}
