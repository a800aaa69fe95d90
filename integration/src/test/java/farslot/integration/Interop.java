package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import farslot.lab.ChildProcess;
import farslot.lab.Console;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The programs in interop/, which know nothing of Farslot but docs/protocol.md. Where a machine has
 * no Python 3.9 or no gcc, the test that asks for it is skipped and says so.
 */
final class Interop {
    static final Path FOLDER = Path.of(System.getProperty("farslot.home"), "interop");
    static final Duration PATIENCE = Duration.ofSeconds(90);

    private static final Pattern LENT = Pattern.compile("is lent at (\\S+)\\R");

    private Interop() {}

    /** How a program ended, and all that it said. */
    record Ended(int code, String out, String err) {}

    /** Runs it to its end, which must come. */
    static Ended run(Path folder, String... words) throws IOException {
        Path out = Files.createTempFile(folder, "out", "");
        Path err = Files.createTempFile(folder, "err", "");
        ProcessBuilder builder = new ProcessBuilder(words);
        builder.redirectOutput(out.toFile()).redirectError(err.toFile());
        try (ChildProcess program = ChildProcess.start(builder)) {
            boolean ended = program.await(PATIENCE);
            String said = Files.readString(err);
            assertTrue(ended, () -> String.join(" ", words) + " hangs: " + said);
            return new Ended(program.process().exitValue(), Files.readString(out), said);
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    private static boolean works(Path folder, String... words) throws IOException {
        try {
            return run(folder, words).code() == 0;
        } catch (farslot.lab.LabException absent) {
            return false;
        }
    }

    static void assumePython(Path folder) throws IOException {
        assumeTrue(
                works(folder, "python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))"),
                "This machine has no python3 of version 3.9 or newer; interop/edu_lender.py is not"
                        + " tried.");
    }

    /** Compiles the client, by more options than its README's if there are any. */
    static Path client(Path folder, String... options) throws IOException {
        assumeTrue(
                works(folder, "gcc", "--version"),
                "This machine has no gcc; interop/edu_client.c is not tried.");
        Path program = folder.resolve("edu_client" + options.length);
        List<String> words = new ArrayList<>(List.of("gcc", "-std=c11"));
        words.addAll(List.of("-Wall", "-Wextra", "-Werror", "-O2"));
        words.addAll(List.of(options));
        words.addAll(List.of("-o", program.toString()));
        words.add(FOLDER.resolve("edu_client.c").toString());
        Ended gcc = run(folder, words.toArray(String[]::new));
        assertEquals(0, gcc.code(), gcc.err());
        return program;
    }

    /** The same with what finds memory errors and undefined behaviour. */
    static Path sanitizedClient(Path folder) throws IOException {
        String sanitizers = "-fsanitize=address,undefined";
        Path probe = Files.writeString(folder.resolve("probe.c"), "int main(void) { return 0; }\n");
        assumeTrue(
                works(folder, "gcc", sanitizers, "-o", folder + "/probe", probe.toString()),
                "This machine has no gcc with sanitizers; interop/edu_client.c is not tried by"
                        + " them.");
        return client(folder, sanitizers, "-fno-sanitize-recover=all", "-g");
    }

    /** The lender in Python, lending e0. */
    static final class PythonLender implements Closeable {
        private final ChildProcess process;
        private final Path err;
        final String address;

        /**
         * @param listen where: ADDRESS:PORT or a path
         */
        PythonLender(Path folder, String listen) throws IOException {
            assumePython(folder);
            err = Files.createTempFile(folder, "lender", ".err");
            String program = FOLDER.resolve("edu_lender.py").toString();
            ProcessBuilder builder =
                    new ProcessBuilder("python3", "-B", program, "--listen", listen, "--insecure");
            builder.redirectError(err.toFile());
            process = ChildProcess.start(builder);
            address =
                    Console.of("the lender in Python", process, null)
                            .await(LENT, PATIENCE)
                            .group(1);
        }

        /** By TCP at a free port. */
        PythonLender(Path folder) throws IOException {
            this(folder, "127.0.0.1:0");
        }

        int port() {
            return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        }

        /** What it has said to people. */
        String said() throws IOException {
            return Files.readString(err);
        }

        /** Asks it to end, as a user does. */
        void ask() {
            process.process().destroy();
        }

        /** The same, and returns its exit code. */
        int stop() {
            ask();
            assertTrue(process.await(PATIENCE), "the lender in Python does not end");
            return process.process().exitValue();
        }

        boolean isAlive() {
            return process.isAlive();
        }

        @Override
        public void close() {
            process.close();
        }
    }
}
