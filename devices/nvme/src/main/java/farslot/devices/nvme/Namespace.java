package farslot.devices.nvme;

import farslot.block.BlockImage;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * The one namespace: an image cut into logical blocks.
 *
 * @param blockBytes the logical block size
 * @param uuid tells this namespace from all others, and stays with the image
 */
record Namespace(BlockImage image, int blockBytes, UUID uuid) {
    /** How many logical blocks it has. */
    long blocks() {
        return image.sizeBytes() / blockBytes;
    }

    /** A UUID that the same words always give. */
    static UUID uuidOf(String words) {
        return UUID.nameUUIDFromBytes(words.getBytes(StandardCharsets.UTF_8));
    }
}
