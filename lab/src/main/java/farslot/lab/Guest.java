package farslot.lab;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Runs commands inside a lab machine, by the little listener of its init on a second serial port:
 * what kernel messages do to the console does not matter here. One command at a time; one thread.
 */
public final class Guest {
    /** For commands that only look; generous, since a busy machine translates slowly. */
    public static final Duration SHORT = Duration.ofSeconds(60);

    private static final String MARK = "@farslot ";

    /**
     * How a command ended.
     *
     * @param status its exit status
     * @param output what it said, standard error too
     */
    public record Outcome(int status, String output) {
        /** Without white space around. */
        public String text() {
            return output.strip();
        }
    }

    private final MachineSocket socket;
    private final Console console;
    private int lastId;

    Guest(MachineSocket socket, Console console) {
        this.socket = socket;
        this.console = console;
    }

    /**
     * Waits until the machine has booted, the first time or again.
     *
     * @throws LabException when the time is up or the machine ends first
     */
    public void awaitReady(Duration time) {
        long deadlineNanos = System.nanoTime() + time.toNanos();
        while (!next(deadlineNanos, time, "boot").endsWith(MARK + "ready")) {
            // What the agent of before a restart may still have said.
        }
    }

    /** Runs a shell script; any exit status is an outcome. */
    public Outcome run(String script, Duration time) {
        return run(script, time, line -> {});
    }

    /** The same, handing over each line as it comes. */
    public Outcome run(String script, Duration time, Consumer<String> lines) {
        long deadlineNanos = System.nanoTime() + time.toNanos();
        int id = begin(script);
        String mark = MARK + id + " ";
        StringBuilder output = new StringBuilder();
        while (true) {
            String line = next(deadlineNanos, time, script);
            if (line.startsWith(mark)) {
                int status = Integer.parseInt(line.substring(mark.length()).strip());
                return new Outcome(status, output.toString());
            }
            output.append(line).append('\n');
            lines.accept(line);
        }
    }

    /**
     * Runs a script that must succeed.
     *
     * @return what it said, without white space around
     * @throws LabException where its exit status is not 0
     */
    public String sh(String script, Duration time) {
        Outcome outcome = run(script, time);
        if (outcome.status() != 0) {
            throw new LabException(
                    "In the machine, \""
                            + script.strip()
                            + "\" ended with "
                            + outcome.status()
                            + ": "
                            + outcome.text()
                            + "\nConsole:\n"
                            + console.lastLines(12));
        }
        return outcome.text();
    }

    /** The same for what only looks. */
    public String sh(String script) {
        return sh(script, SHORT);
    }

    /** Begins a script whose end is not waited for: reboot, poweroff, a crash. */
    public int begin(String script) {
        int id = ++lastId;
        String encoded =
                Base64.getEncoder().encodeToString(script.getBytes(StandardCharsets.UTF_8));
        socket.send(id + " " + encoded, SHORT);
        return id;
    }

    private String next(long deadlineNanos, Duration time, String what) {
        try {
            Optional<String> line = socket.line(deadlineNanos - System.nanoTime());
            if (line != null && line.isPresent()) {
                return line.get().stripTrailing();
            }
            throw new LabException(
                    (line == null
                                    ? "The machine did not end \""
                                            + what.strip()
                                            + "\" in "
                                            + time.toSeconds()
                                            + " s."
                                    : "The machine ended in \"" + what.strip() + "\".")
                            + " Its console's last words:\n"
                            + console.lastLines(12));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("Interrupted while a machine worked.", e);
        }
    }
}
