package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.InterruptKind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * What a driver does with a controller and its disk, for tests of whatever lies between them. Keeps
 * a model of the disk and compares all that it reads with it. Needs MSI-X, enabled, with {@link
 * #VECTORS} vectors; for one thread.
 */
public final class DriverRun {
    /** Of the disk, which is all zeros at first. */
    public static final int DISK_BYTES = 1 << 20;

    /** Of {@link DriverSide#ram}. */
    public static final int RAM_BYTES = 4 << 20;

    /** I/O queue pairs that the controller must have. */
    public static final int QUEUES = 2;

    public static final int VECTORS = QUEUES + 1;

    private static final int BLOCK = 512;
    private static final int BLOCKS = DISK_BYTES / BLOCK;
    private static final int MOST_BLOCKS = 64;

    /** Data lies in slots behind the queues, each large enough for any layout of any transfer. */
    private static final long SLOTS = DriverSide.RAM_ADDRESS + (1L << 20);

    private static final int SLOT_BYTES = 3 * MOST_BLOCKS * BLOCK;
    private static final int SLOT_COUNT = 16;
    private static final byte UNTOUCHED = 0x5a;

    private final DriverSide side;
    private final Runnable reset;
    private final Consumer<String> notes;
    private final Random random;
    private final NvmeDriver driver;
    private final byte[] model = new byte[DISK_BYTES];
    private final List<NvmeDriver.Queue> queues = new ArrayList<>();

    /**
     * @param reset resets the whole function and makes it ready to be driven again
     * @param notes is told of each step and what came of it
     */
    public DriverRun(DriverSide side, Runnable reset, long seed, Consumer<String> notes) {
        this.side = side;
        this.reset = reset;
        this.notes = notes;
        this.random = new Random(seed);
        this.driver = new NvmeDriver(side);
    }

    /** A transfer under way. */
    @SuppressWarnings("ArrayRecordComponent") // compared by identity only
    private record Transfer(
            NvmeDriver.Queue queue,
            int command,
            boolean write,
            int lba,
            byte[] data,
            PrpLayout at) {
        boolean touches(int first, int blocks) {
            return lba < first + blocks && first < lba + data.length / BLOCK;
        }
    }

    /**
     * One command at a time, each waited for by its interrupt: what driver and device see is the
     * same in each run, but for how often the driver looks at CSTS until it is ready.
     */
    public void inOrder(int transfers) {
        notes.accept(hex("CAP", side.read(NvmeDriver.CAP)));
        notes.accept(hex("VS", side.read(NvmeDriver.VS)));
        driver.enable();
        identify();
        createQueues();
        for (int i = 0; i < transfers; i++) {
            oneTransfer();
        }
        notes.accept("controller reset");
        driver.disable();
        driver.enable();
        createQueues();
        for (int i = 0; i < transfers; i++) {
            oneTransfer();
        }
        notes.accept("function reset");
        reset.run();
        assertEquals(0, side.read(NvmeDriver.CC), "a function reset disables the controller");
        driver.enable();
        createQueues();
        compareDisk();
        driver.disable();
    }

    private void identify() {
        long page = driver.allocate(1);
        for (int cns : new int[] {1, 0}) {
            NvmeDriver.Entry entry =
                    NvmeDriver.admin(AdminOpcode.IDENTIFY)
                            .namespace(cns == 0 ? 1 : 0)
                            .prp(page, 0)
                            .dword(10, cns);
            call(driver.admin, entry);
            byte[] data = bytes(page, NvmeDriver.PAGE);
            notes.accept(hex("identify " + cns, checksum(data)));
            if (cns == 1) {
                notes.accept(
                        "serial " + new String(data, 4, 20, StandardCharsets.US_ASCII).strip());
            } else {
                assertEquals(BLOCKS, (data[0] & 0xff) | (data[1] & 0xff) << 8, "NSZE");
            }
        }
    }

    private void createQueues() {
        queues.clear();
        for (int id = 1; id <= QUEUES; id++) {
            NvmeDriver.Queue queue = driver.new Queue(id, 32, 32);
            call(driver.admin, driver.createCompletionQueue(id, 32, queue.completions, id));
            call(driver.admin, driver.createSubmissionQueue(id, 32, queue.submissions, id));
            queues.add(queue);
        }
    }

    private void oneTransfer() {
        int blocks = 1 + random.nextInt(MOST_BLOCKS);
        int lba = random.nextInt(BLOCKS - blocks + 1);
        NvmeDriver.Queue queue = queues.get(random.nextInt(QUEUES));
        boolean write = random.nextBoolean();
        byte[] data = new byte[blocks * BLOCK];
        if (write) {
            random.nextBytes(data);
        }
        PrpLayout layout = new PrpLayout(random, data.length, SLOTS, SLOT_BYTES);
        layout.scatter(driver.memory(SLOTS, SLOT_BYTES), data);
        call(queue, entry(write, lba, blocks, layout));
        done(new Transfer(queue, 0, write, lba, data, layout));
        if (random.nextInt(4) == 0) {
            call(queue, NvmeDriver.io(NvmOpcode.FLUSH));
        }
    }

    private static NvmeDriver.Entry entry(boolean write, int lba, int blocks, PrpLayout layout) {
        NvmOpcode opcode = write ? NvmOpcode.WRITE : NvmOpcode.READ;
        return NvmeDriver.transfer(opcode, lba, blocks, layout.prp1, layout.prp2);
    }

    /** Compares what was read; takes over what was written. */
    private void done(Transfer transfer) {
        int at = transfer.lba * BLOCK;
        if (transfer.write) {
            System.arraycopy(transfer.data, 0, model, at, transfer.data.length);
            notes.accept(hex("wrote at " + transfer.lba, checksum(transfer.data)));
        } else {
            long base = transfer.at.base();
            byte[] read = transfer.at.gather(driver.memory(base, SLOT_BYTES));
            assertArrayEquals(Arrays.copyOfRange(model, at, at + read.length), read);
            notes.accept(hex("read at " + transfer.lba, checksum(read)));
        }
    }

    private void compareDisk() {
        for (int lba = 0; lba < BLOCKS; lba += MOST_BLOCKS) {
            byte[] data = new byte[MOST_BLOCKS * BLOCK];
            PrpLayout layout = new PrpLayout(random, data.length, SLOTS, SLOT_BYTES);
            layout.scatter(driver.memory(SLOTS, SLOT_BYTES), data);
            call(queues.getFirst(), entry(false, lba, MOST_BLOCKS, layout));
            done(new Transfer(queues.getFirst(), 0, false, lba, data, layout));
        }
    }

    /** Waits for the interrupt, behind which its completion must be there. */
    private void call(NvmeDriver.Queue queue, NvmeDriver.Entry entry) {
        int before = side.interrupts(InterruptKind.MSIX, queue.id);
        int command = queue.submit(entry);
        side.awaitInterrupts(InterruptKind.MSIX, queue.id, before + 1);
        NvmeDriver.Completion completion = queue.poll(command);
        assertNotNull(completion, "the interrupt came before the completion entry");
        completion.ok();
        notes.accept("completed " + queue.id + " " + completion);
    }

    /**
     * As many commands at once as there is room for, and registers read between them, for as long
     * as is wanted. Each must complete once, and each byte be right.
     */
    public void steady(BooleanSupplier goOn) {
        driver.enable();
        createQueues();
        int version = side.read(NvmeDriver.VS);
        List<Transfer> underWay = new ArrayList<>();
        while (goOn.getAsBoolean()) {
            submit(underWay);
            if (random.nextInt(4) == 0) {
                assertEquals(version, side.read(NvmeDriver.VS));
            }
            queues.forEach(this::assertNoInterruptTooMany);
        }
        while (!underWay.isEmpty()) {
            complete(underWay);
        }
        compareDisk();
        driver.disable();
        // Behind the answer to a read there is nothing more of before.
        for (NvmeDriver.Queue queue : queues) {
            queue.take();
            assertTrue(side.interrupts(InterruptKind.MSIX, queue.id) <= queue.taken());
            assertEquals(0, queue.unclaimed(), "completions of nothing");
        }
    }

    /** An interrupt comes behind its completion entry; that of two may be one. */
    private void assertNoInterruptTooMany(NvmeDriver.Queue queue) {
        int interrupts = side.interrupts(InterruptKind.MSIX, queue.id);
        queue.acknowledgeAll();
        assertTrue(interrupts <= queue.taken(), interrupts + " interrupts, " + queue.taken());
    }

    /**
     * Many commands at once, and resets of either kind in the midst of them. A block whose write a
     * reset cut off is as it was or as it was to be; nothing of before a reset comes after it.
     *
     * @param cutsOff whether a function reset may come while DMA is under way; false where DMA that
     *     was sent before it is served after it
     */
    public void crowded(int rounds, boolean cutsOff) {
        for (int round = 0; round < rounds; round++) {
            driver.enable();
            createQueues();
            List<Transfer> underWay = new ArrayList<>();
            int commands = 5 + random.nextInt(40);
            for (int i = 0; i < commands; i++) {
                submit(underWay);
            }
            boolean whole = random.nextInt(3) == 0;
            boolean function = random.nextBoolean();
            if (!function || !cutsOff) {
                driver.disable();
            }
            if (function) {
                reset.run();
            }
            assertEquals(0, side.read(NvmeDriver.CSTS) & 1, "ready after a reset");
            driver.memory(SLOTS, (long) SLOT_BYTES * SLOT_COUNT).fill(UNTOUCHED);
            driver.enable();
            createQueues();
            takeOver(underWay);
            if (whole) {
                compareDisk();
            }
            byte[] untouched = bytes(SLOTS + SLOT_BYTES, SLOT_BYTES * (SLOT_COUNT - 1));
            for (byte one : untouched) {
                assertEquals(UNTOUCHED, one, "DMA of before a reset came after it");
            }
            driver.disable();
        }
        driver.enable();
        createQueues();
        compareDisk();
        driver.disable();
    }

    /**
     * Transfers without end, many under way at every moment, on a disk that may hold anything.
     *
     * @param busy is run when they have begun
     */
    public void withoutEnd(Runnable busy) {
        driver.enable();
        createQueues();
        for (int lba = 0; lba < BLOCKS; lba += MOST_BLOCKS) {
            byte[] data = new byte[MOST_BLOCKS * BLOCK];
            PrpLayout layout = new PrpLayout(random, data.length, SLOTS, SLOT_BYTES);
            layout.scatter(driver.memory(SLOTS, SLOT_BYTES), data);
            call(queues.getFirst(), entry(true, lba, MOST_BLOCKS, layout));
        }
        List<Transfer> underWay = new ArrayList<>();
        while (underWay.size() < SLOT_COUNT - 1) {
            submit(underWay);
        }
        busy.run();
        while (true) {
            submit(underWay);
        }
    }

    /** The first slot stays free. */
    private void submit(List<Transfer> underWay) {
        int blocks = 1 + random.nextInt(MOST_BLOCKS);
        int lba = random.nextInt(BLOCKS - blocks + 1);
        boolean busy = underWay.stream().anyMatch(one -> one.touches(lba, blocks));
        if (busy || underWay.size() == SLOT_COUNT - 1) {
            complete(underWay);
            return;
        }
        long slot = SLOTS;
        for (long at = SLOTS + SLOT_BYTES; slot == SLOTS; at += SLOT_BYTES) {
            long free = at;
            slot = underWay.stream().anyMatch(one -> one.at.base() == free) ? SLOTS : free;
        }
        boolean write = random.nextBoolean();
        byte[] data = new byte[blocks * BLOCK];
        if (write) {
            random.nextBytes(data);
        }
        PrpLayout layout = new PrpLayout(random, data.length, slot, SLOT_BYTES);
        layout.scatter(driver.memory(slot, SLOT_BYTES), data);
        NvmeDriver.Queue queue = queues.get(random.nextInt(QUEUES));
        int command = queue.submit(entry(write, lba, blocks, layout));
        underWay.add(new Transfer(queue, command, write, lba, data, layout));
    }

    private void complete(List<Transfer> underWay) {
        if (!underWay.isEmpty()) {
            Transfer one = underWay.remove(random.nextInt(underWay.size()));
            one.queue.await(one.command).ok();
            done(one);
        }
    }

    /** Reads what cut off writes left behind, block by block. */
    private void takeOver(List<Transfer> cutOff) {
        for (Transfer transfer : cutOff) {
            if (!transfer.write) {
                continue;
            }
            int blocks = transfer.data.length / BLOCK;
            PrpLayout layout = new PrpLayout(random, transfer.data.length, SLOTS, SLOT_BYTES);
            layout.scatter(driver.memory(SLOTS, SLOT_BYTES), new byte[transfer.data.length]);
            call(queues.getFirst(), entry(false, transfer.lba, blocks, layout));
            byte[] found = layout.gather(driver.memory(SLOTS, SLOT_BYTES));
            for (int block = 0; block < blocks; block++) {
                int at = block * BLOCK;
                int place = transfer.lba * BLOCK + at;
                boolean old = Arrays.equals(found, at, at + BLOCK, model, place, place + BLOCK);
                boolean fresh = Arrays.equals(found, at, at + BLOCK, transfer.data, at, at + BLOCK);
                assertTrue(old || fresh, "block " + (transfer.lba + block) + " is neither");
                System.arraycopy(found, at, model, place, BLOCK);
            }
        }
    }

    private byte[] bytes(long address, int length) {
        return driver.memory(address, length).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
    }

    private static long checksum(byte[] data) {
        CRC32C sum = new CRC32C();
        sum.update(data);
        return sum.getValue();
    }

    private static String hex(String what, long value) {
        return what + " 0x" + Long.toHexString(value & 0xffff_ffffL);
    }
}
