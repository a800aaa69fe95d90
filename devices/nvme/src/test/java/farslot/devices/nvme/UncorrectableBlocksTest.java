package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.block.ImageException;
import farslot.sdk.DeviceCreationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What Write Uncorrectable marks (NVMe 1.4, 6.16) stays so until it is written. */
final class UncorrectableBlocksTest {
    private static final int BLOCKS = 200;

    @TempDir Path folder;

    @Property(tries = 50)
    void shouldHoldWhatAModelHolds(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        BitSet model = new BitSet();
        UncorrectableBlocks blocks = UncorrectableBlocks.inMemory();
        for (int i = 0; i < 100; i++) {
            int first = random.nextInt(BLOCKS);
            int count = 1 + random.nextInt(BLOCKS - first);
            if (random.nextInt(3) == 0) {
                blocks.mark(first, Math.min(count, 20));
                model.set(first, first + Math.min(count, 20));
            } else {
                blocks.clear(first, Math.min(count, 15));
                model.clear(first, first + Math.min(count, 15));
            }
            for (int from = 0; from < BLOCKS; from += 7) {
                int hit = model.nextSetBit(from);
                long expected = hit >= 0 && hit < from + 11 ? hit : -1;
                assertEquals(expected, blocks.firstIn(from, 11));
            }
        }
    }

    @Test
    void shouldBeThereAgainWhenStored() throws IOException {
        Path file = folder.resolve("d.img.uncorrectable");
        UncorrectableBlocks blocks = UncorrectableBlocks.of(file);
        blocks.mark(10, 5);
        blocks.mark(15, 1);
        blocks.mark(100, 1);
        assertFalse(Files.exists(file), "not before it is asked for");
        blocks.store(blocks.snapshot());
        assertEquals("10 6\n100 1\n", Files.readString(file));
        UncorrectableBlocks again = UncorrectableBlocks.of(file);
        assertEquals(10, again.firstIn(0, 50));
        again.clear(0, 200);
        UncorrectableBlocks.Snapshot none = again.snapshot();
        again.mark(3, 1);
        again.store(again.snapshot());
        again.store(none);
        assertEquals("3 1\n", Files.readString(file), "an older state does not come back");
        again.clear(3, 1);
        again.store(again.snapshot());
        assertFalse(Files.exists(file));
    }

    @Test
    void shouldRefuseAFileThatSaysNothing() throws IOException {
        Path file = folder.resolve("d.img.uncorrectable");
        for (String text : new String[] {"x\n", "1\n", "1 2 3\n", "-1 5\n", "5 0\n", "\n"}) {
            Files.writeString(file, text);
            ImageException refusal =
                    assertThrows(ImageException.class, () -> UncorrectableBlocks.of(file));
            assertTrue(refusal.getMessage().contains("cannot be read"), refusal.getMessage());
        }
    }

    @Test
    void shouldBoundTheRanges() throws IOException {
        UncorrectableBlocks blocks = UncorrectableBlocks.inMemory();
        for (long i = 0; i < UncorrectableBlocks.MAX_RANGES; i++) {
            blocks.mark(i * 4, 3);
        }
        assertThrows(ImageException.class, () -> blocks.mark(1L << 40, 1));
        assertThrows(ImageException.class, () -> blocks.checkClearable(1, 1));
        blocks.checkClearable(3, 1);
        blocks.checkClearable(1L << 40, 8);
    }

    /** A block that was made unreadable is so for the next lender of the image too. */
    @Test
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void shouldOutliveTheLender() throws DeviceCreationException {
        String image = "image=" + folder.resolve("d.img");
        try (FunctionSide side = new FunctionSide(image, "size=1M")) {
            NvmeDriver.Queue queue = new NvmeDriver(side).enable().createQueue(1, 16, 0);
            queue.call(NvmeDriver.transfer(NvmOpcode.WRITE_UNCORRECTABLE, 9, 2, 0, 0)).ok();
            queue.call(NvmeDriver.io(NvmOpcode.FLUSH)).ok();
            assertTrue(Files.exists(folder.resolve("d.img.uncorrectable")));
        }
        try (FunctionSide side = new FunctionSide(image)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            NvmeDriver.Queue queue = driver.createQueue(1, 16, 0);
            long page = driver.allocate(1);
            NvmeDriver.Entry read = NvmeDriver.transfer(NvmOpcode.READ, 10, 1, page, 0);
            queue.call(read).assertStatus(StatusCode.BLOCK_UNCORRECTABLE);
            queue.call(NvmeDriver.transfer(NvmOpcode.WRITE, 9, 1, page, 0)).ok();
            queue.call(NvmeDriver.transfer(NvmOpcode.WRITE_ZEROES, 10, 1, 0, 0)).ok();
            queue.call(NvmeDriver.transfer(NvmOpcode.READ, 9, 2, page, 0)).ok();
        }
        assertFalse(Files.exists(folder.resolve("d.img.uncorrectable")));
    }
}
