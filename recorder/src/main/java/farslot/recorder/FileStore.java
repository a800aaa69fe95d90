package farslot.recorder;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.function.LongConsumer;

/**
 * A trace in files: one, or the last few, of which {@code FILE} is the newest, {@code FILE.1} the
 * one before it, and so on.
 */
final class FileStore implements TraceStore {
    private static final int MOST_AHEAD = 16;

    /** How many whole files behind the newest stay mapped, for who reads along. */
    private static final int MOST_WHOLE = 3;

    private final TraceFileNames names;
    private volatile TraceHeader header;
    private final int files;
    private final int windowBytes;
    private final long slotsInOne;

    /** Those that are not ended, the newest last. */
    private final Deque<TraceFile> open = new ConcurrentLinkedDeque<>();

    private volatile TraceFile newest;
    private volatile ClockRelation clock;

    /**
     * Makes the first file.
     *
     * @throws IOException where it cannot be made; nothing is left of it
     */
    FileStore(Path file, TraceHeader header, TraceOptions options) throws IOException {
        this.names = new TraceFileNames(file);
        this.header = header;
        this.files = options.files();
        this.windowBytes = options.windowBytes();
        byte[] first = header.encode(0);
        this.slotsInOne = slotsInOne(first.length, options);
        for (int number = 1; number < files; number++) {
            if (Files.exists(names.of(number))) {
                throw new TraceException(
                        names.of(number)
                                + " exists, and this trace would come to need the name; move it"
                                + " away or give another one.");
            }
        }
        newest = TraceFile.create(file, first, 0, slotsInOne, windowBytes);
        open.addLast(newest);
    }

    private long slotsInOne(int headerBytes, TraceOptions options) throws TraceException {
        long room = options.limitBytes() - headerBytes;
        long bytes = files > 1 ? room / windowBytes * windowBytes : room;
        if (bytes < TraceFormat.BLOCK_BYTES) {
            throw new TraceException(
                    "A limit of "
                            + options.limitBytes()
                            + " bytes leaves no room for a trace: its header takes "
                            + headerBytes
                            + ", and it grows by "
                            + windowBytes
                            + ".");
        }
        return bytes / TraceFormat.RECORD_BYTES;
    }

    @Override
    public long monotonicNanos() {
        return header.monotonicNanos();
    }

    @Override
    public byte[] header() {
        return newest.header();
    }

    @Override
    public int windowBytes() {
        return windowBytes;
    }

    private long windowsInOne() {
        return (slotsInOne * TraceFormat.RECORD_BYTES + windowBytes - 1) / windowBytes;
    }

    @Override
    public int mostWindows() {
        long windows = windowsInOne() * (files > 1 ? files + 1 : 1);
        return (int) Math.min(windows, Integer.MAX_VALUE);
    }

    @Override
    public long mostRecords() {
        return files > 1 ? Long.MAX_VALUE : recordsInOne();
    }

    @Override
    public long recordsInOne() {
        long blocks = slotsInOne / TraceFormat.BLOCK_SLOTS;
        // The last slot of the last block is its seal's, whole or not.
        long rest = Math.max(0, slotsInOne % TraceFormat.BLOCK_SLOTS - 1);
        return blocks * TraceFormat.BLOCK_RECORDS + rest;
    }

    @Override
    public int mostAhead() {
        return (int) Math.min(MOST_AHEAD, windowsInOne());
    }

    @Override
    public Window grow(long index, LongConsumer drop) throws IOException {
        if (index == 0) {
            return beginWith(index, newest);
        }
        return index % windowsInOne() == 0 ? goOn(index, drop) : newest.grow(index);
    }

    private Window beginWith(long index, TraceFile begun) throws IOException {
        Window window = begun.grow(index);
        begun.publish();
        return window;
    }

    /** Begins the next file, and removes the oldest where there are too many. */
    private Window goOn(long index, LongConsumer drop) throws IOException {
        Path next = names.newest().resolveSibling(names.newest().getFileName() + ".next");
        long firstSlot = newest.endSlot();
        byte[] bytes = header.encode(firstSlot);
        TraceFile begun = TraceFile.create(next, bytes, firstSlot, slotsInOne, windowBytes);
        Window window;
        try {
            window = beginWith(index, begun);
            names.moveOn(files);
            Files.move(next, names.newest(), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            begun.abandon(next);
            throw e;
        }
        for (long gone = index - files * windowsInOne(), i = 0; i < windowsInOne(); i++) {
            drop.accept(gone + i);
        }
        if (open.size() == files) {
            open.removeFirst().finish(firstSlot);
        }
        if (clock != null) {
            begun.clock(clock);
        }
        open.addLast(begun);
        newest = begun;
        return window;
    }

    @Override
    public void tend(long slots) throws IOException {
        int behind = open.size() - 1;
        Iterator<TraceFile> files = open.iterator();
        while (files.hasNext()) {
            TraceFile one = files.next();
            if (!one.seal(slots) || one == newest || slots < one.endSlot()) {
                continue;
            }
            if (behind > MOST_WHOLE) {
                files.remove();
                behind--;
                one.finish(slots);
            } else {
                one.end();
            }
        }
    }

    @Override
    public void lose(long count) {
        TraceFile to;
        do {
            to = newest;
        } while (!to.lose(count) && to != newest);
    }

    @Override
    public void clock(ClockRelation relation) {
        clock = relation;
        newest.clock(relation);
    }

    @Override
    public void origin(TraceOrigin origin) {
        header = header.withOrigin(origin);
    }

    @Override
    public boolean force(MemorySegment piece) {
        piece.force();
        return true;
    }

    @Override
    public void force() throws IOException {
        for (TraceFile one : open) {
            one.force();
        }
    }

    @Override
    public void abandon() {
        newest.abandon(names.newest());
    }

    @Override
    public void finish(long slots) throws IOException {
        while (!open.isEmpty()) {
            open.removeFirst().finish(slots);
        }
    }
}
