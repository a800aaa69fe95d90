package farslot.devices.nvme;

import java.util.Arrays;
import java.util.BitSet;

/** What a namespace should hold: its bytes, and which blocks cannot be read. */
final class DiskModel {
    private final byte[] content;
    private final int blockBytes;
    private final BitSet unreadable = new BitSet();

    DiskModel(int blocks, int blockBytes) {
        this.content = new byte[blocks * blockBytes];
        this.blockBytes = blockBytes;
    }

    int bytes() {
        return content.length;
    }

    int blockBytes() {
        return blockBytes;
    }

    int blocks() {
        return content.length / blockBytes;
    }

    byte[] content() {
        return content;
    }

    byte[] read(int lba, int blocks) {
        return Arrays.copyOfRange(content, lba * blockBytes, (lba + blocks) * blockBytes);
    }

    /** Blocks that are written can be read. */
    void write(int lba, byte[] data) {
        System.arraycopy(data, 0, content, lba * blockBytes, data.length);
        unreadable.clear(lba, lba + data.length / blockBytes);
    }

    void makeUnreadable(int lba, int blocks) {
        unreadable.set(lba, lba + blocks);
    }

    /** Whether one of these blocks cannot be read. */
    boolean isUnreadable(int lba, int blocks) {
        int first = unreadable.nextSetBit(lba);
        return first >= 0 && first < lba + blocks;
    }

    /**
     * Whether one block is what it is here, or all of {@code data} that was to be written there.
     */
    boolean isEither(int lba, byte[] found, byte[] data, int block) {
        int at = block * blockBytes;
        int place = (lba + block) * blockBytes;
        return Arrays.equals(found, at, at + blockBytes, content, place, place + blockBytes)
                || Arrays.equals(found, at, at + blockBytes, data, at, at + blockBytes);
    }
}
