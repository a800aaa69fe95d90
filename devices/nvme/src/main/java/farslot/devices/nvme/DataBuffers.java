package farslot.devices.nvme;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedDeque;

/**
 * The buffers between the image and the driver's memory, used again and again. As many come to be
 * as there are commands at work at once, which the number of workers bounds.
 */
final class DataBuffers {
    private final int sizeBytes;
    private final ConcurrentLinkedDeque<MemorySegment> free = new ConcurrentLinkedDeque<>();

    DataBuffers(int sizeBytes) {
        this.sizeBytes = sizeBytes;
    }

    MemorySegment take() {
        MemorySegment buffer = free.pollFirst();
        return buffer != null ? buffer : Arena.ofAuto().allocate(sizeBytes, 4096);
    }

    void giveBack(MemorySegment buffer) {
        free.addFirst(buffer);
    }
}
