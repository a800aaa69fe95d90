package farslot.registers;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Large public data that is no part of a checkout; tests that need it say so and are skipped. */
final class TestData {
    private TestData() {}

    /** The folder that the variable FARSLOT_TEST_DATA names. */
    static Path folder() {
        String named = System.getenv("FARSLOT_TEST_DATA");
        assumeTrue(
                named != null && Files.isDirectory(Path.of(named)),
                "Skipped: FARSLOT_TEST_DATA names no folder with public data for tests.");
        return Path.of(named);
    }
}
