package farslot.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Stream;

/**
 * What a session may leave behind: nothing. No thread, no descriptor, no failure in the log, which
 * is where the link tells of failures of its own.
 */
final class Aftermath implements AutoCloseable {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
    private static final long MOST_MILLIS = 20_000;

    private final Set<Thread> before = new HashSet<>(threads());
    private final int descriptorsBefore = descriptors().size();
    private final Logger logger = Logger.getLogger("farslot.vfiouser");
    private final Queue<LogRecord> failures = new ConcurrentLinkedQueue<>();
    private final Handler handler =
            new Handler() {
                @Override
                public void publish(LogRecord logged) {
                    if (logged.getMessage().contains("failed in the function")) {
                        failures.add(logged);
                    }
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            };

    Aftermath() {
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
    }

    private static List<Thread> threads() {
        Thread[] all = new Thread[Thread.activeCount() + 64];
        int count = Thread.enumerate(all);
        List<Thread> ours = new ArrayList<>();
        for (int index = 0; index < count; index++) {
            if (all[index].getName().startsWith("vfio-user ")) {
                ours.add(all[index]);
            }
        }
        return ours;
    }

    /** Sockets, events and memory that processes can share. */
    private static List<String> descriptors() {
        List<String> open = new ArrayList<>();
        try (Stream<Path> all = Files.list(DESCRIPTORS)) {
            for (Path one : all.toList()) {
                String what = target(one);
                if (what.startsWith("socket:")
                        || what.startsWith("/memfd:farslot")
                        || what.contains("[eventfd]")) {
                    open.add(what);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return open;
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }

    /** Called when all that the session had is closed. */
    void assertNothingIsLeft() throws InterruptedException {
        for (Thread thread : threads()) {
            if (!before.contains(thread)) {
                thread.join(MOST_MILLIS);
                assertFalse(thread.isAlive(), () -> trace(thread));
            }
        }
        LogRecord failure = failures.poll();
        if (failure != null) {
            throw new AssertionError(failure.getMessage(), failure.getThrown());
        }
        List<String> open = descriptors();
        assertTrue(open.size() <= descriptorsBefore, () -> "left open, of these: " + open);
        assertEquals(List.of(), List.copyOf(failures));
    }

    private static String trace(Thread thread) {
        StringBuilder text = new StringBuilder(thread.getName()).append(" lives on:");
        for (StackTraceElement element : thread.getStackTrace()) {
            text.append("\n  ").append(element);
        }
        return text.toString();
    }

    @Override
    public void close() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
    }
}
