package farslot.cli;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code --detach}: runs this very command line again, without that option, as a process of its own
 * that outlives the terminal. What it prints until it is ready is printed here; its talk goes to a
 * log beside the control sockets.
 */
final class Background {
    /** Tells the other process that it is one, and where its log is. */
    private static final String LOG_VARIABLE = "FARSLOT_DETACHED_LOG";

    /** What the other process prints last when it is ready, before it closes its output. */
    private static final int READY = 0;

    private Background() {}

    /**
     * Starts the process and waits until it is ready or has failed.
     *
     * @param verb names the log
     * @return the exit code of this process
     */
    static int start(String verb, Path directory, PrintWriter out, PrintWriter err) {
        try {
            Path log = Files.createTempFile(directory, verb + "-", ".log");
            ProcessBuilder builder = new ProcessBuilder(commandLine());
            builder.environment().put(LOG_VARIABLE, log.toString());
            builder.redirectInput(new File("/dev/null"));
            builder.redirectError(log.toFile());
            Process process = builder.start();
            byte[] printed = readUntilReady(process.getInputStream());
            if (printed != null) {
                out.print(new String(printed, StandardCharsets.UTF_8));
                out.flush();
                err.println(
                        verb
                                + " goes on in the background: process "
                                + process.pid()
                                + ", log "
                                + log);
                err.flush();
                return ExitCode.OK;
            }
            int exitCode = process.waitFor();
            err.print(Files.readString(log));
            err.flush();
            Files.delete(log);
            return exitCode == ExitCode.OK ? ExitCode.FAILED : exitCode;
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, verb + " could not be started in the background: " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ExitCode.INTERRUPTED;
        }
    }

    /** In the process that was started: all that the starter waits for is printed. */
    static void ready() {
        if (System.getenv(LOG_VARIABLE) != null) {
            System.out.write(READY);
            System.out.flush();
            // The starter reads to the end. Descriptor 1 becomes /dev/null with that.
            System.out.close();
        }
    }

    /** In the process that was started: it ends cleanly, its log is not needed. */
    static void ended() {
        String log = System.getenv(LOG_VARIABLE);
        if (log != null) {
            try {
                Files.deleteIfExists(Path.of(log));
            } catch (IOException e) {
                System.getLogger("farslot.cli")
                        .log(System.Logger.Level.WARNING, "The log " + log + " stays: " + e);
            }
        }
    }

    private static List<String> commandLine() throws IOException {
        // Every word ends in a zero byte, the last one too.
        String text = Files.readString(Path.of("/proc/self/cmdline"), StandardCharsets.UTF_8);
        List<String> words = List.of(text.substring(0, text.length() - 1).split("\0", -1));
        List<String> command = new ArrayList<>();
        // A session of its own: neither Ctrl-C nor the terminal's end reaches it.
        if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
            command.add("/usr/bin/setsid");
        }
        command.add(ProcessHandle.current().info().command().orElse(words.getFirst()));
        words.stream().skip(1).filter(word -> !word.equals("--detach")).forEach(command::add);
        return command;
    }

    /** What was printed, or null where the output ended before the process was ready. */
    private static byte[] readUntilReady(InputStream in) throws IOException {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        for (int b = in.read(); b >= 0; b = in.read()) {
            if (b == READY) {
                return printed.toByteArray();
            }
            printed.write(b);
        }
        return null;
    }
}
