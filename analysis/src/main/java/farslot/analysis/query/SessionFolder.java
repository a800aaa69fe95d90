package farslot.analysis.query;

import farslot.analysis.AnalysisException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A folder for what one {@link TraceDatabase} does not keep; removed when it is closed. */
final class SessionFolder implements AutoCloseable {
    /** The number is that of the process. */
    private static final Pattern NAME = Pattern.compile("session-(\\d+)-.*");

    private static final Duration SURELY_OLD = Duration.ofHours(1);

    private final Path path;

    private SessionFolder(Path path) {
        this.path = path;
    }

    /** Makes one in {@code above}, where what killed processes have left is removed. */
    static SessionFolder create(Path above) throws AnalysisException {
        try {
            if (!Files.isDirectory(above)) {
                Files.createDirectories(above.toAbsolutePath().getParent());
                Files.createDirectory(
                        above,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            }
            sweep(above);
            String name = "session-" + ProcessHandle.current().pid() + "-";
            return new SessionFolder(Files.createTempDirectory(above.toRealPath(), name));
        } catch (IOException e) {
            throw new AnalysisException(
                    "The folder " + above + " cannot be used: " + e.getMessage() + ".", e);
        }
    }

    private static void sweep(Path above) throws IOException {
        try (Stream<Path> folders = Files.list(above)) {
            for (Path folder : folders.toList()) {
                Matcher name = NAME.matcher(folder.getFileName().toString());
                if (name.matches()
                        && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()
                        && isOld(folder)) {
                    remove(folder);
                }
            }
        }
    }

    /** A home may be shared with machines whose processes are not seen here. */
    private static boolean isOld(Path folder) throws IOException {
        Instant changed = Files.getLastModifiedTime(folder).toInstant();
        return changed.isBefore(Instant.now().minus(SURELY_OLD));
    }

    Path path() {
        return path;
    }

    @Override
    public void close() {
        if (Files.exists(path)) {
            remove(path);
        }
    }

    /** Removes a folder and all in it. */
    static void remove(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> deepestFirst = all.sorted((a, b) -> b.compareTo(a)).toList();
            for (Path file : deepestFirst) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            System.getLogger("farslot.analysis")
                    .log(System.Logger.Level.DEBUG, "Cannot remove " + folder, e);
        }
    }
}
