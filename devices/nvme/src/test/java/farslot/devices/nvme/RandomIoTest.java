package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.InterruptKind;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Random work on several namespaces, compared with a model; resets and deletions amidst it. */
final class RandomIoTest {
    private static final boolean FULL = System.getProperty("farslot.rounds", "").equals("full");

    @Property(tries = 8)
    void shouldHoldWhatTheModelHolds(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        int blockBytes = random.nextBoolean() ? 512 : 4096;
        boolean cache = random.nextBoolean();
        DiskModel[] models = {
            new DiskModel((4 << 20) / blockBytes, blockBytes), new DiskModel(100, blockBytes)
        };
        MemoryImage[] images = {
            new MemoryImage(models[0].bytes()), new MemoryImage(models[1].bytes())
        };
        try (ControllerBench bench = new ControllerBench(blockBytes, cache, images)) {
            NvmeDriver driver = new NvmeDriver(bench).enable();
            RandomLoad load = new RandomLoad(driver, random, models);
            load.createQueues(ControllerBench.QUEUE_PAIRS, 5);
            for (int i = 0; i < (FULL ? 3000 : 300); i++) {
                load.step();
            }
            load.completeAll();
            for (int i = 0; i < models.length; i++) {
                byte[] onDisk = images[i].bytes().toArray(ValueLayout.JAVA_BYTE);
                assertArrayEquals(models[i].content(), onDisk);
            }
        }
    }

    /**
     * A queue that is deleted while its commands are under way ends each, or has never seen it; the
     * others go on. What did not complete well is on the disk or not, but nowhere else.
     */
    @Property(tries = 4)
    void shouldKeepTheDiskWholeWhenQueuesAreDeletedUnderLoad(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        DiskModel[] models = {new DiskModel(8192, 512), new DiskModel(1000, 512)};
        MemoryImage[] images = {
            new MemoryImage(models[0].bytes()), new MemoryImage(models[1].bytes())
        };
        try (ControllerBench bench = new ControllerBench(images)) {
            NvmeDriver driver = new NvmeDriver(bench).enable(64);
            RandomLoad load = new RandomLoad(driver, random, models);
            load.createQueues(ControllerBench.QUEUE_PAIRS, 5);
            for (int round = 0; round < (FULL ? 300 : 30); round++) {
                for (int i = random.nextInt(40); i > 0; i--) {
                    load.step();
                }
                images[0].closeGate();
                for (int i = 0; i < 20; i++) {
                    load.tryToSubmit();
                }
                load.deleteAndCreate(load.busiest(), images[0]::openGate);
            }
            load.completeAll();
            assertTrue(load.deletedUnderWay() > 0, "no command was ever under way");
            assertEquals(1, bench.read(NvmeDriver.CSTS));
        }
    }

    @TempDir Path folder;

    /**
     * Whatever a reset cut off may be on the disk or not, but only where it was going, and nothing
     * of it happens once the controller is ready again.
     */
    @Test
    @Timeout(value = 300, unit = TimeUnit.SECONDS)
    void shouldDoNothingOfBeforeAResetAfterIt() throws Exception {
        Random random = new Random(7);
        DiskModel[] models = {new DiskModel(8192, 512), new DiskModel(8192, 512)};
        String image = "image=" + folder.resolve("d.img");
        String more = "more=" + folder.resolve("e.img");
        try (FunctionSide side = new FunctionSide(image, more, "size=4M").use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side);
            RandomLoad load = new RandomLoad(driver, random, models);
            for (int round = 0; round < (FULL ? 300 : 30); round++) {
                driver.enable();
                load.createQueues(4, 5);
                load.takeOverCutOff();
                for (int i = random.nextInt(60); i > 0; i--) {
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
                load.cutOff();
                assertEquals(0, side.read(NvmeDriver.CSTS));
                long interrupts = total(side);
                byte[] ram = side.ram().toArray(ValueLayout.JAVA_BYTE);
                assertArrayEquals(ram, side.ram().toArray(ValueLayout.JAVA_BYTE));
                assertEquals(interrupts, total(side));
            }
            driver.enable();
            load.createQueues(4, 5);
            load.takeOverCutOff();
        }
        assertArrayEquals(models[0].content(), Files.readAllBytes(folder.resolve("d.img")));
        assertArrayEquals(models[1].content(), Files.readAllBytes(folder.resolve("e.img")));
    }

    private static long total(FunctionSide side) {
        long total = 0;
        for (int vector = 0; vector < 9; vector++) {
            total += side.interrupts(InterruptKind.MSIX, vector);
        }
        return total;
    }
}
