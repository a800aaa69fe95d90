package farslot.devices.nvme;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.InterruptKind;
import farslot.sdk.DeviceCreationException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the options of {@code farslot lend nvme} do. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class NvmeOptionsTest {
    @TempDir Path folder;

    private String image() {
        return "image=" + folder.resolve("d.img");
    }

    private FunctionSide side(String... more) throws DeviceCreationException {
        String[] options = Arrays.copyOf(more, more.length + 2);
        options[more.length] = image();
        options[more.length + 1] = "size=4M";
        return new FunctionSide(options);
    }

    @Test
    void theOptionsAreSeenByDrivers() throws DeviceCreationException {
        try (FunctionSide side = side("serial=ABC 123", "model=My disk", "block_size=4096")) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            byte[] controller = driver.identify(1, 0);
            assertEquals("ABC 123             ", text(controller, 4, 20));
            assertEquals("My disk" + " ".repeat(33), text(controller, 24, 40));
            byte[] namespace = driver.identify(0, 1);
            assertEquals(1024, (namespace[0] & 0xFF) | (namespace[1] & 0xFF) << 8);
            assertEquals(12, namespace[130]);
        }
    }

    @Test
    void hasANamespaceForEachImage() throws DeviceCreationException, IOException {
        Path colon = folder.resolve("a:b.img");
        Files.write(colon, new byte[8192]);
        String more = "more=" + folder.resolve("e.img") + ":" + folder.resolve("a::b.img");
        try (FunctionSide side = side(more)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            long[] blocks = new long[3];
            for (int id = 1; id <= 3; id++) {
                MemorySegment data = MemorySegment.ofArray(driver.identify(0, id));
                blocks[id - 1] = data.get(LittleEndian.LONG, 0);
            }
            assertArrayEquals(new long[] {8192, 8192, 16}, blocks);
            long page = driver.allocate(1);
            driver.memory(page, 512).fill((byte) 7);
            NvmeDriver.Entry write = NvmeDriver.transfer(NvmOpcode.WRITE, 3, 1, page, 0);
            driver.createQueue(1, 16, 0).call(write.namespace(3)).ok();
        }
        assertEquals(7, Files.readAllBytes(colon)[3 * 512]);
    }

    @Test
    void takesNoImageWhenOneIsRefused() {
        String more = "more=" + folder.resolve("e.img") + ":" + folder;
        DeviceCreationException refusal =
                assertThrows(DeviceCreationException.class, () -> side(more).close());
        assertTrue(refusal.getMessage().contains("a directory"), refusal.getMessage());
        assertFalse(Files.exists(folder.resolve("d.img")));
        assertFalse(Files.exists(folder.resolve("e.img")));
    }

    @ParameterizedTest
    @CsvSource({"512, on", "512, off", "4096, on", "4096, off"})
    void writesBlocksOfEitherSizeWithACacheOrWithout(int blockBytes, String cache)
            throws DeviceCreationException, IOException {
        try (FunctionSide side = side("block_size=" + blockBytes, "cache=" + cache)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            assertEquals(cache.equals("on") ? 1 : 0, driver.identify(1, 0)[525] & 1, "VWC");
            NvmeDriver.Queue queue = driver.createQueue(1, 16, 0);
            long page = driver.allocate(1);
            driver.memory(page, blockBytes).fill((byte) 9);
            int last = (4 << 20) / blockBytes - 1;
            queue.call(NvmeDriver.transfer(NvmOpcode.WRITE, last, 1, page, 0)).ok();
            queue.call(NvmeDriver.transfer(NvmOpcode.COMPARE, last, 1, page, 0)).ok();
            queue.call(NvmeDriver.transfer(NvmOpcode.READ, last, 2, page, 0))
                    .assertStatus(StatusCode.LBA_OUT_OF_RANGE);
        }
        byte[] onDisk = Files.readAllBytes(folder.resolve("d.img"));
        assertEquals(9, onDisk[onDisk.length - 1]);
        assertEquals(9, onDisk[onDisk.length - blockBytes]);
        assertEquals(0, onDisk[onDisk.length - blockBytes - 1]);
    }

    @Test
    void servesSixtyFourQueuePairs() throws DeviceCreationException {
        try (FunctionSide side = side("queues=64").use(InterruptKind.MSIX)) {
            NvmeDriver driver = new NvmeDriver(side).enable();
            NvmeDriver.Queue[] queues = new NvmeDriver.Queue[64];
            int[] commands = new int[64];
            for (int id = 1; id <= 64; id++) {
                queues[id - 1] = driver.createQueue(id, 8, id);
            }
            long page = driver.allocate(1);
            for (int i = 0; i < 64; i++) {
                commands[i] = queues[i].submit(NvmeDriver.transfer(NvmOpcode.READ, i, 1, page, 0));
            }
            for (int i = 0; i < 64; i++) {
                queues[i].await(commands[i]).ok();
            }
            driver.admin
                    .call(driver.createCompletionQueue(65, 8, page, 0))
                    .assertStatus(StatusCode.INVALID_QUEUE_IDENTIFIER);
        }
    }

    @Test
    void twoImagesAreToldApartAndOneIsFoundAgain() throws DeviceCreationException {
        String[] names = new String[3];
        for (int i = 0; i < 3; i++) {
            String file = folder.resolve(i == 2 ? "0.img" : i + ".img").toString();
            try (FunctionSide side = new FunctionSide("image=" + file, "size=1M")) {
                byte[] controller = new NvmeDriver(side).enable().identify(1, 0);
                names[i] = text(controller, 4, 20) + text(controller, 768, 256);
            }
        }
        assertFalse(names[0].equals(names[1]));
        assertEquals(names[0], names[2]);
    }

    @ParameterizedTest
    @CsvSource({
        "queues=0, queues=0",
        "queues=65, 1 to 64",
        "serial=123456789012345678901, 20 printable",
        "serial=ü, 20 printable",
        "block_size=513, 512",
        "size=1000, too small",
        "size=5000, no multiple",
        "msix=maybe, on or off",
        "cache=maybe, on or off",
        "sizes=1, size",
    })
    void badOptionsAreSentences(String option, String words) {
        DeviceCreationException refusal =
                assertThrows(
                        DeviceCreationException.class,
                        () -> new FunctionSide(image(), option).close());
        assertTrue(refusal.getMessage().contains(words), refusal.getMessage());
        assertFalse(Files.exists(folder.resolve("d.img")));
    }

    @Test
    void anImageInUseIsRefused() throws DeviceCreationException {
        try (FunctionSide side = side()) {
            DeviceCreationException refusal =
                    assertThrows(DeviceCreationException.class, () -> side().close());
            assertTrue(refusal.getMessage().contains("in use"), refusal.getMessage());
            new NvmeDriver(side).enable();
        }
        side().close();
    }

    private static String text(byte[] bytes, int offset, int length) {
        return new String(bytes, offset, length, StandardCharsets.US_ASCII);
    }
}
