package farslot.recorder;

import static farslot.recorder.TraceFormat.LONG;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;

/**
 * One file of a trace, while it is written: its header, its windows, its seals.
 *
 * <p>For one thread, but that any may call {@link #lose}, {@link #clock} and {@link #force()}, and
 * writes to the windows.
 */
final class TraceFile {
    private static final System.Logger LOG = System.getLogger("farslot.recorder");

    private static final Set<StandardOpenOption> NEW_FILE =
            Set.of(
                    StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);

    private final FileChannel channel;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment header;
    private final long firstSlot;
    private final long mostSlots;
    private final int windowBytes;
    private final List<Window> windows = new ArrayList<>();
    private final ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 16);

    /** Whole blocks that had not ended when they were looked at, by index in this file. */
    private final Deque<Long> unsealed = new ArrayDeque<>();

    /** Blocks that were looked at. */
    private long visited;

    /** Whether its header says that nothing more comes. Guarded by this. */
    private boolean ended;

    private TraceFile(
            FileChannel channel, byte[] header, long firstSlot, long mostSlots, int windowBytes)
            throws IOException {
        this.channel = channel;
        this.firstSlot = firstSlot;
        this.mostSlots = mostSlots;
        this.windowBytes = windowBytes;
        ByteBuffer bytes = ByteBuffer.wrap(header);
        while (bytes.hasRemaining()) {
            channel.write(bytes, bytes.position());
        }
        this.header = channel.map(FileChannel.MapMode.READ_WRITE, 0, header.length, arena);
    }

    /**
     * Makes the file; it is no trace before {@link #publish}.
     *
     * @param firstSlot the number of its first slot
     * @param mostSlots how many it has room for
     * @throws IOException where it exists or cannot be made; nothing is left of it
     */
    static TraceFile create(
            Path file, byte[] header, long firstSlot, long mostSlots, int windowBytes)
            throws IOException {
        FileChannel channel = FileChannel.open(file, NEW_FILE, ownersOnly(file));
        try {
            return new TraceFile(channel, header, firstSlot, mostSlots, windowBytes);
        } catch (IOException e) {
            abandon(file, channel);
            throw e;
        }
    }

    /** A trace may hold what a disk holds: nobody else reads it unless its owner lets them. */
    static FileAttribute<?>[] ownersOnly(Path file) {
        return file.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    /** Leaves nothing of a trace that could not be made. */
    static void abandon(Path file, FileChannel channel) {
        if (channel == null) {
            return;
        }
        try (channel) {
            Files.delete(file);
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "removing an unfinished trace", e);
        }
    }

    /** Leaves nothing of a file that could not be begun. */
    void abandon(Path file) {
        arena.close();
        abandon(file, channel);
    }

    /** From now on it is a trace. */
    void publish() {
        TraceFormat.LONG_HANDLE.setRelease(header, (long) TraceFormat.MAGIC_AT, TraceFormat.MAGIC);
    }

    /** What is in front of the first record, as it is at this moment. */
    byte[] header() {
        return header.toArray(ValueLayout.JAVA_BYTE);
    }

    /** The slot behind its last. */
    long endSlot() {
        return firstSlot + mostSlots;
    }

    /**
     * The next window. Zeros are written before they are mapped: a full disk is an error of the
     * write here, and not a fault of the thread that records there later.
     */
    Window grow(long index) throws IOException {
        long at = header.byteSize() + (long) windows.size() * windowBytes;
        long end = header.byteSize() + mostSlots * TraceFormat.RECORD_BYTES;
        long size = Math.min(windowBytes, end - at);
        for (long done = 0; done < size; ) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), size - done));
            done += channel.write(zeros, at + done);
        }
        MemorySegment memory = channel.map(FileChannel.MapMode.READ_WRITE, at, size, arena);
        for (long page = 0; page < size; page += 4096) {
            memory.set(LONG, page, 0); // the page is there, writable, before anybody needs it
        }
        Window window = new Window(index, memory);
        windows.add(window);
        return window;
    }

    /**
     * Seals the whole blocks that are complete.
     *
     * @param slots how many of the trace are taken
     * @return whether all that are taken of this file are sealed
     */
    boolean seal(long slots) {
        long blocks = (Math.min(slots, endSlot()) - firstSlot) / TraceFormat.BLOCK_SLOTS;
        for (; visited < blocks; visited++) {
            unsealed.add(visited);
        }
        unsealed.removeIf(this::sealed);
        return unsealed.isEmpty();
    }

    private boolean sealed(long block) {
        long at = block * TraceFormat.BLOCK_BYTES;
        MemorySegment memory = windows.get((int) (at / windowBytes)).memory();
        at %= windowBytes;
        if (!BlockSeal.isComplete(memory, at)) {
            return false;
        }
        BlockSeal.set(memory, at, numberOf(block), TraceFormat.BLOCK_RECORDS);
        return true;
    }

    private long numberOf(long block) {
        return firstSlot + block * TraceFormat.BLOCK_SLOTS;
    }

    /** Counts what was lost; false where it has been ended, and it is to be counted elsewhere. */
    synchronized boolean lose(long count) {
        if (ended) {
            return false;
        }
        TraceFormat.LONG_HANDLE.getAndAdd(header, (long) TraceFormat.LOST_AT, count);
        return true;
    }

    synchronized void clock(ClockRelation relation) {
        TraceHeader.setClock(header, relation);
    }

    /**
     * Says that nothing more comes: all its slots are sealed. They can be read until it is
     * finished.
     */
    synchronized void end() throws IOException {
        if (!ended) {
            ended = true;
            end(mostSlots, channel);
        }
    }

    /** Writes all to the disk. */
    void force() throws IOException {
        channel.force(false);
    }

    /**
     * Seals the rest, cuts the file behind its last seal, and closes it. What threads write to its
     * windows from now on throws {@link IllegalStateException}.
     *
     * @param slots how many of the trace are taken
     */
    void finish(long slots) throws IOException {
        synchronized (this) {
            ended = true;
            arena.close();
        }
        try (channel) {
            // It may have been begun before there was anything for it.
            seal(Math.max(0, Math.min(slots, endSlot()) - firstSlot), channel);
        }
    }

    private void seal(long taken, FileChannel to) throws IOException {
        long blocks = taken / TraceFormat.BLOCK_SLOTS;
        int records = (int) (taken % TraceFormat.BLOCK_SLOTS);
        long end = taken;
        for (; visited < blocks; visited++) {
            unsealed.add(visited);
        }
        try (Arena here = Arena.ofConfined()) {
            MemorySegment block = here.allocate(TraceFormat.BLOCK_BYTES, Long.BYTES);
            for (long index : unsealed) {
                seal(index, TraceFormat.BLOCK_RECORDS, block, to);
            }
            if (records > 0) {
                seal(blocks, records, block, to);
                end++;
            }
        }
        end(end, to);
        long bytes = placeOf(end);
        if (bytes < to.size()) {
            to.truncate(bytes);
        }
    }

    private void seal(long index, int records, MemorySegment block, FileChannel to)
            throws IOException {
        long at = placeOf(index * TraceFormat.BLOCK_SLOTS);
        long bytes = (long) records * TraceFormat.RECORD_BYTES;
        ByteBuffer all = block.asSlice(0, bytes).asByteBuffer();
        read(all, at, to);
        BlockSeal.set(block, 0, numberOf(index), records);
        write(block.asSlice(bytes, TraceFormat.RECORD_BYTES).asByteBuffer(), at + bytes, to);
    }

    /** Says in the header that the file has been ended, with so many slots. */
    static void end(long slots, FileChannel to) throws IOException {
        int length = TraceFormat.STATE_CHECK_AT - TraceFormat.STATE_AT;
        ByteBuffer state =
                ByteBuffer.allocate(length + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        read(state, TraceFormat.STATE_AT, to);
        state.putInt(0, TraceFormat.STATE_CLOSED);
        state.putLong(TraceFormat.SLOTS_AT - TraceFormat.STATE_AT, slots);
        CRC32C check = new CRC32C();
        check.update(state.array(), 0, length);
        state.putInt(length, (int) check.getValue());
        write(state.rewind(), TraceFormat.STATE_AT, to);
    }

    /** Reads a piece that is there. */
    static void read(ByteBuffer into, long at, FileChannel from) throws IOException {
        int more = 0;
        while (into.hasRemaining() && more >= 0) {
            more = from.read(into, at + into.position());
        }
    }

    static void write(ByteBuffer bytes, long at, FileChannel to) throws IOException {
        while (bytes.hasRemaining()) {
            to.write(bytes, at + bytes.position());
        }
    }

    private long placeOf(long slot) {
        return header.byteSize() + slot * TraceFormat.RECORD_BYTES;
    }
}
