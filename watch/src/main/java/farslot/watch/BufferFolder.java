package farslot.watch;

import farslot.recorder.TraceException;
import farslot.recorder.TraceFileNames;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where what is recorded of one function lies until the follower who has begun it has all of it:
 * {@code NAME-PID-NUMBER.fst}, and {@code .1}, {@code .2} ... before it. Of what was never sent to
 * its end, the last stays as {@code NAME-lost.fst}: also of a process that was killed, which the
 * next one for this name finds.
 *
 * <p>Any thread may call.
 */
final class BufferFolder {
    /** Of one buffer. */
    static final int MOST_FILES = 4;

    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final Path folder;
    private final String name;

    private BufferFolder(Path folder, String name) {
        this.folder = folder;
        this.name = name;
    }

    /**
     * The folder, which need not be there yet; what killed processes have left there is put away.
     *
     * @param machine this one's name: of processes elsewhere, which may share the folder, nothing
     *     is known
     * @param talk is told in sentences what was found
     */
    static BufferFolder of(Path folder, String name, String machine, Consumer<String> talk) {
        BufferFolder buffers = new BufferFolder(folder, name);
        if (Files.isDirectory(folder)) {
            try {
                buffers.putAwayLeft(machine, talk);
            } catch (IOException e) {
                talk.accept(
                        "What was left in " + folder + " could not be put away: " + e.getMessage());
            }
        }
        return buffers;
    }

    private void putAwayLeft(String machine, Consumer<String> talk) throws IOException {
        Pattern left = Pattern.compile(Pattern.quote(name) + "-([0-9]{1,18})-[0-9]+\\.fst");
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Matcher matcher = left.matcher(file.getFileName().toString());
                if (matcher.matches()
                        && ProcessHandle.of(Long.parseLong(matcher.group(1))).isEmpty()
                        && isOf(machine, file)) {
                    talk.accept(
                            "A process that recorded "
                                    + name
                                    + " for others was killed; what it had is in "
                                    + putAway(file)
                                    + ".");
                }
            }
        }
    }

    private static boolean isOf(String machine, Path file) {
        try (TraceReader reader = TraceReader.open(file)) {
            return reader.origin().machine().equals(machine);
        } catch (TraceException e) {
            return false; // nothing that could be read anyway
        }
    }

    /** A file that is not there yet. */
    Path next() throws IOException {
        Files.createDirectories(folder);
        return folder.resolve(
                name
                        + "-"
                        + ProcessHandle.current().pid()
                        + "-"
                        + NUMBER.incrementAndGet()
                        + ".fst");
    }

    /** Removes a buffer: the newest of its files, and those before it. */
    void remove(Path buffer) throws IOException {
        TraceFileNames names = new TraceFileNames(buffer);
        for (int number = 0; number < MOST_FILES; number++) {
            Files.deleteIfExists(names.of(number));
        }
    }

    /** Keeps a buffer in place of what was kept before; gives its name from now on. */
    Path putAway(Path buffer) throws IOException {
        TraceFileNames names = new TraceFileNames(buffer);
        TraceFileNames lost = new TraceFileNames(folder.resolve(name + "-lost.fst"));
        for (int number = 0; number < MOST_FILES; number++) {
            Path from = names.of(number);
            if (Files.exists(from)) {
                Files.move(from, lost.of(number), StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.deleteIfExists(lost.of(number));
            }
        }
        return lost.newest();
    }
}
