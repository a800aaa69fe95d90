package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/trace-format.md is true: its example is what this code writes and reads. */
class TraceFormatTest {
    private static final Path DOCUMENT =
            Path.of(System.getProperty("farslot.home", ".."), "docs", "trace-format.md");
    private static final int SLOT = 5;

    @TempDir Path folder;

    private static byte[] example() throws IOException {
        String text = Files.readString(DOCUMENT);
        int from = text.indexOf("```hex\n") + "```hex\n".length();
        String hex = text.substring(from, text.indexOf("```", from)).replaceAll("\\s", "");
        return HexFormat.of().parseHex(hex);
    }

    @Test
    void theDocumentsExampleIsRead() throws IOException {
        Path file = folder.resolve("t.fst");
        TraceWriter.create(file, MemoryFunction.DESCRIPTION, TraceOptions.DEFAULT).close();
        byte[] example = example();
        assertEquals(TraceFormat.RECORD_BYTES, example.length);
        try (RandomAccessFile trace = new RandomAccessFile(file.toFile(), "rw")) {
            trace.seek(TraceFormat.HEADER_BYTES + (long) SLOT * TraceFormat.RECORD_BYTES);
            trace.write(example);
        }
        try (TraceReader reader = TraceReader.open(file)) {
            TraceEvent event = reader.next();
            assertEquals(0, reader.damaged());
            assertEquals(SLOT, reader.unfinished());
            TraceEvent.Access access = (TraceEvent.Access) event;
            assertTrue(access.write());
            assertEquals(0, access.region());
            assertEquals(0x14, access.offset());
            assertEquals(0x460001, access.data().value());
            assertEquals(4, access.widthBytes());
            assertEquals(1000, access.stamp().nanos());
            assertEquals(500, access.stamp().durationNanos());
            assertEquals(1, access.stamp().generation());
            assertEquals(CompletionStatus.SUCCESS, access.status());
        }
    }

    @Test
    void theHeaderIsAsDocumented() throws IOException {
        Path file = folder.resolve("t.fst");
        TraceWriter.create(file, MemoryFunction.DESCRIPTION, TraceOptions.DEFAULT).close();
        byte[] bytes = Files.readAllBytes(file);
        assertEquals(0x4000, bytes.length);
        assertEquals(
                "FARSLOT\n", new String(bytes, 0, 8, java.nio.charset.StandardCharsets.US_ASCII));
        assertEquals("01000000", HexFormat.of().formatHex(bytes, 8, 12));
        assertEquals("40000000", HexFormat.of().formatHex(bytes, 12, 16));
        assertEquals("01000000", HexFormat.of().formatHex(bytes, 0x30, 0x34));
        assertEquals("06006d656d6f7279", HexFormat.of().formatHex(bytes, 0x48, 0x50));
    }
}
