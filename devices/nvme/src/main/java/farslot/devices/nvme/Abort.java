package farslot.devices.nvme;

import farslot.sdk.StateReader;
import farslot.sdk.StateWriter;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;

/**
 * The Abort command (NVMe 1.4, 5.1). A command that is not begun ends at once; one that runs ends
 * where it would begin to change the disk or the driver's memory; one that is still in the ring
 * ends when it is fetched. The abort command completes behind the one that it aborts.
 */
final class Abort {
    /** How many may wait for their command's end; Identify's ACL is one less. */
    static final int LIMIT = 4;

    private static final int ABORTED = 0;
    private static final int NOT_ABORTED = 1;

    private final Enablement enablement;
    private final Set<Command> waiting = new HashSet<>();

    Abort(Enablement enablement) {
        this.enablement = enablement;
    }

    /** Dword 0 of the completion: bit 0 says that the command was not aborted. */
    static int result(boolean aborted) {
        return aborted ? ABORTED : NOT_ABORTED;
    }

    /**
     * Executes an abort command.
     *
     * @return the completion's dword 0, or null where the completion comes later
     */
    Integer execute(Command abort) throws CommandException {
        SubmissionQueue queue = enablement.submissionQueue(abort.dword(10) & 0xFFFF);
        int identifier = abort.dword(10) >>> 16;
        if (queue == null) {
            return NOT_ABORTED;
        }
        if (!mayWait(abort)) {
            throw new CommandException(StatusCode.ABORT_COMMAND_LIMIT_EXCEEDED);
        }
        Command target = queue.underWay(identifier);
        if (target == abort) {
            ended(abort);
            return NOT_ABORTED;
        }
        if (target != null && enablement.abortAtOnce(target)) {
            ended(abort);
            return ABORTED;
        }
        boolean asked =
                target != null ? target.abortBy(abort) : abortAhead(queue, identifier, abort);
        if (!asked) {
            ended(abort);
            return NOT_ABORTED;
        }
        return null;
    }

    private synchronized boolean mayWait(Command abort) {
        return waiting.size() < LIMIT && waiting.add(abort);
    }

    /** The command that it waited for has ended. */
    synchronized void ended(Command abort) {
        waiting.remove(abort);
    }

    /** Those that wait, by their identifiers. */
    synchronized void save(StateWriter state) {
        waiting.stream()
                .sorted(Comparator.comparingInt(Command::identifier))
                .forEach(abort -> state.put("waiting " + abort.identifier(), true));
    }

    /**
     * Takes over which commands waited.
     *
     * @param underWay the admin queue's commands
     */
    synchronized void load(StateReader state, Collection<Command> underWay) {
        for (Command command : underWay) {
            if (state.has("waiting " + command.identifier())) {
                waiting.add(command);
            }
        }
    }

    /** Looks for the command among the entries that are not fetched yet. */
    private boolean abortAhead(SubmissionQueue queue, int identifier, Command abort) {
        for (SubmissionQueue.Submitted piece : queue.submitted()) {
            MemorySegment ring =
                    MemorySegment.ofArray(new byte[piece.entries() * Command.ENTRY_BYTES]);
            if (!enablement.memory().read(queue.address(piece.place()), ring).isSuccess()) {
                return false;
            }
            for (int i = 0; i < piece.entries(); i++) {
                int dword0 = ring.get(LittleEndian.INT, (long) i * Command.ENTRY_BYTES);
                if (dword0 >>> 16 == identifier) {
                    return queue.abortAhead(piece.place() + i, abort);
                }
            }
        }
        return false;
    }
}
