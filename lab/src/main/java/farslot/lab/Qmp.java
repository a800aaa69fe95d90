package farslot.lab;

import java.time.Duration;
import java.util.Optional;

/**
 * QEMU's own control language (QMP, docs/interop/qmp-spec.rst), as far as tests need it: a command
 * and its answer, an event. Messages are lines of JSON, looked at as text. One thread.
 */
public final class Qmp {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final MachineSocket socket;
    private boolean greeted;

    Qmp(MachineSocket socket) {
        this.socket = socket;
    }

    /**
     * Runs a command, such as {@code {"execute":"system_reset"}}.
     *
     * @return the answer's line
     * @throws LabException where QEMU answers with an error
     */
    public String execute(String command) {
        if (!greeted) {
            await("\"QMP\"");
            greeted = true;
            execute("{\"execute\":\"qmp_capabilities\"}");
        }
        socket.send(command, PATIENCE);
        String answer = await("\"return\"", "\"error\"");
        if (answer.contains("\"error\"")) {
            throw new LabException("QEMU refuses " + command + ": " + answer);
        }
        return answer;
    }

    /**
     * Waits for an event for as long as the machine lives.
     *
     * @return false when the machine has ended without it
     */
    public boolean awaitEver(String text) {
        try {
            if (!greeted) {
                execute("{\"execute\":\"query-status\"}");
            }
            while (true) {
                Optional<String> line = socket.line(Long.MAX_VALUE);
                if (line.isEmpty()) {
                    return false;
                }
                if (line.get().contains(text)) {
                    return true;
                }
            }
        } catch (LabException ended) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Waits for a message that contains one of the texts; others are passed over. */
    public String await(String... texts) {
        long deadlineNanos = System.nanoTime() + PATIENCE.toNanos();
        try {
            while (true) {
                Optional<String> line = socket.line(deadlineNanos - System.nanoTime());
                if (line == null || line.isEmpty()) {
                    throw new LabException(
                            "QEMU " + (line == null ? "did not answer" : "ended") + ".");
                }
                for (String text : texts) {
                    if (line.get().contains(text)) {
                        return line.get();
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("Interrupted while QEMU worked.", e);
        }
    }
}
