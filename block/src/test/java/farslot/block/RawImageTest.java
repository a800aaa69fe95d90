package farslot.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

final class RawImageTest {
    private static final long MEBIBYTE = 1 << 20;

    @TempDir Path folder;

    private Path path() {
        return folder.resolve("d.img");
    }

    private RawImage create(long size) throws IOException {
        return RawImage.open(path(), OptionalLong.of(size), 512);
    }

    private RawImage open() throws IOException {
        return RawImage.open(path(), OptionalLong.empty(), 512);
    }

    private void assertRefused(OptionalLong size, String... words) {
        ImageException refusal =
                assertThrows(ImageException.class, () -> RawImage.open(path(), size, 512));
        for (String word : words) {
            assertTrue(refusal.getMessage().contains(word), refusal.getMessage());
        }
        assertTrue(refusal.getMessage().endsWith("."), refusal.getMessage());
    }

    @Test
    void aNewImageIsSparseAndReadsAsZeros() throws IOException {
        try (RawImage image = create(1L << 40)) {
            assertEquals(1L << 40, image.sizeBytes());
            byte[] bytes = {1, 2, 3, 4};
            image.read((1L << 40) - 4, MemorySegment.ofArray(bytes));
            assertArrayEquals(new byte[4], bytes);
        }
        assertEquals(1L << 40, Files.size(path()));
    }

    @Test
    void whatWasWrittenIsThereAfterReopening() throws IOException {
        try (RawImage image = create(MEBIBYTE)) {
            image.write(1000, MemorySegment.ofArray(new byte[] {1, 2, 3}));
        }
        try (RawImage image = open()) {
            assertEquals(MEBIBYTE, image.sizeBytes());
            byte[] bytes = new byte[5];
            image.read(999, MemorySegment.ofArray(bytes));
            assertArrayEquals(new byte[] {0, 1, 2, 3, 0}, bytes);
        }
    }

    @Test
    void aMissingImageIsASentenceAndNothingIsCreated() {
        assertRefused(OptionalLong.empty(), "There is no image", "d.img", "size=1G");
        assertFalse(Files.exists(path()));
    }

    @Test
    void aMissingFolderIsASentence() {
        Path lost = folder.resolve("lost/d.img");
        ImageException refusal =
                assertThrows(
                        ImageException.class,
                        () -> RawImage.open(lost, OptionalLong.of(MEBIBYTE), 512));
        assertTrue(refusal.getMessage().contains("there is no folder"), refusal.getMessage());
    }

    @Test
    void aDirectoryIsRefused() throws IOException {
        Files.createDirectory(path());
        assertRefused(OptionalLong.empty(), "is a directory");
    }

    @Test
    void anotherSizeThanTheImageHasIsRefused() throws IOException {
        create(MEBIBYTE).close();
        assertRefused(OptionalLong.of(2 * MEBIBYTE), "exists with 1048576", "2097152");
        assertEquals(MEBIBYTE, Files.size(path()));
        RawImage.open(path(), OptionalLong.of(MEBIBYTE), 512).close();
    }

    @Test
    void aTooSmallImageIsRefused() throws IOException {
        assertRefused(OptionalLong.of(512), "too small");
        assertRefused(OptionalLong.of(-1), "too small");
        assertFalse(Files.exists(path()));
        Files.write(path(), new byte[100]);
        assertRefused(OptionalLong.empty(), "only 100 bytes", "too small");
    }

    @Test
    void aSizeThatIsNoMultipleOfTheBlockSizeIsRefused() throws IOException {
        assertRefused(OptionalLong.of(5000), "no multiple");
        assertFalse(Files.exists(path()));
        Files.write(path(), new byte[5000]);
        assertRefused(OptionalLong.empty(), "no multiple");
    }

    @Test
    void aSizeThatTheFileSystemCannotHoldLeavesNoFileBehind() {
        ImageException refusal =
                assertThrows(ImageException.class, () -> create(Long.MAX_VALUE & ~511L));
        assertTrue(refusal.getMessage().contains("d.img"), refusal.getMessage());
        assertFalse(Files.exists(path()));
    }

    @Test
    void aFileWithoutPermissionIsRefused() throws IOException {
        create(MEBIBYTE).close();
        Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString("r--r--r--"));
        assumeTrue(!Files.isWritable(path()), "root may do everything");
        assertRefused(OptionalLong.empty(), "may not be read and written", "permissions");
    }

    @Test
    void anImageInUseByThisProcessIsRefusedAlsoUnderAnotherName() throws IOException {
        try (RawImage image = create(MEBIBYTE)) {
            assertRefused(OptionalLong.empty(), "in use", "d.img");
            Path other = Files.createSymbolicLink(folder.resolve("e.img"), path());
            ImageException refusal =
                    assertThrows(
                            ImageException.class,
                            () -> RawImage.open(other, OptionalLong.empty(), 512));
            assertTrue(refusal.getMessage().contains("in use"), refusal.getMessage());
            image.flush();
        }
        open().close();
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void anImageInUseByAnotherProcessIsRefused() throws Exception {
        create(MEBIBYTE).close();
        Process holder =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        Holder.class.getName(),
                                        path().toString()))
                        .redirectError(new File("/dev/null"))
                        .start();
        try (var said = holder.inputReader()) {
            assertEquals("open", said.readLine());
            assertRefused(OptionalLong.empty(), "in use by another process", "d.img");
            // The refusal must not have taken the holder's lock away.
            assertRefused(OptionalLong.empty(), "in use by another process");
            holder.getOutputStream().close();
            assertEquals("closed", said.readLine());
            open().close();
        } finally {
            holder.destroyForcibly().waitFor();
        }
    }

    /** Holds an image until its input ends. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws IOException {
            try (RawImage image = RawImage.open(Path.of(arguments[0]), OptionalLong.empty(), 512)) {
                System.out.println("open");
                while (System.in.read() >= 0) {
                    image.flush();
                }
            }
            System.out.println("closed");
        }
    }

    @Test
    void aClosedImageSaysSo() throws IOException {
        RawImage image = create(MEBIBYTE);
        image.close();
        image.close();
        ImageException refusal =
                assertThrows(
                        ImageException.class,
                        () -> image.write(0, MemorySegment.ofArray(new byte[1])));
        assertTrue(refusal.getMessage().contains("is closed"), refusal.getMessage());
        assertThrows(ImageException.class, () -> image.writeZeroes(0, 512, true));
        assertThrows(ImageException.class, image::flush);
    }

    @Test
    void discardedRangesReadAsZerosAndGiveTheirRoomBack() throws IOException {
        try (RawImage image = create(MEBIBYTE)) {
            assumeTrue(image.discardReadsZeroes(), "no holes here");
            byte[] ones = new byte[(int) MEBIBYTE];
            Arrays.fill(ones, (byte) 1);
            image.write(0, MemorySegment.ofArray(ones));
            image.flush();
            image.discard(100, MEBIBYTE - 200);
            byte[] now = new byte[(int) MEBIBYTE];
            image.read(0, MemorySegment.ofArray(now));
            for (int i = 0; i < now.length; i++) {
                assertEquals(i < 100 || i >= MEBIBYTE - 100 ? 1 : 0, now[i]);
            }
        }
        assertEquals(MEBIBYTE, Files.size(path()));
    }

    @Test
    void aFullDiskIsASentenceOfItsOwnKind() {
        // The JDK tells it by strerror(3)'s words, as /dev/full shows.
        IOException full =
                assertThrows(
                        IOException.class, () -> Files.write(Path.of("/dev/full"), new byte[1]));
        ImageException explained = RawImage.explain(path(), full);
        assertTrue(explained instanceof ImageFullException, explained.getMessage());
        assertTrue(explained.getMessage().contains("make room"), explained.getMessage());
    }

    @Test
    void rangesOutsideAreProgrammingErrors() throws IOException {
        try (RawImage image = create(MEBIBYTE)) {
            MemorySegment two = MemorySegment.ofArray(new byte[2]);
            assertThrows(IndexOutOfBoundsException.class, () -> image.read(MEBIBYTE - 1, two));
            assertThrows(IndexOutOfBoundsException.class, () -> image.write(-1, two));
            assertThrows(
                    IndexOutOfBoundsException.class,
                    () -> image.writeZeroes(0, MEBIBYTE + 1, true));
        }
    }
}
