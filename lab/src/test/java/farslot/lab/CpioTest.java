package farslot.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CpioTest {
    @Test
    void writesAnArchiveThatReadsBackWithFoldersBeforeTheirFiles() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Cpio cpio = new Cpio(bytes)) {
            cpio.file("bin/sh", 0755, "abcde".getBytes(StandardCharsets.UTF_8));
            cpio.link("bin/ash", "sh");
            cpio.folder("bin");
        }
        assertEquals(
                List.of("bin 40755 ", "bin/sh 100755 abcde", "bin/ash 120777 sh", "TRAILER!!! 0 "),
                entries(bytes.toString(StandardCharsets.ISO_8859_1)));
        assertTrue(bytes.size() % 4 == 0);
    }

    /** Reads "newc" as Linux does (init/initramfs.c): header, name, content, each padded to 4. */
    private static List<String> entries(String archive) {
        List<String> entries = new ArrayList<>();
        int at = 0;
        while (at < archive.length()) {
            assertEquals("070701", archive.substring(at, at + 6));
            int mode = field(archive, at, 1);
            int size = field(archive, at, 6);
            int nameSize = field(archive, at, 11);
            String name = archive.substring(at + 110, at + 110 + nameSize - 1);
            int content = (at + 110 + nameSize + 3) & ~3;
            String data = archive.substring(content, content + size);
            entries.add(name + " " + Integer.toOctalString(mode) + " " + data);
            at = (content + size + 3) & ~3;
        }
        return entries;
    }

    private static int field(String archive, int at, int index) {
        int begin = at + 6 + 8 * index;
        return Integer.parseInt(archive.substring(begin, begin + 8), 16);
    }
}
