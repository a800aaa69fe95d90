package farslot.registers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A register database that others wrote: envytools' of NVIDIA's hardware. */
class EnvytoolsMapTest {
    private static final Path DATABASE =
            Path.of(System.getProperty("farslot.home", "."), "../shared/data/rnndb").normalize();

    @BeforeEach
    void needsTheDatabase() {
        assumeTrue(
                Files.isRegularFile(DATABASE.resolve("root.xml")),
                "Skipped: envytools' register database is not at " + DATABASE + ".");
    }

    @Test
    void theWholeDatabaseIsLoadedThroughItsRoot() {
        RegisterMap map = RegisterMapLoader.lenient().load(DATABASE.resolve("root.xml"));
        RegisterDomain mmio = map.domain("NV_MMIO");
        assertEquals(0x1000000, mmio.sizeBytes());
        assertTrue(mmio.registers().size() > 5000, "registers: " + mmio.registers().size());
        assertEquals("PMC.INTR_HOST", RegisterText.name(mmio, 0x100, 4));
        for (Register register : mmio.registers()) {
            Register found = mmio.find(register.offset());
            assertEquals(register.offset(), found.elementStart(register.offset()), found::name);
        }
    }

    @Test
    void everyFileIsLoadedByItself() throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(DATABASE)) {
            files = walk.filter(file -> file.toString().endsWith(".xml")).toList();
        }
        assertTrue(files.size() > 100);
        for (Path file : files) {
            RegisterMapLoader.lenient().load(file);
        }
    }
}
