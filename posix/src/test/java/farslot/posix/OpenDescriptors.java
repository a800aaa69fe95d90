package farslot.posix;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What this process has open of the kinds that this package opens; class files do not count. */
final class OpenDescriptors implements AutoCloseable {
    private static final Pattern OURS =
            Pattern.compile("socket:.*|pipe:.*|anon_inode:\\[eventfd\\]|/memfd:farslot-test.*");
    private final List<String> before = list();

    /** Fails where more or fewer are open than when this object was made. */
    @Override
    public void close() {
        assertEquals(before, list());
    }

    private static List<String> list() {
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            return links.map(OpenDescriptors::target)
                    .filter(target -> OURS.matcher(target).matches())
                    .sorted()
                    .toList();
        } catch (IOException cannotLook) {
            throw new AssertionError(cannotLook);
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }
}
