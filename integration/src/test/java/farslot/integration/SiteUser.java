package farslot.integration;

import farslot.lab.ChildProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Somebody who uses farslot on a machine: with settings, an identity, control sockets and files of
 * his own. Ending ends what he has started.
 */
final class SiteUser implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Path home;
    private final List<String> machine;
    private final List<Running> running = new ArrayList<>();
    private boolean compiled;

    /** One farslot of his. */
    static final class Running {
        private final ChildProcess process;
        private final Path data;
        private final Path talk;

        private Running(ChildProcess process, Path data, Path talk) {
            this.process = process;
            this.data = data;
            this.talk = talk;
        }

        /** What it has printed so far. */
        String data() {
            return text(data);
        }

        /** What it has said so far. */
        String talk() {
            return text(talk);
        }

        /** Waits until it has printed or said this. */
        void await(String words) {
            long end = System.nanoTime() + PATIENCE.toNanos();
            while (!data().contains(words) && !talk().contains(words)) {
                if (!process.isAlive() || System.nanoTime() > end) {
                    throw new AssertionError("\"" + words + "\" is not in:\n" + data() + talk());
                }
                Thread.onSpinWait();
            }
        }

        /** Waits until it ends by itself. */
        int exitCode() {
            if (!process.await(PATIENCE)) {
                throw new AssertionError("It does not end: " + talk());
            }
            return process.process().exitValue();
        }

        /** Asks it to end, as Ctrl-C does, and waits. */
        void end() {
            process.process().destroy();
            exitCode();
        }
    }

    /**
     * @param machine the words that run a program on his machine
     */
    SiteUser(List<String> machine) throws IOException {
        this.machine = machine;
        home = Files.createTempDirectory("fsu"); // short: sockets' paths are
    }

    /** Has all programs of his compiled as users have: for figures. */
    SiteUser compiled(boolean wanted) {
        compiled = wanted;
        return this;
    }

    Path home() {
        return home;
    }

    /** Starts farslot. */
    Running start(String... arguments) throws IOException {
        List<String> words = new ArrayList<>(machine);
        List<String> program = Bench.program();
        words.addAll(program.subList(0, program.size() - 1));
        words.removeIf(word -> compiled && word.equals("-XX:TieredStopAtLevel=1"));
        words.add("-Dfarslot.runtime=" + home);
        words.add(program.getLast());
        words.addAll(List.of(arguments));
        Path data = Files.createTempFile(home, "data", ".txt");
        Path talk = Files.createTempFile(home, "talk", ".txt");
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.redirectOutput(data.toFile()).redirectError(talk.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("FARSLOT_"));
        Running started = new Running(ChildProcess.start(builder), data, talk);
        running.add(started);
        return started;
    }

    /** Runs it to its end, which must be this, and returns all that it said. */
    String run(int exitCode, String... arguments) throws IOException {
        Running one = start(arguments);
        String said = one.exitCode() + ": " + one.data() + one.talk();
        if (!said.startsWith(exitCode + ": ")) {
            throw new AssertionError("farslot " + String.join(" ", arguments) + ": " + said);
        }
        return said;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        running.reversed().forEach(one -> one.process.close());
        Bench.remove(home);
    }
}
