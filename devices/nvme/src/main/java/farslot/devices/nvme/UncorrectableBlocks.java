package farslot.devices.nvme;

import farslot.block.ImageException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;

/**
 * The blocks that Write Uncorrectable has made unreadable, until they are written again (NVMe 1.4,
 * 6.16). An image has no place for that, so they are kept in a file beside it, a range of blocks a
 * line: the first, and how many. The file is there while there are such blocks; it is written when
 * the image is flushed, so marks are as durable as data.
 *
 * <p><b>Threads.</b> Any thread may call.
 */
final class UncorrectableBlocks {
    /** More ranges would only be made by a driver that means harm. */
    static final int MAX_RANGES = 1 << 16;

    /** Null where they are kept in memory only. */
    private final Path file;

    /** The first block of each range, and the block behind it; ranges do not touch. */
    private final TreeMap<Long, Long> ranges = new TreeMap<>();

    /** So that nobody takes the lock as long as there are none. */
    private volatile boolean any;

    private long changes;
    private long stored;

    private UncorrectableBlocks(Path file) {
        this.file = file;
    }

    /** None, and forgotten with this object. */
    static UncorrectableBlocks inMemory() {
        return new UncorrectableBlocks(null);
    }

    /**
     * Those that a file names; none if there is no such file.
     *
     * @throws ImageException whose message is a sentence for the user, where it cannot be read
     */
    static UncorrectableBlocks of(Path file) throws ImageException {
        UncorrectableBlocks blocks = new UncorrectableBlocks(file);
        try {
            if (Files.exists(file)) {
                for (String line : Files.readAllLines(file, StandardCharsets.US_ASCII)) {
                    String[] words = line.split(" ", 2);
                    blocks.mark(Long.parseLong(words[0]), Long.parseLong(words[1]));
                }
                blocks.stored = blocks.changes;
            }
        } catch (IOException | NumberFormatException | IndexOutOfBoundsException e) {
            throw new ImageException(
                    "The list of unreadable blocks "
                            + file
                            + " cannot be read: "
                            + e.getMessage()
                            + "; remove it if its image is whole.",
                    e);
        }
        return blocks;
    }

    void mark(long first, long count) throws ImageException {
        if (first < 0 || count <= 0 || first > Long.MAX_VALUE - count) {
            throw new ImageException("blocks " + first + " " + count + " are no range");
        }
        synchronized (this) {
            if (ranges.size() >= MAX_RANGES) {
                throw tooMany();
            }
            long start = first;
            long end = first + count;
            Map.Entry<Long, Long> touching = ranges.floorEntry(end);
            while (touching != null && touching.getValue() >= start) {
                start = Math.min(start, touching.getKey());
                end = Math.max(end, touching.getValue());
                ranges.remove(touching.getKey());
                touching = ranges.floorEntry(end);
            }
            ranges.put(start, end);
            changes++;
            any = true;
        }
    }

    /** Refuses a write that would cut a range in two where there are as many as may be. */
    void checkClearable(long first, long count) throws ImageException {
        if (any) {
            synchronized (this) {
                if (ranges.size() >= MAX_RANGES && firstIn(first, count) >= 0) {
                    throw tooMany();
                }
            }
        }
    }

    private ImageException tooMany() {
        return new ImageException(
                "More than " + MAX_RANGES + " ranges of blocks are marked as unreadable.");
    }

    void clear(long first, long count) {
        if (!any) {
            return;
        }
        synchronized (this) {
            long end = first + count;
            Map.Entry<Long, Long> hit = ranges.lowerEntry(end);
            while (hit != null && hit.getValue() > first) {
                ranges.remove(hit.getKey());
                if (hit.getKey() < first) {
                    ranges.put(hit.getKey(), first);
                }
                if (hit.getValue() > end) {
                    ranges.put(end, hit.getValue());
                }
                changes++;
                hit = ranges.lowerEntry(end);
            }
            any = !ranges.isEmpty();
        }
    }

    /** The first of these blocks that is marked, or -1. */
    long firstIn(long first, long count) {
        if (!any) {
            return -1;
        }
        synchronized (this) {
            Map.Entry<Long, Long> before = ranges.floorEntry(first);
            if (before != null && before.getValue() > first) {
                return first;
            }
            Long next = ranges.ceilingKey(first);
            return next != null && next < first + count ? next : -1;
        }
    }

    /**
     * What is marked at a moment.
     *
     * @param text as the file has it; null where the file has all that
     */
    record Snapshot(long changes, String text) {}

    synchronized Snapshot snapshot() {
        if (file == null || stored == changes) {
            return new Snapshot(changes, null);
        }
        StringBuilder text = new StringBuilder();
        ranges.forEach(
                (first, end) -> text.append(first).append(' ').append(end - first).append('\n'));
        return new Snapshot(changes, text.toString());
    }

    /** Makes a snapshot survive a power failure, unless a later one does already. */
    synchronized void store(Snapshot snapshot) throws IOException {
        if (snapshot.text == null || snapshot.changes <= stored) {
            return;
        }
        if (snapshot.text.isEmpty()) {
            Files.deleteIfExists(file);
        } else {
            Path fresh = file.resolveSibling(file.getFileName() + ".new");
            writeThrough(fresh, snapshot.text);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        }
        try (FileChannel folder =
                FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            folder.force(true);
        }
        stored = snapshot.changes;
    }

    private static void writeThrough(Path path, String text) throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        path,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            ByteBuffer bytes = StandardCharsets.US_ASCII.encode(text);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }
}
