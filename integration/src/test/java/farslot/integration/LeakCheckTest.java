package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.posix.MappedMemory;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The check of {@link LeakTest} finds what is planted, and nothing else. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class LeakCheckTest {
    private static final int FEW = 20;

    /** Over so many cycles 100 bytes in each are found. */
    private static final int MANY = 10_000;

    @TempDir Path folder;
    private final List<Object> kept = new ArrayList<>();

    @Test
    void isNothingWhereNothingIs() throws Exception {
        assertEquals(
                List.of(),
                LeakCheck.of(
                        Duration.ZERO, 10_000, number -> assertEquals(32, new byte[32].length)));
    }

    @Test
    void isFoundWhenItIsADescriptor() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        List<String> leaks =
                LeakCheck.of(
                        Duration.ZERO,
                        FEW,
                        number -> kept.add(FileChannel.open(file, StandardOpenOption.READ)));
        for (Object channel : kept) {
            ((FileChannel) channel).close();
        }
        assertTrue(leaks.toString().contains("20 descriptors"), leaks::toString);
    }

    @Test
    void isFoundWhenItIsAThread() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        List<String> leaks =
                LeakCheck.of(
                        Duration.ZERO,
                        FEW,
                        number ->
                                kept.add(
                                        Thread.ofPlatform()
                                                .name("planted-" + number)
                                                .daemon()
                                                .start(() -> await(end))));
        end.countDown();
        for (Object thread : kept) {
            ((Thread) thread).join();
        }
        assertTrue(leaks.contains("20 threads planted-#"), leaks::toString);
    }

    @Test
    void isFoundWhenItIsSharedMemory() throws Exception {
        List<String> leaks =
                LeakCheck.of(
                        Duration.ZERO,
                        FEW,
                        number -> kept.add(MappedMemory.create("farslot-test", 4096)));
        kept.forEach(memory -> ((MappedMemory) memory).close());
        assertTrue(leaks.contains("20 mappings of shared memory"), leaks::toString);
    }

    @Test
    void isFoundWhenItIsAnObjectOfAHundredBytes() throws Exception {
        List<String> leaks = LeakCheck.of(Duration.ZERO, MANY, number -> kept.add(new byte[84]));
        assertTrue(leaks.toString().contains("objects of [B"), leaks::toString);
        assertTrue(leaks.toString().contains("bytes of heap"), leaks::toString);
    }

    /** One that grows is no further object: only its bytes tell. */
    @Test
    void isFoundWhenAnObjectGrowsByAHundredBytes() throws Exception {
        StringBuilder growing = new StringBuilder();
        List<String> leaks = LeakCheck.of(Duration.ZERO, MANY, number -> growing.repeat('x', 100));
        assertTrue(leaks.toString().contains("bytes of heap"), leaks::toString);
    }

    @Test
    void isFoundWhenItIsNativeMemory() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            List<String> leaks = LeakCheck.of(Duration.ZERO, MANY, number -> arena.allocate(1000));
            assertTrue(leaks.toString().contains("bytes of native memory"), leaks::toString);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
