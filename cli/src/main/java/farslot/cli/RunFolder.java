package farslot.cli;

import farslot.lab.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder for the files of one run: image, sockets, log. It is removed when closed, and when this
 * program is ended, after all programs that use it have ended.
 */
final class RunFolder implements AutoCloseable {
    private final Path path;
    private final Thread hook = new Thread(this::removeAfterChildren, "remove-run-folder");

    private RunFolder(Path path) {
        this.path = path;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    static RunFolder create() throws IOException {
        return new RunFolder(Files.createTempDirectory("farslot-run-"));
    }

    Path path() {
        return path;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // The hook runs already.
        }
        remove();
    }

    private void removeAfterChildren() {
        ChildProcess.closeAll();
        remove();
    }

    private void remove() {
        try (Stream<Path> all = Files.walk(path)) {
            List<Path> deepestFirst = all.sorted((a, b) -> b.compareTo(a)).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            System.getLogger("farslot.cli")
                    .log(System.Logger.Level.WARNING, "Cannot remove " + path, e);
        }
    }
}
