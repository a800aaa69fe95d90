package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Sends random commands to several namespaces by several queues, many at once, none of which touch
 * the same blocks; keeps models of the namespaces, and compares what comes back with them.
 */
final class RandomLoad {
    private static final int SLOTS = 8;
    private static final int SLOT_BYTES = 2 << 20;
    private static final int MOST_BYTES = 1 << 20;
    private static final int FORCE_UNIT_ACCESS = 1 << 30;

    private static final NvmOpcode[] OPCODES = {
        NvmOpcode.READ,
        NvmOpcode.READ,
        NvmOpcode.WRITE,
        NvmOpcode.WRITE,
        NvmOpcode.WRITE,
        NvmOpcode.COMPARE,
        NvmOpcode.COMPARE,
        NvmOpcode.WRITE_UNCORRECTABLE,
        NvmOpcode.WRITE_ZEROES,
        NvmOpcode.DATASET_MANAGEMENT,
        NvmOpcode.FLUSH
    };

    /**
     * A command under way, and what it must have done when it has completed.
     *
     * @param data what is written, or expected by a Compare
     * @param ends as it must, unless it is cut off
     */
    @SuppressWarnings("ArrayRecordComponent") // compared by identity only
    private record Pending(
            int command,
            NvmOpcode opcode,
            int namespace,
            int lba,
            int blocks,
            byte[] data,
            PrpLayout layout,
            StatusCode ends) {
        boolean overlaps(int ofNamespace, int start, int count) {
            return namespace == ofNamespace && lba < start + count && start < lba + blocks;
        }

        boolean changesContent() {
            return opcode.changesContent();
        }
    }

    private final NvmeDriver driver;
    private final Random random;
    private final DiskModel[] models;
    private final List<NvmeDriver.Queue> queues = new ArrayList<>();
    private final List<List<Pending>> pending = new ArrayList<>();
    private final List<Pending> cutOff = new ArrayList<>();
    private final long slots = DriverSide.RAM_ADDRESS + (6L << 20);
    private int vectors;
    private int deletedUnderWay;
    private int aborted;

    /**
     * @param models of namespaces 1, 2 and so on, all of whose bytes are zeros
     */
    RandomLoad(NvmeDriver driver, Random random, DiskModel... models) {
        this.driver = driver;
        this.random = random;
        this.models = models;
    }

    /** Creates queues 1 to {@code count} of random lengths. */
    void createQueues(int count, int vectorCount) {
        vectors = vectorCount;
        queues.clear();
        pending.clear();
        for (int id = 1; id <= count; id++) {
            queues.add(createQueue(id));
            pending.add(new ArrayList<>());
        }
    }

    private NvmeDriver.Queue createQueue(int id) {
        int size = 3 + random.nextInt(20);
        // Often room for one completion only, so that commands are left in the ring.
        int completions = random.nextBoolean() ? 2 : 2 + random.nextInt(20);
        return driver.createQueue(id, size, completions, id % vectors);
    }

    /** Sends a command, or waits for one where there is no room for another; or aborts one. */
    void step() {
        if (random.nextInt(25) == 0) {
            abortOne();
        } else if (!tryToSubmit()) {
            completeOne();
        }
    }

    /** Sends a command; false where there is no room for it. */
    boolean tryToSubmit() {
        int namespace = 1 + random.nextInt(models.length);
        DiskModel model = models[namespace - 1];
        int most = Math.min(MOST_BYTES / model.blockBytes(), model.blocks());
        int count = 1 + random.nextInt(random.nextInt(8) == 0 ? most : Math.min(40, most));
        int lba = random.nextInt(model.blocks() - count + 1);
        int which = random.nextInt(queues.size());
        long slot = freeSlot();
        boolean full = pending.get(which).size() >= queues.get(which).size - 1;
        if (slot < 0 || full || isBusy(namespace, lba, count)) {
            return false;
        }
        submit(which, OPCODES[random.nextInt(OPCODES.length)], namespace, lba, count, slot);
        return true;
    }

    private boolean isBusy(int namespace, int lba, int count) {
        return pending.stream()
                .flatMap(List::stream)
                .anyMatch(one -> one.overlaps(namespace, lba, count));
    }

    /** A slot of memory that no command under way uses, or -1. */
    private long freeSlot() {
        for (int i = 0; i < SLOTS; i++) {
            long slot = slots + (long) i * SLOT_BYTES;
            boolean used =
                    pending.stream()
                            .flatMap(List::stream)
                            .anyMatch(one -> one.layout.base() == slot);
            if (!used) {
                return slot;
            }
        }
        return -1;
    }

    private void submit(int which, NvmOpcode opcode, int namespace, int lba, int count, long slot) {
        DiskModel model = models[namespace - 1];
        byte[] data = new byte[count * model.blockBytes()];
        boolean dataset = opcode == NvmOpcode.DATASET_MANAGEMENT;
        StatusCode ends = StatusCode.SUCCESS;
        if (opcode == NvmOpcode.WRITE) {
            random.nextBytes(data);
        } else if (opcode == NvmOpcode.COMPARE) {
            data = model.read(lba, count);
            if (random.nextInt(4) == 0) {
                data[random.nextInt(data.length)] ^= 1;
                ends = StatusCode.COMPARE_FAILURE;
            }
        }
        boolean reads = opcode == NvmOpcode.READ || opcode == NvmOpcode.COMPARE;
        if (reads && model.isUnreadable(lba, count)) {
            ends = StatusCode.BLOCK_UNCORRECTABLE;
        }
        byte[] sent = dataset ? range(lba, count) : data;
        PrpLayout layout = new PrpLayout(random, sent.length, slot, SLOT_BYTES);
        layout.scatter(driver.memory(slot, SLOT_BYTES), sent);
        NvmeDriver.Entry entry =
                NvmeDriver.transfer(opcode, lba, count, layout.prp1, layout.prp2)
                        .namespace(namespace);
        if (dataset) {
            entry.dword(10, 0).dword(11, 1 << 2).dword(12, 0);
        } else if (random.nextInt(10) == 0) {
            entry.dwords[12] |= FORCE_UNIT_ACCESS;
        }
        int command = queues.get(which).submit(entry);
        pending.get(which)
                .add(new Pending(command, opcode, namespace, lba, count, data, layout, ends));
    }

    private static byte[] range(int lba, int count) {
        byte[] bytes = new byte[16];
        MemorySegment range = MemorySegment.ofArray(bytes);
        range.set(LittleEndian.INT, 4, count);
        range.set(LittleEndian.LONG, 8, lba);
        return bytes;
    }

    /** Waits for a command of a random queue, if that has any. */
    void completeOne() {
        int which = random.nextInt(queues.size());
        if (!pending.get(which).isEmpty()) {
            int index = random.nextInt(pending.get(which).size());
            Pending done = pending.get(which).remove(index);
            queues.get(which).await(done.command).assertStatus(done.ends);
            check(done);
        }
    }

    /** Asks for a command to be aborted; one that was, has changed nothing. */
    private void abortOne() {
        int which = random.nextInt(queues.size());
        if (pending.get(which).isEmpty()) {
            return;
        }
        NvmeDriver.Queue queue = queues.get(which);
        Pending target = pending.get(which).get(random.nextInt(pending.get(which).size()));
        int abort =
                driver.admin.submit(
                        NvmeDriver.admin(AdminOpcode.ABORT)
                                .dword(10, queue.id | target.command << 16));
        NvmeDriver.Completion answer = driver.admin.poll(abort);
        while (answer == null) {
            long seen = driver.side.changes();
            queue.acknowledgeAll();
            answer = driver.admin.poll(abort);
            if (answer == null) {
                driver.side.awaitChange(seen);
            }
        }
        if (answer.ok().result() == 0) {
            queue.await(target.command).assertStatus(StatusCode.COMMAND_ABORT_REQUESTED);
            pending.get(which).remove(target);
            aborted++;
        }
    }

    /** How many commands were aborted. */
    int aborted() {
        return aborted;
    }

    void completeAll() {
        while (pending.stream().anyMatch(list -> !list.isEmpty())) {
            completeOne();
        }
    }

    /** Compares what was read; takes over what was changed. */
    private void check(Pending done) {
        DiskModel model = models[done.namespace - 1];
        switch (done.opcode) {
            case WRITE -> model.write(done.lba, done.data);
            case WRITE_ZEROES, DATASET_MANAGEMENT ->
                    model.write(done.lba, new byte[done.data.length]);
            case WRITE_UNCORRECTABLE -> model.makeUnreadable(done.lba, done.blocks);
            case READ -> {
                if (done.ends == StatusCode.SUCCESS) {
                    byte[] read = done.layout.gather(driver.memory(done.layout.base(), SLOT_BYTES));
                    assertArrayEquals(model.read(done.lba, done.blocks), read);
                }
            }
            case COMPARE, FLUSH -> {}
        }
    }

    /** The queue with the most commands under way. */
    int busiest() {
        int busiest = 0;
        for (int i = 1; i < pending.size(); i++) {
            busiest = pending.get(i).size() > pending.get(busiest).size() ? i : busiest;
        }
        return busiest;
    }

    /**
     * Deletes a pair of queues while its commands are under way, and creates it anew.
     *
     * @param release lets what is held up go on, once the queue is being deleted
     */
    void deleteAndCreate(int which, Runnable release) {
        NvmeDriver.Queue queue = queues.get(which);
        int id = queue.id;
        int deletion =
                driver.admin.submit(
                        NvmeDriver.admin(AdminOpcode.DELETE_IO_SUBMISSION_QUEUE).dword(10, id));
        // Admin commands are executed one after the other.
        driver.admin.call(NvmeDriver.admin(AdminOpcode.GET_FEATURES).dword(10, 1)).ok();
        release.run();
        driver.admin.await(deletion).ok();
        for (Pending left : List.copyOf(pending.get(which))) {
            NvmeDriver.Completion completion = queue.poll(left.command);
            boolean ended = completion != null && completion.code() == expected(left.ends);
            if (ended) {
                check(left);
            } else {
                deletedUnderWay++;
                cutOff.add(left);
                assertTrue(
                        completion == null
                                || completion.code()
                                        == expected(StatusCode.COMMAND_ABORTED_SQ_DELETION),
                        () -> left + " ended with " + completion);
            }
        }
        pending.get(which).clear();
        driver.admin
                .call(NvmeDriver.admin(AdminOpcode.DELETE_IO_COMPLETION_QUEUE).dword(10, id))
                .ok();
        queues.set(which, createQueue(id));
        takeOverCutOff();
    }

    private static int expected(StatusCode status) {
        return status.code() | status.type() << 8;
    }

    /** How many commands did not end by themselves because their queue was deleted. */
    int deletedUnderWay() {
        return deletedUnderWay;
    }

    /** A reset has come: what is under way never completes. */
    void cutOff() {
        pending.forEach(cutOff::addAll);
        pending.forEach(List::clear);
    }

    /**
     * Reads what commands that were cut off have left: each block is as it was or as it was to be.
     * Then writes them, so that all is known again.
     */
    void takeOverCutOff() {
        long slot = freeSlot();
        while (slot < 0) {
            completeOne();
            slot = freeSlot();
        }
        for (Pending one : List.copyOf(cutOff)) {
            if (one.changesContent()) {
                takeOver(one, slot);
            }
        }
        cutOff.clear();
    }

    private void takeOver(Pending one, long slot) {
        DiskModel model = models[one.namespace - 1];
        boolean writes = one.opcode == NvmOpcode.WRITE;
        byte[] meant = writes ? one.data : new byte[one.blocks * model.blockBytes()];
        boolean unreadable =
                one.opcode == NvmOpcode.WRITE_UNCORRECTABLE
                        || model.isUnreadable(one.lba, one.blocks);
        PrpLayout layout = new PrpLayout(random, meant.length, slot, SLOT_BYTES);
        layout.scatter(driver.memory(slot, SLOT_BYTES), new byte[meant.length]);
        NvmeDriver.Completion read = transfer(NvmOpcode.READ, one, layout);
        if (read.code() != 0) {
            assertTrue(unreadable, one + " left blocks that cannot be read");
            read.assertStatus(StatusCode.BLOCK_UNCORRECTABLE);
        } else {
            byte[] found = layout.gather(driver.memory(slot, SLOT_BYTES));
            byte[] after =
                    one.opcode == NvmOpcode.WRITE_UNCORRECTABLE
                            ? model.read(one.lba, one.blocks)
                            : meant;
            for (int block = 0; block < one.blocks; block++) {
                assertTrue(
                        model.isEither(one.lba, found, after, block),
                        "block " + block + " of " + one + " is neither");
            }
        }
        layout.scatter(driver.memory(slot, SLOT_BYTES), meant);
        transfer(NvmOpcode.WRITE, one, layout).ok();
        model.write(one.lba, meant);
    }

    private NvmeDriver.Completion transfer(NvmOpcode opcode, Pending one, PrpLayout layout) {
        NvmeDriver.Queue queue = queues.getFirst();
        while (pending.getFirst().size() >= queue.size - 1) {
            completeOne();
        }
        return queue.call(
                NvmeDriver.transfer(opcode, one.lba, one.blocks, layout.prp1, layout.prp2)
                        .namespace(one.namespace));
    }
}
