package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/** A driver for tests: queues in the lent memory, phase tags, doorbells. One thread. */
final class NvmeDriver {
    static final int CAP = 0x00;
    static final int VS = 0x08;
    static final int INTMS = 0x0C;
    static final int INTMC = 0x10;
    static final int CC = 0x14;
    static final int CSTS = 0x1C;
    static final int AQA = 0x24;
    static final int ASQ = 0x28;
    static final int ACQ = 0x30;
    static final int DOORBELLS = 0x1000;

    /** Entries of 64 and 16 bytes, pages of 4 KiB, enabled. */
    static final int ENABLED = 4 << 20 | 6 << 16 | 1;

    static final int PAGE = 4096;

    final DriverSide side;
    Queue admin;
    private long nextFree;

    NvmeDriver(DriverSide side) {
        this.side = side;
    }

    /** A completion queue entry. */
    record Completion(int result, int submissionHead, int queue, int command, int status) {
        /** Without "more" and "do not retry". */
        int code() {
            return status & 0x7FF;
        }

        void assertStatus(StatusCode expected) {
            assertEquals(
                    expected.code() | expected.type() << 8,
                    code(),
                    () -> "expected " + expected + ", got 0x" + Integer.toHexString(code()));
            assertEquals(expected.doNotRetry(), (status & 1 << 14) != 0, "do not retry");
        }

        Completion ok() {
            assertStatus(StatusCode.SUCCESS);
            return this;
        }
    }

    /** A submission queue entry being written. */
    static final class Entry {
        final int[] dwords = new int[16];

        Entry(int opcode) {
            dwords[0] = opcode;
        }

        Entry namespace(int id) {
            dwords[1] = id;
            return this;
        }

        Entry prp(long prp1, long prp2) {
            dwords[6] = (int) prp1;
            dwords[7] = (int) (prp1 >>> 32);
            dwords[8] = (int) prp2;
            dwords[9] = (int) (prp2 >>> 32);
            return this;
        }

        Entry dword(int number, int value) {
            dwords[number] = value;
            return this;
        }
    }

    /** A submission queue with a completion queue of its own. */
    final class Queue {
        final int id;
        final int size;
        final int completionSize;
        final long submissions;
        final long completions;
        private final Map<Integer, Completion> found = new HashMap<>();
        int tail;
        int head;
        private boolean phase = true;
        private int nextCommand = 1;
        private int taken;

        Queue(int id, int size, int completionSize) {
            this.id = id;
            this.size = size;
            this.completionSize = completionSize;
            this.submissions = allocate((size * 64L + PAGE - 1) / PAGE);
            this.completions = allocate((completionSize * 16L + PAGE - 1) / PAGE);
        }

        /** Writes an entry and rings the doorbell; returns the command's identifier. */
        int submit(Entry entry) {
            int command = put(entry);
            ring();
            return command;
        }

        int put(Entry entry) {
            int command = nextCommand++ & 0x7FFF;
            entry.dwords[0] |= command << 16;
            putRaw(entry);
            return command;
        }

        void putRaw(Entry entry) {
            MemorySegment at = memory(submissions + tail * 64L, 64);
            for (int i = 0; i < 16; i++) {
                at.set(LittleEndian.INT, i * 4L, entry.dwords[i]);
            }
            tail = (tail + 1) % size;
        }

        void ring() {
            side.write(DOORBELLS + id * 8, tail);
        }

        /** Takes the entries that are there, without telling the device. */
        boolean take() {
            boolean any = false;
            while (true) {
                MemorySegment at = memory(completions + head * 16L, 16);
                int last = at.get(LittleEndian.INT, 12);
                if ((last >>> 16 & 1) != (phase ? 1 : 0)) {
                    return any;
                }
                int queue = at.get(LittleEndian.INT, 8);
                Completion completion =
                        new Completion(
                                at.get(LittleEndian.INT, 0),
                                queue & 0xFFFF,
                                queue >>> 16,
                                last & 0xFFFF,
                                last >>> 17);
                Completion twice = found.put(completion.command, completion);
                assertNull(twice, () -> "two entries for command " + completion.command);
                taken++;
                any = true;
                head = (head + 1) % completionSize;
                phase ^= head == 0;
            }
        }

        /** How many entries have come. */
        int taken() {
            return taken;
        }

        /** Entries that have come and that nobody has asked for. */
        int unclaimed() {
            return found.size();
        }

        void acknowledge() {
            side.write(DOORBELLS + id * 8 + 4, head);
        }

        /** Takes what is there, and tells the device, so that it has room for more. */
        void acknowledgeAll() {
            if (take()) {
                acknowledge();
            }
        }

        /** The completion if it is there, without telling the device. */
        Completion takeOnly(int command) {
            take();
            return found.get(command);
        }

        Completion poll(int command) {
            acknowledgeAll();
            return found.remove(command);
        }

        Completion await(int command) {
            while (true) {
                long seen = side.changes();
                Completion completion = poll(command);
                if (completion != null) {
                    return completion;
                }
                side.awaitChange(seen);
            }
        }

        Completion call(Entry entry) {
            return await(submit(entry));
        }
    }

    /** Pages of the lent memory. */
    long allocate(long pages) {
        long address = DriverSide.RAM_ADDRESS + nextFree;
        nextFree += pages * PAGE;
        memory(address, pages * PAGE).fill((byte) 0);
        return address;
    }

    MemorySegment memory(long address, long length) {
        return side.ram().asSlice(address - DriverSide.RAM_ADDRESS, length);
    }

    /** Forgets all memory. */
    void free() {
        nextFree = 0;
    }

    void write64(int offset, long value) {
        side.write(offset, (int) value);
        side.write(offset + 4, (int) (value >>> 32));
    }

    NvmeDriver enable() {
        return enable(32);
    }

    NvmeDriver enable(int adminEntries) {
        return enableWith(ENABLED, adminEntries);
    }

    NvmeDriver enableWith(int configuration, int adminEntries) {
        free();
        admin = new Queue(0, adminEntries, adminEntries);
        side.write(AQA, (adminEntries - 1) | (adminEntries - 1) << 16);
        write64(ASQ, admin.submissions);
        write64(ACQ, admin.completions);
        side.write(CC, configuration);
        awaitStatus(3, 1);
        return this;
    }

    void disable() {
        side.write(CC, ENABLED & ~1);
        awaitStatus(1, 0);
    }

    /** Waits until the bits of CSTS have this value. */
    void awaitStatus(int mask, int value) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while ((side.read(CSTS) & mask) != value) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("CSTS is 0x" + Integer.toHexString(side.read(CSTS)));
            }
            Thread.onSpinWait();
        }
    }

    static Entry admin(AdminOpcode opcode) {
        return new Entry(opcode.code());
    }

    static Entry io(NvmOpcode opcode) {
        return new Entry(opcode.code()).namespace(1);
    }

    Entry createCompletionQueue(int id, int size, long base, int vector) {
        return admin(AdminOpcode.CREATE_IO_COMPLETION_QUEUE)
                .prp(base, 0)
                .dword(10, id | (size - 1) << 16)
                .dword(11, vector << 16 | 3);
    }

    Entry createSubmissionQueue(int id, int size, long base, int completionQueue) {
        return admin(AdminOpcode.CREATE_IO_SUBMISSION_QUEUE)
                .prp(base, 0)
                .dword(10, id | (size - 1) << 16)
                .dword(11, completionQueue << 16 | 1);
    }

    Queue createQueue(int id, int size, int vector) {
        return createQueue(id, size, size, vector);
    }

    Queue createQueue(int id, int size, int completionSize, int vector) {
        Queue queue = new Queue(id, size, completionSize);
        admin.call(createCompletionQueue(id, completionSize, queue.completions, vector)).ok();
        admin.call(createSubmissionQueue(id, size, queue.submissions, id)).ok();
        return queue;
    }

    /** Reads or writes blocks with the data in consecutive pages. */
    static Entry transfer(NvmOpcode opcode, long lba, int blocks, long prp1, long prp2) {
        return io(opcode)
                .prp(prp1, prp2)
                .dword(10, (int) lba)
                .dword(11, (int) (lba >>> 32))
                .dword(12, blocks - 1);
    }

    byte[] identify(int cns, int namespace) {
        long page = allocate(1);
        admin.call(admin(AdminOpcode.IDENTIFY).namespace(namespace).prp(page, 0).dword(10, cns))
                .ok();
        return memory(page, PAGE).toArray(ValueLayout.JAVA_BYTE);
    }
}
