package farslot.posix;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileHoleTest {
    private static final int PAGE = 4096;

    @TempDir Path folder;

    @Test
    void shouldLeaveZerosAndAllElse() throws IOException {
        Path file = folder.resolve("f");
        byte[] bytes = new byte[8 * PAGE + 5];
        Arrays.fill(bytes, (byte) 7);
        Files.write(file, bytes);
        FileHole.make(file, 2 * PAGE, 4 * PAGE);
        Arrays.fill(bytes, 2 * PAGE, 6 * PAGE, (byte) 0);
        assertArrayEquals(bytes, Files.readAllBytes(file));
        assertEquals(bytes.length, Files.size(file));
    }

    @Test
    void shouldRefuseWhereThereIsNoFile() {
        assertThrows(IOException.class, () -> FileHole.make(folder.resolve("none"), 0, PAGE));
    }
}
