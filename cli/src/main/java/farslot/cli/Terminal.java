package farslot.cli;

import farslot.lab.ChildProcess;
import farslot.lab.Console;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Joins this program's terminal to a machine's console. */
final class Terminal {
    private static final Duration STTY = Duration.ofSeconds(5);

    private Terminal() {}

    /** Returns when {@code ended}, or at the end of the input. Ctrl-C still ends this program. */
    static void lend(Console console, BooleanSupplier ended) throws IOException {
        boolean terminal = System.console().isTerminal();
        Thread restore = new Thread(() -> stty("sane"), "restore-terminal");
        if (terminal) {
            // The guest's terminal echoes and edits; ours passes keys on, but for Ctrl-C.
            Runtime.getRuntime().addShutdownHook(restore);
            stty("-icanon", "-echo", "-icrnl", "min", "1");
        }
        try {
            console.copyTo(System.out);
            console.type("\n");
            pump(System.in, console, ended);
        } finally {
            console.copyTo(null);
            if (terminal) {
                stty("sane");
                Runtime.getRuntime().removeShutdownHook(restore);
            }
        }
    }

    private static void pump(InputStream keys, Console console, BooleanSupplier ended)
            throws IOException {
        Thread reader =
                Thread.ofPlatform()
                        .daemon()
                        .name("keys")
                        .start(() -> {
                            byte[] buffer = new byte[256];
                            try {
                                int count = keys.read(buffer);
                                while (count >= 0) {
                                    console.type(
                                            new String(
                                                    buffer, 0, count, StandardCharsets.ISO_8859_1));
                                    count = keys.read(buffer);
                                }
                            } catch (IOException | RuntimeException e) {
                                // The machine is gone, or the terminal: either ends it.
                            }
                        });
        try {
            while (!ended.getAsBoolean() && reader.isAlive()) {
                reader.join(Duration.ofMillis(200));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void stty(String... settings) {
        ProcessBuilder builder = new ProcessBuilder("stty");
        builder.command().addAll(List.of(settings));
        builder.redirectInput(ProcessBuilder.Redirect.INHERIT);
        builder.redirectErrorStream(true);
        try (ChildProcess child = ChildProcess.start(builder)) {
            child.await(STTY);
        }
    }
}
