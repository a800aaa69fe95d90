package farslot.cli;

import farslot.lender.Audit;
import farslot.lender.AuditEntry;
import farslot.link.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.databind.json.JsonMapper;

/**
 * An audit log: a JSON object in each line, written before what it tells of is answered. Its
 * owner's alone, bounded in size: a full file becomes FILE.1, that FILE.2, and so on, and the
 * oldest goes.
 *
 * <p>A disk that takes no more costs entries, and is said loudly; what is lost is counted in the
 * next line that can be written. It never costs the lending.
 *
 * <p>Any thread may call.
 */
final class AuditLog implements Audit, AutoCloseable {
    static final long MOST_BYTES = 8 << 20;
    static final int OLD_FILES = 3;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
    private static final FileAttribute<?> OWNERS =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final Path file;
    private final long mostBytes;
    private final Consumer<String> talk;
    private FileChannel channel;
    private long lost;
    private boolean torn;

    private AuditLog(Path file, long mostBytes, Consumer<String> talk) {
        this.file = file;
        this.mostBytes = mostBytes;
        this.talk = talk;
    }

    /**
     * Opens a log, and makes it where it is missing.
     *
     * @param mostBytes of one file
     * @param talk is told when nothing can be written
     * @throws IOException where it cannot be opened
     */
    static AuditLog open(Path file, long mostBytes, Consumer<String> talk) throws IOException {
        AuditLog log = new AuditLog(file, mostBytes, talk);
        log.openFile();
        return log;
    }

    /** A verb's log: the file that was asked for, the usual one of this name, or none. */
    static Audit forLender(
            String name, String asked, Foreground foreground, Consumer<String> talk) {
        if ("none".equals(asked)) {
            return Audit.NONE;
        }
        if (asked == null) {
            // Made with its first line: whoever cannot even begin to lend leaves nothing behind.
            Path usual = UserFolders.state().resolve("audit").resolve(name + ".jsonl");
            return foreground.own(new AuditLog(usual, MOST_BYTES, talk));
        }
        Path file = Path.of(asked);
        try {
            return foreground.own(open(file, MOST_BYTES, talk));
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "The audit log "
                            + file
                            + " cannot be opened ("
                            + e
                            + "). Give --audit FILE, or --audit none to lend without one.",
                    e);
        }
    }

    private void openFile() throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(
                    folder,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        }
        try {
            Files.createFile(file, OWNERS);
        } catch (FileAlreadyExistsException there) {
            if (Files.isRegularFile(file)) {
                Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            }
        }
        channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    }

    @Override
    public synchronized void record(AuditEntry entry) {
        try {
            if (channel == null) {
                openFile();
            }
            byte[] line = line(members(entry));
            if (lost == 0) {
                write(line);
                return;
            }
            byte[] gap =
                    line(Map.of("time", TIME.format(Instant.now()), "what", "lost", "lines", lost));
            write(ByteBuffer.allocate(gap.length + line.length).put(gap).put(line).array());
            talk.accept("The audit log " + file + " goes on; " + lost + " lines are lost.");
            lost = 0;
        } catch (IOException e) {
            lost++;
            if (lost == 1) {
                talk.accept(
                        "THE AUDIT LOG "
                                + file
                                + " CANNOT BE WRITTEN: "
                                + e.getMessage()
                                + ". Lending goes on, and what happens is not written down.");
            }
        }
    }

    private static Map<String, Object> members(AuditEntry entry) {
        Map<String, Object> members = new LinkedHashMap<>();
        members.put("time", TIME.format(entry.time()));
        members.put("what", entry.what());
        Peer who = entry.who();
        if (who != null) {
            members.put("subject", who.subject());
            members.put("identity", who.identity());
            members.put("name", who.name());
            members.put("address", who.address());
        }
        members.put("action", entry.action());
        members.put("function", entry.function());
        if (entry.epoch() != 0) {
            members.put("epoch", entry.epoch());
        }
        members.put("why", entry.why());
        return members;
    }

    private static byte[] line(Map<String, Object> members) {
        String json = JsonMapper.shared().writeValueAsString(members);
        return (json + "\n").getBytes(StandardCharsets.UTF_8);
    }

    private void write(byte[] lines) throws IOException {
        if (channel.size() > 0 && channel.size() + lines.length > mostBytes) {
            turnOver();
        }
        if (torn) {
            // What could be written of a line before stays a line of its own.
            writeAll(new byte[] {'\n'});
        }
        torn = true;
        writeAll(lines);
        torn = false;
    }

    private void writeAll(byte[] bytes) throws IOException {
        ByteBuffer left = ByteBuffer.wrap(bytes);
        while (left.hasRemaining()) {
            channel.write(left);
        }
    }

    private void turnOver() throws IOException {
        channel.close();
        channel = null;
        for (int number = OLD_FILES - 1; number >= 0; number--) {
            try {
                Files.move(old(number), old(number + 1), StandardCopyOption.REPLACE_EXISTING);
            } catch (NoSuchFileException none) {
                // There were not so many yet.
            }
        }
        openFile();
    }

    private Path old(int number) {
        return number == 0 ? file : file.resolveSibling(file.getFileName() + "." + number);
    }

    @Override
    public synchronized void close() throws IOException {
        if (channel != null) {
            channel.close();
        }
    }
}
