package farslot.lab;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** One run of another program to its end: apt-get, dpkg-deb, xz. It never outlives this process. */
final class Command {
    /** How the program ended, and what it said; standard error is in the text too. */
    record Outcome(int exitCode, String text) {
        boolean ok() {
            return exitCode == 0;
        }

        /** The last few lines: where programs say what went wrong. */
        String lastLines() {
            List<String> lines = text.lines().filter(line -> !line.isBlank()).toList();
            return String.join(" / ", lines.subList(Math.max(0, lines.size() - 4), lines.size()));
        }
    }

    private final ProcessBuilder builder;
    private Duration limit = Duration.ofMinutes(10);
    private Consumer<String> lines = line -> {};

    private Command(List<String> words) {
        builder = new ProcessBuilder(words);
        // Messages are read by this program too: they must not depend on the user's language.
        builder.environment().put("LC_ALL", "C.UTF-8");
    }

    static Command of(String... words) {
        return new Command(List.of(words));
    }

    static Command of(List<String> words) {
        return new Command(words);
    }

    Command in(Path folder) {
        builder.directory(folder.toFile());
        return this;
    }

    Command with(Map<String, String> environment) {
        builder.environment().putAll(environment);
        return this;
    }

    Command within(Duration time) {
        limit = time;
        return this;
    }

    /** Hands over each line as it comes. */
    Command lines(Consumer<String> consumer) {
        lines = consumer;
        return this;
    }

    /** Runs with standard output and error as one text. */
    Outcome run() {
        builder.redirectErrorStream(true);
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        try (ChildProcess child = ChildProcess.start(builder)) {
            Thread watch = watch(child);
            StringBuilder text = new StringBuilder();
            try (BufferedReader reader = reader(child)) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    text.append(line).append('\n');
                    lines.accept(line);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            if (!child.await(ChildProcess.PATIENCE)) {
                return new Outcome(-1, text + "It did not end.");
            }
            watch.interrupt();
            return new Outcome(child.process().exitValue(), text.toString());
        }
    }

    /** Runs with standard output into a file; the text is standard error's. */
    Outcome runInto(Path output) {
        builder.redirectOutput(output.toFile());
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        try (ChildProcess child = ChildProcess.start(builder)) {
            Thread watch = watch(child);
            String text =
                    new String(
                            child.process().getErrorStream().readAllBytes(),
                            StandardCharsets.UTF_8);
            boolean ended = child.await(ChildProcess.PATIENCE);
            watch.interrupt();
            return new Outcome(ended ? child.process().exitValue() : -1, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether a program of this name is on the PATH. */
    static boolean exists(String program) {
        return find(program) != null;
    }

    /** The program's path by PATH (and the folders that ordinary users lack in it), or null. */
    static Path find(String program) {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin";
        for (String folder : path.split(":", -1)) {
            Path candidate = Path.of(folder.isEmpty() ? "." : folder, program);
            if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
                return candidate.toAbsolutePath();
            }
        }
        return null;
    }

    private static BufferedReader reader(ChildProcess child) {
        return new BufferedReader(
                new InputStreamReader(child.process().getInputStream(), StandardCharsets.UTF_8));
    }

    /** Ends a program that takes longer than its limit, which ends the reading of its output. */
    private Thread watch(ChildProcess child) {
        return Thread.ofVirtual()
                .start(() -> {
                    if (!child.await(limit) && !Thread.currentThread().isInterrupted()) {
                        child.close();
                    }
                });
    }
}
