package farslot.devices.nvme;

import farslot.block.BlockImage;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * A namespace: an image cut into logical blocks (NVMe 1.4, 6.1).
 *
 * <p><b>Threads.</b> Any thread may call, several at once; calls block as those of the image do.
 */
final class Namespace implements Closeable {
    private final BlockImage image;
    private final int blockBytes;
    private final UUID uuid;
    private final UncorrectableBlocks uncorrectable;

    /**
     * @param image closed with the namespace
     * @param blockBytes the logical block size
     * @param uuid tells this namespace from all others, and stays with the image
     * @param uncorrectable of the image
     */
    Namespace(BlockImage image, int blockBytes, UUID uuid, UncorrectableBlocks uncorrectable) {
        this.image = image;
        this.blockBytes = blockBytes;
        this.uuid = uuid;
        this.uncorrectable = uncorrectable;
    }

    /** A UUID that the same words always give. */
    static UUID uuidOf(String words) {
        return UUID.nameUUIDFromBytes(words.getBytes(StandardCharsets.UTF_8));
    }

    UUID uuid() {
        return uuid;
    }

    int blockBytes() {
        return blockBytes;
    }

    /** How many logical blocks it has. */
    long blocks() {
        return image.sizeBytes() / blockBytes;
    }

    /** Whether deallocated blocks read as zeros. */
    boolean deallocatedReadsZeroes() {
        return image.discardReadsZeroes();
    }

    /** Reads blocks; refused where one of them is marked uncorrectable. */
    void read(long lba, MemorySegment into) throws IOException, CommandException {
        image.read(lba * blockBytes, into);
        long bad = uncorrectable.firstIn(lba, into.byteSize() / blockBytes);
        if (bad >= 0) {
            throw CommandException.ofBlock(StatusCode.BLOCK_UNCORRECTABLE, bad);
        }
    }

    /** Writes blocks, which are good again then. */
    void write(long lba, MemorySegment from) throws IOException {
        long blocks = from.byteSize() / blockBytes;
        uncorrectable.checkClearable(lba, blocks);
        image.write(lba * blockBytes, from);
        uncorrectable.clear(lba, blocks);
    }

    void writeZeroes(long lba, long blocks, boolean mayDeallocate) throws IOException {
        uncorrectable.checkClearable(lba, blocks);
        image.writeZeroes(
                lba * blockBytes, blocks * blockBytes, mayDeallocate && image.discardReadsZeroes());
        uncorrectable.clear(lba, blocks);
    }

    /** Deallocates blocks, where the image can: a hint only, elsewhere nothing happens. */
    void deallocate(long lba, long blocks) throws IOException {
        if (image.discardReadsZeroes()) {
            uncorrectable.checkClearable(lba, blocks);
            image.discard(lba * blockBytes, blocks * blockBytes);
            uncorrectable.clear(lba, blocks);
        }
    }

    /** Makes reads of these blocks fail until they are written. */
    void markUncorrectable(long lba, long blocks) throws IOException {
        uncorrectable.mark(lba, blocks);
    }

    /** Returns when all that has returned before it would survive a power failure. */
    void flush() throws IOException {
        // Marks that a write clears while the image is flushed stay in the file until the next.
        UncorrectableBlocks.Snapshot marks = uncorrectable.snapshot();
        image.flush();
        uncorrectable.store(marks);
    }

    @Override
    public void close() throws IOException {
        try {
            flush();
        } finally {
            image.close();
        }
    }
}
