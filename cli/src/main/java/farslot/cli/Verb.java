package farslot.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What every verb has: help, where data goes, where talk goes. {@link #call} returns one of {@link
 * ExitCode} or throws {@link CommandFailure}.
 */
abstract class Verb implements Callable<Integer> {
    @Spec CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    boolean helpAsked;

    /**
     * Standard output: data, and nothing else. Flushed when the verb ends; flush what is followed.
     */
    final PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /** Prints a line of talk to standard error. */
    final void say(String line) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(line);
        err.flush();
    }

    /** Ends a verb whose command line is wrong in a way that picocli cannot see. */
    final CommandFailure usage(String sentence) {
        return new CommandFailure(
                ExitCode.USAGE, sentence + " \"" + spec.qualifiedName() + " --help\" says more.");
    }
}
