package farslot.recorder;

import static farslot.recorder.TraceFormat.LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * A trace of which only the end is kept, in memory; it becomes a file when it ends. What a process
 * that is killed had in memory is gone.
 */
final class RingStore implements TraceStore {
    private static final int AHEAD = 2;
    private static final int WINDOWS = 16;

    private static final Set<StandardOpenOption> NEW_FILE =
            Set.of(
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);

    private final Path file;
    private final int windowBytes;
    private final int mostWindows;
    private final Deque<Window> windows = new ArrayDeque<>();
    private volatile TraceHeader header;
    private volatile ClockRelation clock;
    private final AtomicLong lost = new AtomicLong();

    /**
     * @throws IOException where the file could not be made, as far as that can be known now
     */
    RingStore(Path file, TraceHeader header, TraceOptions options) throws IOException {
        this.file = file;
        this.header = header;
        header.encode(0); // says now what would be wrong with it
        if (Files.exists(file)) {
            throw new FileAlreadyExistsException(file.toString());
        }
        if (!Files.isDirectory(file.toAbsolutePath().getParent())) {
            throw new NoSuchFileException(file.toString());
        }
        long fitting = Long.highestOneBit(options.ringBytes() / WINDOWS);
        windowBytes = Math.clamp(fitting, TraceFormat.BLOCK_BYTES, options.windowBytes());
        // The last is not full, and behind it there are those that are made before their turn.
        long windows = (options.ringBytes() + windowBytes - 1) / windowBytes + 1 + AHEAD;
        if (windows > 1 << 20) {
            throw new TraceException(
                    "a ring of " + options.ringBytes() + " bytes is longer than there is memory.");
        }
        mostWindows = (int) windows;
    }

    @Override
    public long monotonicNanos() {
        return header.monotonicNanos();
    }

    @Override
    public byte[] header() {
        return header(0);
    }

    private byte[] header(long firstSlot) {
        byte[] bytes;
        try {
            bytes = header.encode(firstSlot);
        } catch (TraceException e) {
            throw new IllegalStateException(e); // it was encoded before
        }
        MemorySegment segment = MemorySegment.ofArray(bytes);
        if (clock != null) {
            TraceHeader.setClock(segment, clock);
        }
        segment.set(TraceFormat.LONG_UNALIGNED, TraceFormat.LOST_AT, lost.get());
        segment.set(TraceFormat.LONG_UNALIGNED, TraceFormat.MAGIC_AT, TraceFormat.MAGIC);
        return bytes;
    }

    @Override
    public int windowBytes() {
        return windowBytes;
    }

    @Override
    public int mostWindows() {
        return mostWindows;
    }

    @Override
    public long mostRecords() {
        return Long.MAX_VALUE;
    }

    @Override
    public long recordsInOne() {
        return Long.MAX_VALUE;
    }

    @Override
    public int mostAhead() {
        return AHEAD;
    }

    /** Memory is used again, unless an event in it has not ended: its thread may still write. */
    @Override
    public Window grow(long index, LongConsumer drop) {
        MemorySegment memory = null;
        if (windows.size() == mostWindows) {
            Window oldest = windows.removeFirst();
            drop.accept(oldest.index());
            memory = isComplete(oldest.memory()) ? oldest.memory().fill((byte) 0) : null;
        }
        if (memory == null) {
            memory = Arena.ofAuto().allocate(windowBytes, 4096);
        }
        Window window = new Window(index, memory);
        windows.addLast(window);
        return window;
    }

    private static boolean isComplete(MemorySegment memory) {
        boolean complete = true;
        for (long at = 0; complete && at < memory.byteSize(); at += TraceFormat.BLOCK_BYTES) {
            complete = BlockSeal.isComplete(memory, at);
        }
        return complete;
    }

    @Override
    public void tend(long slots) {
        // In memory there are no seals.
    }

    @Override
    public void lose(long count) {
        lost.addAndGet(count);
    }

    @Override
    public void clock(ClockRelation relation) {
        clock = relation;
    }

    @Override
    public void origin(TraceOrigin origin) {
        header = header.withOrigin(origin);
    }

    @Override
    public boolean force(MemorySegment piece) {
        return false;
    }

    @Override
    public void force() {
        // There is no disk.
    }

    @Override
    public void abandon() {
        // There is no file.
    }

    @Override
    public void finish(long slots) throws IOException {
        int slotsInWindow = windowBytes / TraceFormat.RECORD_BYTES;
        windows.removeIf(window -> window.index() * slotsInWindow >= slots);
        long firstSlot = windows.isEmpty() ? 0 : windows.getFirst().index() * slotsInWindow;
        byte[] bytes = header(firstSlot);
        try (FileChannel channel = FileChannel.open(file, NEW_FILE, TraceFile.ownersOnly(file))) {
            long at = bytes.length;
            // Threads that are late may still write to the windows: what is sealed is a copy.
            MemorySegment copy = Arena.ofAuto().allocate(windowBytes + TraceFormat.RECORD_BYTES, 8);
            boolean isFirst = firstSlot > 0;
            for (Window window : windows) {
                MemorySegment.copy(window.memory(), 0, copy, 0, windowBytes);
                if (isFirst) {
                    dropContinuations(copy);
                }
                isFirst = false;
                long first = window.index() * slotsInWindow;
                long length = seal(copy, first, Math.min(slotsInWindow, slots - first));
                TraceFile.write(copy.asSlice(0, length).asByteBuffer(), at, channel);
                at += length;
            }
            TraceFile.write(ByteBuffer.wrap(bytes), 0, channel);
            TraceFile.end((at - bytes.length) / TraceFormat.RECORD_BYTES, channel);
        }
    }

    /** What stands first may be the rest of an event that is not kept. */
    private void dropContinuations(MemorySegment memory) {
        for (long at = 0; at < windowBytes; at += TraceFormat.RECORD_BYTES) {
            boolean continues = (memory.get(LONG, at) & 0xFF) == TraceFormat.KIND_CONTINUATION;
            boolean seal = (at / TraceFormat.RECORD_BYTES + 1) % TraceFormat.BLOCK_SLOTS == 0;
            if (!continues && !seal) {
                return;
            }
            memory.set(LONG, at, 0);
        }
    }

    /** Seals a window's blocks; returns up to where it is full. */
    private static long seal(MemorySegment memory, long firstSlot, long slots) {
        long whole = slots / TraceFormat.BLOCK_SLOTS;
        int rest = (int) (slots % TraceFormat.BLOCK_SLOTS);
        for (long block = 0; block < whole; block++) {
            BlockSeal.set(
                    memory,
                    block * TraceFormat.BLOCK_BYTES,
                    firstSlot + block * TraceFormat.BLOCK_SLOTS,
                    TraceFormat.BLOCK_RECORDS);
        }
        if (rest > 0) {
            BlockSeal.set(
                    memory,
                    whole * TraceFormat.BLOCK_BYTES,
                    firstSlot + whole * TraceFormat.BLOCK_SLOTS,
                    rest);
            rest++;
        }
        return (whole * TraceFormat.BLOCK_SLOTS + rest) * TraceFormat.RECORD_BYTES;
    }
}
