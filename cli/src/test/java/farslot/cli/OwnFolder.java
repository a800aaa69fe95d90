package farslot.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A folder of each test's own, in place of all of the user's: control sockets, settings, caches
 * ({@link UserFolders}).
 */
final class OwnFolder implements BeforeEachCallback, AfterEachCallback {
    private static final String PROPERTY = "farslot.runtime";

    private Path path;
    private String before;

    /** For one test. */
    Path path() {
        return path;
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        // Short: socket paths have 107 bytes.
        path = Files.createTempDirectory("fs");
        before = System.setProperty(PROPERTY, path.toString());
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        if (before == null) {
            System.clearProperty(PROPERTY);
        } else {
            System.setProperty(PROPERTY, before);
        }
        try (var files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
