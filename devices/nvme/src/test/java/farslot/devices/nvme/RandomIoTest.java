package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import farslot.core.InterruptKind;
import farslot.sdk.DeviceCreationException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Random work, compared with a model; resets in the middle of it. */
final class RandomIoTest {
    private static final boolean FULL = System.getProperty("farslot.rounds", "").equals("full");
    private static final int BLOCKS = 8192;
    private static final int SLOTS = 8;
    private static final int SLOT_BYTES = 2 << 20;

    /** A command under way, and what it must have done when it has completed. */
    @SuppressWarnings("ArrayRecordComponent") // compared by identity only
    private record Pending(int command, NvmOpcode opcode, int lba, byte[] data, PrpLayout layout) {
        boolean overlaps(int start, int count) {
            return lba < start + count && start < lba + data.length / 512;
        }
    }

    /** Sends random commands, several at once, that do not overlap. */
    private static final class Load {
        final NvmeDriver driver;
        final Random random;
        final byte[] model;
        final List<NvmeDriver.Queue> queues = new ArrayList<>();
        final List<List<Pending>> pending = new ArrayList<>();
        final long slots = DriverSide.RAM_ADDRESS + (6L << 20);

        Load(NvmeDriver driver, Random random, byte[] model) {
            this.driver = driver;
            this.random = random;
            this.model = model;
        }

        void createQueues(int count, int vectors) {
            queues.clear();
            pending.clear();
            for (int id = 1; id <= count; id++) {
                int size = 3 + random.nextInt(20);
                int completions = 2 + random.nextInt(20);
                queues.add(driver.createQueue(id, size, completions, id % vectors));
                pending.add(new ArrayList<>());
            }
        }

        private boolean isBusy(int lba, int count) {
            return pending.stream().flatMap(List::stream).anyMatch(p -> p.overlaps(lba, count));
        }

        /** A slot of memory that no command under way uses, or -1. */
        private long freeSlot() {
            for (int i = 0; i < SLOTS; i++) {
                long slot = slots + (long) i * SLOT_BYTES;
                boolean used =
                        pending.stream()
                                .flatMap(List::stream)
                                .anyMatch(p -> p.layout.base() == slot);
                if (!used) {
                    return slot;
                }
            }
            return -1;
        }

        void step() {
            int count = 1 + random.nextInt(random.nextInt(8) == 0 ? 2048 : 40);
            int lba = random.nextInt(BLOCKS - count + 1);
            int which = random.nextInt(queues.size());
            long slot = freeSlot();
            boolean full = pending.get(which).size() >= queues.get(which).size - 1;
            if (slot < 0 || full || isBusy(lba, count)) {
                completeOne();
                return;
            }
            NvmOpcode[] opcodes = {
                NvmOpcode.READ,
                NvmOpcode.WRITE,
                NvmOpcode.READ,
                NvmOpcode.WRITE,
                NvmOpcode.WRITE_ZEROES,
                NvmOpcode.DATASET_MANAGEMENT,
                NvmOpcode.FLUSH
            };
            submit(which, opcodes[random.nextInt(opcodes.length)], lba, count, slot);
        }

        private void submit(int which, NvmOpcode opcode, int lba, int count, long slot) {
            byte[] data = new byte[count * 512];
            boolean dataset = opcode == NvmOpcode.DATASET_MANAGEMENT;
            PrpLayout layout = new PrpLayout(random, dataset ? 16 : data.length, slot, SLOT_BYTES);
            byte[] sent = data;
            if (opcode == NvmOpcode.WRITE) {
                random.nextBytes(data);
            } else if (dataset) {
                sent = new byte[16];
                MemorySegment range = MemorySegment.ofArray(sent);
                range.set(LittleEndian.INT, 4, count);
                range.set(LittleEndian.LONG, 8, lba);
            }
            layout.scatter(driver.memory(slot, SLOT_BYTES), sent);
            NvmeDriver.Entry entry =
                    NvmeDriver.transfer(opcode, lba, count, layout.prp1, layout.prp2);
            if (dataset) {
                entry.dword(10, 0).dword(11, 4).dword(12, 0);
            } else if (random.nextInt(10) == 0) {
                entry.dwords[12] |= 1 << 30;
            }
            int command = queues.get(which).submit(entry);
            pending.get(which).add(new Pending(command, opcode, lba, data, layout));
        }

        void completeOne() {
            int which = random.nextInt(queues.size());
            if (!pending.get(which).isEmpty()) {
                int index = random.nextInt(pending.get(which).size());
                Pending done = pending.get(which).remove(index);
                queues.get(which).await(done.command).ok();
                check(done);
            }
        }

        private void check(Pending done) {
            int offset = done.lba * 512;
            int end = offset + done.data.length;
            switch (done.opcode) {
                case WRITE -> System.arraycopy(done.data, 0, model, offset, done.data.length);
                case WRITE_ZEROES, DATASET_MANAGEMENT -> Arrays.fill(model, offset, end, (byte) 0);
                case READ -> {
                    byte[] read = done.layout.gather(driver.memory(done.layout.base(), SLOT_BYTES));
                    assertArrayEquals(Arrays.copyOfRange(model, offset, end), read);
                }
                default -> {}
            }
        }

        void completeAll() {
            while (pending.stream().anyMatch(list -> !list.isEmpty())) {
                completeOne();
            }
        }
    }

    @Property(tries = 8)
    void theDiskHoldsWhatTheModelHolds(@ForAll long seed) throws IOException {
        MemoryImage image = new MemoryImage(BLOCKS * 512L);
        byte[] model = new byte[BLOCKS * 512];
        Random random = new Random(seed);
        try (ControllerBench bench = new ControllerBench(image)) {
            Load load = new Load(new NvmeDriver(bench).enable(), random, model);
            load.createQueues(ControllerBench.QUEUE_PAIRS, 5);
            for (int i = 0; i < (FULL ? 3000 : 300); i++) {
                load.step();
            }
            load.completeAll();
            assertArrayEquals(model, image.bytes().toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @TempDir Path folder;

    /**
     * Whatever a reset cut off may be on the disk or not, but only where it was going, and nothing
     * of it happens once the controller is ready again.
     */
    @Test
    @Timeout(value = 300, unit = TimeUnit.SECONDS)
    void nothingOfBeforeAResetHappensAfterIt() throws DeviceCreationException {
        byte[] model = new byte[BLOCKS * 512];
        Random random = new Random(7);
        String image = "image=" + folder.resolve("d.img");
        try (FunctionSide side = new FunctionSide(image, "size=4M").use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side);
            Load load = new Load(driver, random, model);
            for (int round = 0; round < (FULL ? 300 : 30); round++) {
                driver.enable();
                load.createQueues(4, 5);
                learn(driver, load, model);
                int steps = random.nextInt(60);
                for (int i = 0; i < steps; i++) {
                    load.step();
                }
                switch (random.nextInt(3)) {
                    case 0 -> side.reset();
                    case 1 -> driver.disable();
                    default -> {
                        load.completeAll();
                        driver.disable();
                    }
                }
                assertEquals(0, side.read(NvmeDriver.CSTS));
                long interrupts = total(side);
                byte[] ram = quiet(side);
                assertArrayEquals(ram, quiet(side));
                assertEquals(interrupts, total(side));
            }
        }
    }

    /** What was cut off may have been done in part: the model takes over what the disk holds. */
    private static void learn(NvmeDriver driver, Load load, byte[] model) {
        for (int lba = 0; lba < BLOCKS; lba += 1024) {
            PrpLayout layout = new PrpLayout(load.random, 1024 * 512, load.slots, SLOT_BYTES);
            layout.scatter(driver.memory(load.slots, SLOT_BYTES), new byte[1024 * 512]);
            load.queues
                    .getFirst()
                    .call(NvmeDriver.transfer(NvmOpcode.READ, lba, 1024, layout.prp1, layout.prp2))
                    .ok();
            byte[] read = layout.gather(driver.memory(load.slots, SLOT_BYTES));
            System.arraycopy(read, 0, model, lba * 512, read.length);
        }
    }

    private static long total(FunctionSide side) {
        long total = 0;
        for (int vector = 0; vector < 9; vector++) {
            total += side.interrupts(InterruptKind.MSIX, vector);
        }
        return total;
    }

    private static byte[] quiet(FunctionSide side) {
        return side.ram().toArray(ValueLayout.JAVA_BYTE);
    }
}
