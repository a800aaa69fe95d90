package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whoever reads docs/protocol.md reads docs/protocol-vectors.txt as it means itself. */
@Timeout(300)
class InteropVectorsTest {
    private static final Path VECTORS =
            Path.of(System.getProperty("farslot.home"), "docs", "protocol-vectors.txt");

    @TempDir Path folder;

    private Interop.Ended read(Path vectors) throws Exception {
        Interop.assumePython(folder);
        String program = Interop.FOLDER.resolve("read_vectors.py").toString();
        return Interop.run(folder, "python3", "-B", program, vectors.toString());
    }

    @Test
    void shouldReadEveryVectorAsTheDocumentSays() throws Exception {
        long count =
                Files.readAllLines(VECTORS).stream()
                        .filter(line -> line.startsWith("name:"))
                        .count();
        Interop.Ended ended = read(VECTORS);
        assertEquals(0, ended.code(), ended.err());
        assertEquals(count + " vectors are read as the document says, 0 are not.\n", ended.out());
    }

    @Test
    void shouldNameTheVectorWhenItsMeaningIsAnother() throws Exception {
        String right = "region=0x0 width=0x4 length=0x4 offset=0x1c";
        String vectors = Files.readString(VECTORS);
        assertTrue(vectors.contains(right));
        Path other = folder.resolve("vectors");
        Files.writeString(other, vectors.replace(right, right + "0"));
        Interop.Ended ended = read(other);
        assertEquals(1, ended.code());
        assertTrue(ended.err().startsWith("read four bytes of BAR0 at 0x1c:"), ended.err());
    }
}
