package farslot.analysis.query;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Parts of traces as Parquet files, kept for the next question in a folder that may be removed at
 * any time. Beside each stands a text with what else is known of it. Files appear whole, and when
 * there are too many, those that were not asked for longest go.
 */
final class KeptParts {
    private static final String PARQUET = ".parquet";
    private static final String TEXT = ".txt";

    /** Whoever asks at this moment, in another process, may need what was used just now. */
    private static final Duration IN_USE = Duration.ofMinutes(30);

    private final Path folder;
    private final long mostBytes;

    /**
     * A part that is there.
     *
     * @param epoch of the lease at its end
     * @param remarks of its reader
     */
    record Kept(Path file, long epoch, List<String> remarks) {}

    KeptParts(Path folder, long mostBytes) {
        this.folder = folder;
        this.mostBytes = mostBytes;
    }

    /** The part with this key, or null where it is not there, or not whole. */
    Kept find(String key) {
        Path file = folder.resolve(key + PARQUET);
        try {
            List<String> text = Files.readAllLines(folder.resolve(key + TEXT));
            if (Files.size(file) != Long.parseLong(text.get(0))) {
                return null;
            }
            Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
            return new Kept(file, Long.parseLong(text.get(1)), text.subList(2, text.size()));
        } catch (IOException | NumberFormatException | IndexOutOfBoundsException e) {
            return null;
        }
    }

    /** Takes over a file that was made in the same file system. */
    Kept keep(String key, Path made, long epoch, List<String> remarks) throws IOException {
        Files.createDirectories(folder);
        List<String> text = new ArrayList<>();
        text.add(Long.toString(Files.size(made)));
        text.add(Long.toString(epoch));
        text.addAll(remarks);
        Path unfinished = made.resolveSibling(key + TEXT);
        Files.write(unfinished, text);
        Files.move(unfinished, folder.resolve(key + TEXT), StandardCopyOption.ATOMIC_MOVE);
        Path file = folder.resolve(key + PARQUET);
        Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
        makeRoom();
        return new Kept(file, epoch, remarks);
    }

    private void makeRoom() throws IOException {
        record Sized(Path file, Instant used, long bytes) {}
        List<Sized> files = new ArrayList<>();
        try (Stream<Path> all = Files.list(folder)) {
            for (Path file : all.filter(f -> f.toString().endsWith(PARQUET)).toList()) {
                Instant used = Files.getLastModifiedTime(file).toInstant();
                files.add(new Sized(file, used, Files.size(file)));
            }
        }
        files.sort(Comparator.comparing(Sized::used));
        long total = files.stream().mapToLong(Sized::bytes).sum();
        Instant free = Instant.now().minus(IN_USE);
        for (Sized oldest : files) {
            if (total <= mostBytes || oldest.used.isAfter(free)) {
                return;
            }
            String name = oldest.file.getFileName().toString();
            String key = name.substring(0, name.length() - PARQUET.length());
            Files.deleteIfExists(oldest.file);
            Files.deleteIfExists(folder.resolve(key + TEXT));
            total -= oldest.bytes;
        }
    }
}
