package farslot.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Starts programs that the kernel ends when this one ends, {@code kill -9} included: prctl(2),
 * PR_SET_PDEATHSIG, by util-linux's setpriv. They get SIGTERM, so they clean up. Where there is no
 * setpriv that can do so they are started all the same, untied.
 */
final class DeathSignal {
    /**
     * What runs between setpriv and the program: had this one ended before the signal was asked
     * for, none would come.
     */
    private static final String UNLESS_ENDED = "[ \"$PPID\" = \"$0\" ] && exec \"$@\"";

    /**
     * The kernel means the thread that started the program when it says parent, so that is a thread
     * that lasts as long as this program.
     */
    private static final ExecutorService STARTER =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("start-children").factory());

    private static final List<String> TIE = tie();

    private DeathSignal() {}

    /** Starts the program of {@code builder}, which is not for use afterwards. */
    static Process start(ProcessBuilder builder) throws IOException {
        List<String> words = builder.command();
        // What cannot be found fails here, and not in what runs before it.
        if (!TIE.isEmpty() && isThere(words.getFirst())) {
            List<String> tied = new ArrayList<>(TIE);
            tied.addAll(words);
            builder.command(tied);
        }
        return started(builder);
    }

    private static Process started(ProcessBuilder builder) throws IOException {
        var start = STARTER.submit(builder::start);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return start.get();
                } catch (InterruptedException e) {
                    // The process is there all the same, and must not be lost sight of.
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static boolean isThere(String program) {
        return program.contains("/")
                ? Files.isExecutable(Path.of(program))
                : Command.find(program) != null;
    }

    private static List<String> tie() {
        Path setpriv = Command.find("setpriv");
        if (setpriv == null) {
            return List.of();
        }
        List<String> words = List.of(setpriv.toString(), "--pdeathsig", "TERM");
        List<String> trial = new ArrayList<>(words);
        trial.add("true");
        try {
            Process process = started(new ProcessBuilder(trial));
            process.getOutputStream().close();
            if (process.onExit().join().exitValue() != 0) {
                // busybox has a setpriv that knows no --pdeathsig.
                return List.of();
            }
        } catch (IOException e) {
            return List.of();
        }
        List<String> tie = new ArrayList<>(words);
        tie.addAll(List.of("/bin/sh", "-c", UNLESS_ENDED));
        tie.add(Long.toString(ProcessHandle.current().pid()));
        return List.copyOf(tie);
    }
}
