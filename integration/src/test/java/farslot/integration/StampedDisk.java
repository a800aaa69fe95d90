package farslot.integration;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A disk whose blocks say who wrote them and with which stamp, as the guest's script "stamps" does;
 * and what the guest has told to be flushed, which must be there ever after.
 */
final class StampedDisk {
    static final int BLOCKS = 96;

    private static final int BLOCK_BYTES = 4096;
    private static final int LINE_BYTES = 64;

    /** What NVMe writes whole or not at all (NVMe 1.4, 6.4: AWUN is 1 at least). */
    private static final int SECTOR_BYTES = 512;

    private static final long SIZE_BYTES = 16 << 20;

    /** So many more writes may be done than were told when the machine was ended. */
    private static final int UNTOLD = 100;

    private static final int DIRECT_BLOCKS = 32;
    private static final int BUFFERED_AT_ONCE = 4;

    private static final Pattern TOLD = Pattern.compile("@([AB]) (\\d+) \\2 \\.");
    private static final Pattern READ = Pattern.compile("@R (\\d+) ([AB]) (\\d+) (\\d+) \\.");
    private static final Pattern LINE = Pattern.compile("([AB]) (\\d+) (\\d+) *");

    private final Path file;

    /** By writer, what was told last. */
    private final Map<String, Integer> last = new HashMap<>(Map.of("A", 0, "B", 0));

    /** By block, the stamp that it has at least. */
    private final int[] flushed = new int[BLOCKS];

    private int flushes;

    private StampedDisk(Path file) {
        this.file = file;
    }

    /** Creates the image, each block with stamp 0. */
    static StampedDisk create(Path file) throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        java.nio.file.StandardOpenOption.CREATE_NEW,
                        java.nio.file.StandardOpenOption.WRITE)) {
            for (int block = 0; block < BLOCKS; block++) {
                String line =
                        "%-63s\n".formatted((block < DIRECT_BLOCKS ? "A " : "B ") + block + " 0");
                byte[] bytes =
                        line.repeat(BLOCK_BYTES / LINE_BYTES).getBytes(StandardCharsets.US_ASCII);
                channel.write(ByteBuffer.wrap(bytes), (long) block * BLOCK_BYTES);
            }
            channel.write(ByteBuffer.allocate(1), SIZE_BYTES - 1);
        }
        return new StampedDisk(file);
    }

    Path file() {
        return file;
    }

    /** What the guest is waited for by: that it has told of one more. */
    static Pattern oneMore() {
        return TOLD;
    }

    /** Takes in what the guest has told, from the beginning. */
    void told(String console) {
        flushes = 0;
        Matcher told = TOLD.matcher(console);
        while (told.find()) {
            flushes++;
            int stamp = Integer.parseInt(told.group(2));
            last.merge(told.group(1), stamp, Math::max);
            if (told.group(1).equals("A")) {
                flushed(stamp % DIRECT_BLOCKS, stamp);
            } else {
                int from = DIRECT_BLOCKS + stamp % 16 * BUFFERED_AT_ONCE;
                for (int block = from; block < from + BUFFERED_AT_ONCE; block++) {
                    flushed(block, stamp);
                }
            }
        }
    }

    private void flushed(int block, int stamp) {
        flushed[block] = Math.max(flushed[block], stamp);
    }

    int flushes() {
        return flushes;
    }

    /** How many blocks have been told to be flushed. */
    int flushedBlocks() {
        int count = 0;
        for (int stamp : flushed) {
            count += stamp > 0 ? 1 : 0;
        }
        return count;
    }

    /** Later than all that may have been written. */
    int nextStamp() {
        return Math.max(last.get("A"), last.get("B")) + 1000;
    }

    /** What is wrong with the image. */
    List<String> faultsOfImage() throws IOException {
        List<String> faults = new ArrayList<>();
        byte[] bytes;
        try (var in = Files.newInputStream(file)) {
            bytes = in.readNBytes(BLOCKS * BLOCK_BYTES);
        }
        for (int at = 0; at < bytes.length; at += SECTOR_BYTES) {
            String sector = new String(bytes, at, SECTOR_BYTES, StandardCharsets.ISO_8859_1);
            checkSector(at / BLOCK_BYTES, sector, faults);
        }
        return faults;
    }

    private void checkSector(int block, String sector, List<String> faults) {
        List<String> lines = sector.lines().distinct().toList();
        Matcher line = LINE.matcher(lines.getFirst());
        if (lines.size() != 1 || !line.matches()) {
            faults.add("block " + block + " is torn within a sector: " + lines);
        } else {
            check(block, Integer.parseInt(line.group(2)), line.group(1), line.group(3), faults);
        }
    }

    private void check(int block, int says, String writer, String stamp, List<String> faults) {
        int found = Integer.parseInt(stamp);
        if (says != block || !writer.equals(block < DIRECT_BLOCKS ? "A" : "B")) {
            faults.add("block " + block + " holds block " + says + " of " + writer);
        }
        if (found < flushed[block]) {
            faults.add("block " + block + " has stamp " + found + ", flushed: " + flushed[block]);
        }
        // What the guest told last may not have come through its serial port any more.
        if (found > last.get(writer) + UNTOLD) {
            faults.add("block " + block + " has stamp " + found + " of the future");
        }
    }

    /** What is wrong with what the guest has read, by its last "stamps read". */
    List<String> faultsOfReading(String console) {
        List<String> faults = new ArrayList<>();
        int[] lines = new int[BLOCKS];
        Matcher read = READ.matcher(console);
        while (read.find()) {
            int block = Integer.parseInt(read.group(3));
            lines[block] += Integer.parseInt(read.group(1));
            check(block, block, read.group(2), read.group(4), faults);
        }
        for (int block = 0; block < BLOCKS; block++) {
            // Kernel messages may fall into a line; there is none without one.
            if (lines[block] != BLOCK_BYTES / LINE_BYTES) {
                faults.add("of block " + block + " the guest has read " + lines[block] + " lines");
            }
        }
        return faults;
    }
}
