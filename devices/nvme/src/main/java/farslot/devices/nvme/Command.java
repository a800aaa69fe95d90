package farslot.devices.nvme;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A command that was fetched: the submission queue entry (NVMe 1.4, 4.2) and how far it has come.
 */
final class Command {
    static final int ENTRY_BYTES = 64;

    /** Names all namespaces (NVMe 1.4, 6.1). */
    static final int ALL_NAMESPACES = 0xFFFF_FFFF;

    private enum State {
        /** Fetched; the queue's turn has not come. */
        WAITING,
        RUNNING,
        /** Runs still, and will end aborted where it comes to {@link #commit}. */
        ABORTING,
        /** Runs, and what it does to the disk or the driver's memory has begun. */
        COMMITTED,
        ENDED
    }

    private final SubmissionQueue queue;
    private final int dword0;
    private final int namespace;
    private final long pointer1;
    private final long pointer2;
    private final int[] parameters = new int[6];
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private volatile Command abortedBy;

    Command(SubmissionQueue queue, MemorySegment entry) {
        this.queue = queue;
        this.dword0 = entry.get(LittleEndian.INT, 0);
        this.namespace = entry.get(LittleEndian.INT, 4);
        this.pointer1 = entry.get(LittleEndian.LONG, 24);
        this.pointer2 = entry.get(LittleEndian.LONG, 32);
        for (int i = 0; i < parameters.length; i++) {
            parameters[i] = entry.get(LittleEndian.INT, 40 + 4 * i);
        }
    }

    SubmissionQueue queue() {
        return queue;
    }

    int opcode() {
        return dword0 & 0xFF;
    }

    /** Fused operation, bits 9:8 of dword 0. */
    int fuse() {
        return dword0 >>> 8 & 3;
    }

    /** PRP or SGL for data transfer, bits 15:14 of dword 0. */
    int psdt() {
        return dword0 >>> 14 & 3;
    }

    int identifier() {
        return dword0 >>> 16;
    }

    int namespace() {
        return namespace;
    }

    /** The first half of the data pointer: PRP entry 1, or an SGL descriptor's first 8 bytes. */
    long prp1() {
        return pointer1;
    }

    /** The second half of the data pointer: PRP entry 2, or an SGL descriptor's last 8 bytes. */
    long prp2() {
        return pointer2;
    }

    /** Command dword {@code number}, 10 to 15. */
    int dword(int number) {
        return parameters[number - 10];
    }

    /** Command dwords 10 and 11: where the commands that name blocks have the first one. */
    long startingLba() {
        return Integer.toUnsignedLong(dword(10)) | (long) dword(11) << 32;
    }

    /** NLB, which is 0's based: how many blocks the commands that name blocks mean. */
    long blocks() {
        return (dword(12) & 0xFFFF) + 1L;
    }

    /** The entry as it was fetched, as far as anything of it is used. */
    byte[] entry() {
        byte[] bytes = new byte[ENTRY_BYTES];
        MemorySegment entry = MemorySegment.ofArray(bytes);
        entry.set(LittleEndian.INT, 0, dword0);
        entry.set(LittleEndian.INT, 4, namespace);
        entry.set(LittleEndian.LONG, 24, pointer1);
        entry.set(LittleEndian.LONG, 32, pointer2);
        for (int i = 0; i < parameters.length; i++) {
            entry.set(LittleEndian.INT, 40 + 4 * i, parameters[i]);
        }
        return bytes;
    }

    /** The abort command that waits for this one's end, or null. */
    Command abortedBy() {
        return isAborting() ? abortedBy : null;
    }

    /** Whether it waits to be executed. */
    boolean isWaiting() {
        return state.get() == State.WAITING;
    }

    /** Takes the command for execution; false if it was aborted meanwhile. */
    boolean begin() {
        return state.compareAndSet(State.WAITING, State.RUNNING);
    }

    /** Takes the command away from execution; false if it runs already or has ended. */
    boolean abort() {
        return state.compareAndSet(State.WAITING, State.ENDED);
    }

    /**
     * Asks a command that waits or runs to end aborted.
     *
     * @param abort the command that asks; to be completed when this one has ended
     * @return false where that is too late, and nothing was asked
     */
    boolean abortBy(Command abort) {
        if (abortedBy != null) {
            return false;
        }
        abortedBy = abort;
        boolean asked =
                state.compareAndSet(State.RUNNING, State.ABORTING)
                        || state.compareAndSet(State.WAITING, State.ABORTING);
        if (!asked) {
            abortedBy = null;
        }
        return asked;
    }

    /** Whether an abort command waits for its end. */
    boolean isAborting() {
        return state.get() == State.ABORTING;
    }

    /** The point of no return: from here on the command has effects, and is not aborted. */
    void commit() throws CommandException {
        if (!state.compareAndSet(State.RUNNING, State.COMMITTED) && isAborting()) {
            throw new CommandException(StatusCode.COMMAND_ABORT_REQUESTED);
        }
    }

    /** The command ends; returns the abort command that waits for this, or null. */
    Command end() {
        return state.getAndSet(State.ENDED) == State.ABORTING ? abortedBy : null;
    }
}
