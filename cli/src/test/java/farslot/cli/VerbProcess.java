package farslot.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A verb in a process of its own, with control sockets in a folder of the test's. */
final class VerbProcess implements AutoCloseable {
    private final Process process;
    private final Path talk;
    private final BufferedReader out;

    private VerbProcess(Process process, Path talk) {
        this.process = process;
        this.talk = talk;
        out = process.inputReader(StandardCharsets.UTF_8);
    }

    /** Starts {@code farslot} with these arguments. */
    static VerbProcess start(Path runtime, String... arguments) throws IOException {
        return start(List.of(), runtime, arguments);
    }

    /** The same where no file may grow beyond some KiB. */
    static VerbProcess startLimited(Path runtime, int kibibytes, String... arguments)
            throws IOException {
        String limit = "ulimit -f " + 2 * kibibytes + " && exec \"$0\" \"$@\"";
        return start(List.of("sh", "-c", limit), runtime, arguments);
    }

    /** The same where standard output is a file of this name, or a device. */
    static VerbProcess startInto(Path output, Path runtime, String... arguments)
            throws IOException {
        String into = "exec \"$0\" \"$@\" > " + output;
        return start(List.of("sh", "-c", into), runtime, arguments);
    }

    private static VerbProcess start(List<String> before, Path runtime, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(before);
        // As at a terminal: what runs these tests in the background ignores Ctrl-C, and a child
        // would inherit that.
        command.addAll(List.of("env", "--default-signal=INT"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:-UsePerfData",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dfarslot.runtime=" + runtime,
                        "-cp",
                        System.getProperty(
                                "surefire.test.class.path", System.getProperty("java.class.path")),
                        "farslot.cli.Main"));
        command.addAll(List.of(arguments));
        Path talk = Files.createTempFile(runtime, "talk", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.redirectError(talk.toFile());
        return new VerbProcess(builder.start(), talk);
    }

    /** The JSON that it prints when it is ready: an object that ends at the line's beginning. */
    JsonNode report() throws IOException {
        StringBuilder text = new StringBuilder();
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            text.append(line).append('\n');
            if (line.equals("}")) {
                return JsonMapper.shared().readTree(text.toString());
            }
        }
        throw new IOException("It printed no JSON, but said: " + talk());
    }

    /** All that it prints until it ends. */
    String output() throws IOException {
        StringBuilder text = new StringBuilder();
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            text.append(line).append('\n');
        }
        return text.toString();
    }

    String talk() throws IOException {
        return Files.readString(talk, StandardCharsets.UTF_8);
    }

    /** As kill -9 does. */
    void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** As Ctrl-C does, nearly: SIGTERM. Gives the exit code. */
    int terminate() throws InterruptedException {
        process.destroy();
        return exitCode();
    }

    int exitCode() throws InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new IllegalStateException("It has not ended.");
        }
        return process.exitValue();
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        kill();
    }
}
