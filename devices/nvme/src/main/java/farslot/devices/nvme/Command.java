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
        WAITING,
        RUNNING,
        ENDED
    }

    private final SubmissionQueue queue;
    private final int dword0;
    private final int namespace;
    private final long prp1;
    private final long prp2;
    private final int[] parameters = new int[6];
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);

    Command(SubmissionQueue queue, MemorySegment entry) {
        this.queue = queue;
        this.dword0 = entry.get(LittleEndian.INT, 0);
        this.namespace = entry.get(LittleEndian.INT, 4);
        this.prp1 = entry.get(LittleEndian.LONG, 24);
        this.prp2 = entry.get(LittleEndian.LONG, 32);
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

    long prp1() {
        return prp1;
    }

    long prp2() {
        return prp2;
    }

    /** Command dword {@code number}, 10 to 15. */
    int dword(int number) {
        return parameters[number - 10];
    }

    /** Command dwords 10 and 11: where the commands that name blocks have the first one. */
    long startingLba() {
        return Integer.toUnsignedLong(dword(10)) | (long) dword(11) << 32;
    }

    /** Takes the command for execution; false if it was aborted meanwhile. */
    boolean begin() {
        return state.compareAndSet(State.WAITING, State.RUNNING);
    }

    /** Takes the command away from execution; false if it runs already or has ended. */
    boolean abort() {
        return state.compareAndSet(State.WAITING, State.ENDED);
    }
}
