package farslot.cli;

import farslot.lab.ChildProcess;
import farslot.lab.Console;
import java.util.List;

/**
 * Another farslot that this one started for a while: a lender or a slot. What it says is kept and
 * can be waited for. It ends when closed, and with this program at the latest.
 */
final class FarslotProcess implements AutoCloseable {
    private final String role;
    private final ChildProcess process;
    private final Console console;

    private FarslotProcess(String role, ChildProcess process, Console console) {
        this.role = role;
        this.process = process;
        this.console = console;
    }

    /**
     * Starts {@code farslot ARGUMENT...}.
     *
     * @param role for messages: "the lender"
     */
    static FarslotProcess start(String role, List<String> arguments) {
        ProcessBuilder builder =
                new ProcessBuilder(Program.command(arguments.toArray(String[]::new)));
        builder.redirectErrorStream(true);
        ChildProcess process = ChildProcess.start(builder);
        return new FarslotProcess(role, process, Console.of(role, process, null));
    }

    /** As it was started, for messages. */
    String role() {
        return role;
    }

    /** What it says on standard output and standard error. */
    Console console() {
        return console;
    }

    ChildProcess process() {
        return process;
    }

    /** Its own sentence and exit code, once it has failed. */
    CommandFailure failure() {
        String words = console.lastLines(1).replaceFirst("^farslot: ", "");
        return new CommandFailure(process.process().exitValue(), words);
    }

    @Override
    public void close() {
        process.close();
    }
}
