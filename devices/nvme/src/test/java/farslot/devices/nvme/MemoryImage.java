package farslot.devices.nvme;

import farslot.block.BlockImage;
import farslot.block.ImageException;
import farslot.block.ImageFullException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/** An image in memory that can fail, or hold what is asked of it until it is let go. */
final class MemoryImage implements BlockImage {
    private final MemorySegment bytes;
    private boolean closed;
    final AtomicInteger flushes = new AtomicInteger();
    final AtomicInteger waiting = new AtomicInteger();
    final AtomicInteger writes = new AtomicInteger();
    volatile boolean failing;
    volatile boolean full;
    volatile boolean holes = true;

    MemoryImage(long sizeBytes) {
        bytes = Arena.ofAuto().allocate(sizeBytes);
    }

    MemorySegment bytes() {
        return bytes;
    }

    /** Nothing passes until it is opened. */
    synchronized void closeGate() {
        closed = true;
    }

    synchronized void openGate() {
        closed = false;
        notifyAll();
    }

    private synchronized void pass() throws IOException {
        waiting.incrementAndGet();
        try {
            while (closed) {
                wait();
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        waiting.decrementAndGet();
        if (failing) {
            throw new ImageException("The test's image fails.");
        }
    }

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public long sizeBytes() {
        return bytes.byteSize();
    }

    @Override
    public void read(long offset, MemorySegment into) throws IOException {
        pass();
        into.copyFrom(bytes.asSlice(offset, into.byteSize()));
    }

    @Override
    public void write(long offset, MemorySegment from) throws IOException {
        pass();
        if (full) {
            throw new ImageFullException("The test's image is full.", null);
        }
        bytes.asSlice(offset, from.byteSize()).copyFrom(from);
        writes.incrementAndGet();
    }

    @Override
    public void flush() throws IOException {
        pass();
        flushes.incrementAndGet();
    }

    @Override
    public void writeZeroes(long offset, long lengthBytes, boolean mayDiscard) throws IOException {
        pass();
        bytes.asSlice(offset, lengthBytes).fill((byte) 0);
        writes.incrementAndGet();
    }

    @Override
    public void discard(long offset, long lengthBytes) throws IOException {
        pass();
        if (holes) {
            bytes.asSlice(offset, lengthBytes).fill((byte) 0);
            writes.incrementAndGet();
        }
    }

    @Override
    public boolean discardReadsZeroes() {
        return holes;
    }

    @Override
    public void close() {}
}
