package farslot.bench;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.InProcessHost;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.NearMemory;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.posix.MappedMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * As much of an NVMe driver as reading in sequence needs: an admin queue and one I/O queue, INTx,
 * PRP lists, eight commands of 128 KiB under way. Figures and offsets: NVM Express 1.4.
 *
 * <p>One thread uses it. It checks what it reads: each 8-byte word of the image that begins a page
 * holds its own offset.
 */
final class DiskReader implements AutoCloseable {
    static final int PAGE_BYTES = 4096;
    static final int TRANSFER_BYTES = 128 << 10;
    private static final int DEPTH = 8;

    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    // Controller registers, 3.1.
    private static final int CC = 0x14;
    private static final int CSTS = 0x1c;
    private static final int AQA = 0x24;
    private static final int ASQ = 0x28;
    private static final int ACQ = 0x30;
    private static final int DOORBELLS = 0x1000;

    /** Completion entries of 16 bytes, submission entries of 64, pages of 4 KiB, enabled. */
    private static final int CC_ENABLED = 4 << 20 | 6 << 16 | 1;

    private static final int CSTS_READY = 1;

    // Opcodes, 5 and 6.
    private static final int CREATE_SUBMISSION_QUEUE = 0x01;
    private static final int CREATE_COMPLETION_QUEUE = 0x05;
    private static final int READ = 0x02;

    private static final int BLOCK_BYTES = 512;
    private static final int ENTRIES = 32;
    private static final int SUBMISSION_BYTES = 64;
    private static final int COMPLETION_BYTES = 16;

    /** Where the lent memory lies in DMA addresses: queues, PRP lists, data. */
    private static final long BASE = 0x1_0000_0000L;

    private static final int LISTS = 4 * PAGE_BYTES;
    private static final int DATA = LISTS + DEPTH * PAGE_BYTES;
    private static final int MEMORY_BYTES = DATA + DEPTH * TRANSFER_BYTES;

    /** Memory space and bus master: PCI 3.0, 6.2.2. */
    private static final int COMMAND_ON = 0x6;

    private static final long PATIENCE_SECONDS = 10;

    private final PciFunction function;
    private final MappedMemory mapped;
    private final MemorySegment memory;
    private final MemorySegment register = Arena.ofAuto().allocate(8);
    private final Semaphore interrupts = new Semaphore(0);
    private final Queue admin = new Queue(0, 0, PAGE_BYTES);
    private final Queue io = new Queue(1, 2 * PAGE_BYTES, 3 * PAGE_BYTES);

    /** The image's offset that each command under way reads from; its index is the command's. */
    private final long[] reading = new long[DEPTH];

    private final int[] free = new int[DEPTH];
    private int freeCount;

    /** A submission queue and its completion queue, at offsets of the lent memory. */
    private final class Queue {
        private final int id;
        private final int submissions;
        private final int completions;
        private int tail;
        private int head;
        private int phase = 1;

        Queue(int id, int submissions, int completions) {
            this.id = id;
            this.submissions = submissions;
            this.completions = completions;
        }

        /** The next entry, zeroed but for opcode and command identifier (figure 104). */
        MemorySegment entry(int opcode, int command) {
            MemorySegment entry =
                    memory.asSlice(submissions + (long) tail * SUBMISSION_BYTES, SUBMISSION_BYTES);
            entry.fill((byte) 0);
            entry.set(INT, 0, opcode | command << 16);
            tail = (tail + 1) % ENTRIES;
            return entry;
        }

        void ring() throws IOException {
            write(DOORBELLS + id * 8, tail);
        }

        /** The identifier of the next command that has completed, or -1. */
        int completed() throws IOException {
            long at = completions + (long) head * COMPLETION_BYTES;
            // Command identifier, phase, status: figure 126.
            int last = (int) INT.varHandle().getAcquire(memory, at + 12);
            if ((last >>> 16 & 1) != phase) {
                return -1;
            }
            if (last >>> 17 != 0) {
                throw new IOException(
                        "The controller ended a command with status 0x"
                                + Integer.toHexString(last >>> 17)
                                + ".");
            }
            head = (head + 1) % ENTRIES;
            if (head == 0) {
                phase ^= 1;
            }
            return last & 0xffff;
        }

        /** Tells the controller what was taken, and ends the interrupt. */
        void acknowledge() throws IOException {
            write(DOORBELLS + id * 8 + 4, head);
            function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.UNMASK);
        }
    }

    /** Takes the function, and enables its controller. */
    DiskReader(PciFunction function) throws IOException {
        this.function = function;
        mapped = MappedMemory.create("farslot-bench", MEMORY_BYTES);
        memory = mapped.segment();
        InProcessHost host = new InProcessHost(function, (kind, vector) -> interrupts.release());
        NearMemory near = new NearMemory(memory, mapped.descriptor().number(), mapped.offset());
        host.map(new DmaMap(BASE, MEMORY_BYTES, Direction.READ_WRITE, near, true));
        access(
                Region.CONFIGURATION,
                FunctionTarget.COMMAND,
                FunctionTarget.COMMAND_BYTES,
                COMMAND_ON);
        function.interrupts(InterruptKind.INTX, 0, 1, InterruptAction.ENABLE);
        enable();
        for (int command = 0; command < DEPTH; command++) {
            free[freeCount++] = command;
            for (int page = 1; page < TRANSFER_BYTES / PAGE_BYTES; page++) {
                memory.set(
                        LONG,
                        LISTS + (long) command * PAGE_BYTES + (page - 1) * 8L,
                        data(command) + (long) page * PAGE_BYTES);
            }
        }
    }

    private static long data(int command) {
        return BASE + DATA + (long) command * TRANSFER_BYTES;
    }

    private void enable() throws IOException {
        write(AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
        write64(ASQ, BASE + admin.submissions);
        write64(ACQ, BASE + admin.completions);
        write(CC, CC_ENABLED);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while ((read(CSTS) & CSTS_READY) == 0) {
            if (System.nanoTime() > deadline) {
                throw new IOException("The controller does not become ready.");
            }
            Thread.onSpinWait();
        }
        // Interrupts enabled, physically contiguous: 5.3; then 5.4, both for queue 1.
        create(CREATE_COMPLETION_QUEUE, io.completions, 3);
        create(CREATE_SUBMISSION_QUEUE, io.submissions, 1 << 16 | 1);
    }

    private void create(int opcode, int offset, int flags) throws IOException {
        MemorySegment entry = admin.entry(opcode, 0);
        entry.set(LONG, 24, BASE + offset);
        entry.set(INT, 40, (ENTRIES - 1) << 16 | 1);
        entry.set(INT, 44, flags);
        admin.ring();
        while (admin.completed() < 0) {
            awaitInterrupt();
        }
        admin.acknowledge();
    }

    private void awaitInterrupt() throws IOException {
        try {
            if (!interrupts.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("The controller does not interrupt.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted.", e);
        }
    }

    /**
     * Reads the image's first bytes.
     *
     * @param lengthBytes a multiple of {@link #TRANSFER_BYTES}
     * @throws IOException where a command fails or the data is not what the image holds
     */
    void read(long lengthBytes) throws IOException {
        long asked = 0;
        long done = 0;
        while (done < lengthBytes) {
            boolean rang = false;
            while (freeCount > 0 && asked < lengthBytes) {
                submit(free[--freeCount], asked);
                asked += TRANSFER_BYTES;
                rang = true;
            }
            if (rang) {
                io.ring();
            }
            awaitInterrupt();
            for (int command = io.completed(); command >= 0; command = io.completed()) {
                check(command);
                free[freeCount++] = command;
                done += TRANSFER_BYTES;
            }
            io.acknowledge();
        }
    }

    private void submit(int command, long offset) {
        reading[command] = offset;
        MemorySegment entry = io.entry(READ, command);
        entry.set(INT, 4, 1);
        entry.set(LONG, 24, data(command));
        entry.set(LONG, 32, BASE + LISTS + (long) command * PAGE_BYTES);
        entry.set(LONG, 40, offset / BLOCK_BYTES);
        entry.set(INT, 48, TRANSFER_BYTES / BLOCK_BYTES - 1);
    }

    private void check(int command) throws IOException {
        long at = data(command) - BASE;
        for (int page = 0; page < TRANSFER_BYTES; page += PAGE_BYTES) {
            long word = memory.get(LONG, at + page);
            if (word != reading[command] + page) {
                throw new IOException(
                        "At "
                                + (reading[command] + page)
                                + " of the disk other data was read than was written there.");
            }
        }
    }

    private int read(int offset) throws IOException {
        MemorySegment word = register.asSlice(0, 4);
        check("read", function.read(FunctionTarget.REGION, offset, word, 4));
        return word.get(INT, 0);
    }

    private void write(int offset, int value) throws IOException {
        access(FunctionTarget.REGION, offset, 4, value);
    }

    private void write64(int offset, long value) throws IOException {
        write(offset, (int) value);
        write(offset + 4, (int) (value >>> 32));
    }

    private void access(int region, int offset, int bytes, int value) throws IOException {
        register.set(INT, 0, value);
        MemorySegment from = register.asSlice(0, bytes);
        check("write", function.write(region, offset, from, bytes, PciFunction.ALL_BYTES));
    }

    private static void check(String what, CompletionStatus status) throws IOException {
        if (!status.isSuccess()) {
            throw new IOException("A " + what + " of a controller's register ended in " + status);
        }
    }

    @Override
    public void close() {
        function.unmap(0, 0);
        function.attach(null);
        mapped.close();
    }
}
