package farslot.recorder;

import static farslot.recorder.TraceFormat.INT;
import static farslot.recorder.TraceFormat.LONG;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionDescription;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Reads a trace: also one that is still being written, or whose writer was killed. Everything is
 * checked; what is damaged is passed over and counted, and the rest is given.
 *
 * <p>For one thread at a time.
 */
public final class TraceReader implements AutoCloseable {
    private static final int MAX_REMARKS = 8;

    private final Path file;
    private final Arena arena;
    private final MemorySegment trace;
    private long slots;
    private final FunctionDescription description;
    private final List<String> remarks = new ArrayList<>();
    private final long lost;
    private long next;
    private long damaged;
    private long firstDamaged;
    private long unfinished;
    private long unknown;

    /** Empty slots since the last record: unfinished ones if another record follows. */
    private long emptyRun;

    private TraceReader(Path file, Arena arena, MemorySegment trace) throws TraceException {
        this.file = file;
        this.arena = arena;
        this.trace = trace;
        checkIdentity();
        this.slots = (trace.byteSize() - TraceFormat.HEADER_BYTES) / TraceFormat.RECORD_BYTES;
        checkHeader();
        this.description = readDescription();
        this.lost = Math.max(0, trace.get(LONG, TraceFormat.LOST_AT));
    }

    /**
     * Opens a trace.
     *
     * @throws TraceException where there is none, or it is no trace, or one of a newer version
     */
    @SuppressWarnings("MustBeClosed") // by the reader's own close
    public static TraceReader open(Path file) throws TraceException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment trace =
                    channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new TraceReader(file, arena, trace);
        } catch (IOException e) {
            arena.close();
            throw e instanceof TraceException sentence ? sentence : unreadable(file, e);
        } catch (InternalError e) { // the file was cut short while it was read
            arena.close();
            throw unreadable(file, e);
        }
    }

    private static TraceException unreadable(Path file, Throwable e) {
        String why =
                switch (e) {
                    case java.nio.file.NoSuchFileException none -> "there is no such file";
                    case java.nio.file.AccessDeniedException denied -> "this user may not read it";
                    case InternalError cut -> "it was cut short while it was read";
                    default -> e.getMessage();
                };
        return new TraceException("The trace " + file + " cannot be read: " + why + ".", e);
    }

    private void checkIdentity() throws TraceException {
        if (trace.byteSize() < TraceFormat.HEADER_BYTES
                || trace.get(LONG, TraceFormat.MAGIC_AT) != TraceFormat.MAGIC) {
            throw new TraceException(
                    file
                            + " is not a Farslot trace: it does not begin as one, or it ends"
                            + " before its first record.");
        }
        int major = trace.get(TraceFormat.SHORT_UNALIGNED, TraceFormat.MAJOR_AT) & 0xFFFF;
        if (major != TraceFormat.VERSION_MAJOR) {
            throw new TraceException(
                    "The trace "
                            + file
                            + " is of format version "
                            + major
                            + ", and this Farslot reads version "
                            + TraceFormat.VERSION_MAJOR
                            + "; read it with the Farslot that wrote it, or a newer one.");
        }
    }

    private void checkHeader() {
        CRC32C check = new CRC32C();
        check.update(
                trace.asSlice(
                                TraceFormat.MAJOR_AT,
                                TraceFormat.HEADER_CHECK_AT - TraceFormat.MAJOR_AT)
                        .toArray(ValueLayout.JAVA_BYTE));
        if ((int) check.getValue() != trace.get(INT, TraceFormat.HEADER_CHECK_AT)) {
            remark("The header is damaged: the time of day may be wrong.");
        }
    }

    private FunctionDescription readDescription() {
        int length = trace.get(INT, TraceFormat.DESCRIPTION_LENGTH_AT);
        if (length >= 0 && length <= TraceFormat.MAX_DESCRIPTION_BYTES) {
            byte[] bytes =
                    trace.asSlice(TraceFormat.DESCRIPTION_AT, length)
                            .toArray(ValueLayout.JAVA_BYTE);
            CRC32C check = new CRC32C();
            check.update(bytes);
            FunctionDescription found = TraceDescription.decode(bytes);
            boolean intact =
                    (int) check.getValue() == trace.get(INT, TraceFormat.DESCRIPTION_CHECK_AT);
            if (intact && found != null) {
                return found;
            }
        }
        remark("The function's description is damaged: registers cannot be named.");
        return TraceDescription.UNKNOWN;
    }

    public Path file() {
        return file;
    }

    /** The function that was recorded; one of the kind "unknown" where that is damaged. */
    public FunctionDescription description() {
        return description;
    }

    /** When the trace began, by the clock of the computer that wrote it. */
    public Instant began() {
        long nanos = trace.get(LONG, TraceFormat.ANCHOR_WALL_AT);
        return Instant.ofEpochSecond(
                Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
    }

    /** Whether the writer ended the trace; else it still writes, or was killed. */
    public boolean closed() {
        return trace.get(INT, TraceFormat.STATE_AT) == TraceFormat.STATE_CLOSED;
    }

    /** How many events the writer could not keep, because of its limit or a full disk. */
    public long lost() {
        return lost;
    }

    /** How many records, of those that were passed so far, are damaged. */
    public long damaged() {
        return damaged;
    }

    /** How many records, of those that were passed so far, were never completed. */
    public long unfinished() {
        return unfinished;
    }

    /** What the reader of this trace should know, in sentences. */
    public List<String> remarks() {
        List<String> all = new ArrayList<>(remarks);
        if (lost > 0) {
            all.add(
                    lost
                            + " events found no room (limit or full disk) and are missing at the"
                            + " end.");
        }
        if (damaged > 0) {
            all.add(
                    String.format(
                            "%d records are damaged and were passed over; the first is number %d,"
                                    + " at 0x%x of the file.",
                            damaged, firstDamaged, placeOf(firstDamaged)));
        }
        if (unknown > 0) {
            all.add(unknown + " events are of kinds that only a newer Farslot knows.");
        }
        if (unfinished > 0) {
            all.add(
                    unfinished
                            + " records were begun and never finished: their threads were"
                            + " stopped.");
        }
        return all;
    }

    private void remark(String sentence) {
        if (remarks.size() < MAX_REMARKS) {
            remarks.add(sentence);
        }
    }

    /**
     * The next event, or null at the end.
     *
     * @throws TraceException where the file cannot be read on
     */
    public TraceEvent next() throws TraceException {
        try {
            while (next < slots) {
                long slot = next++;
                long at = placeOf(slot);
                long commit = commitOf(at, slot);
                if (commit == 0) {
                    emptyRun++;
                    continue;
                }
                unfinished += emptyRun;
                emptyRun = 0;
                if (!intact(at, slot, commit)) {
                    countDamaged(slot);
                    continue;
                }
                int kind = (int) commit & 0xFF;
                if (kind == TraceFormat.KIND_CONTINUATION) {
                    countDamaged(slot); // what it continues is gone
                    continue;
                }
                TraceEvent event = event(slot, at, commit);
                if (event != null) {
                    return event;
                }
                if (kind > TraceFormat.LAST_KIND) {
                    unknown++;
                } else {
                    countDamaged(slot);
                }
            }
            return null;
        } catch (InternalError e) {
            throw unreadable(file, e);
        }
    }

    /**
     * Goes on with one record and ends before another, which is there: for {@link TraceFollower}.
     */
    void readBetween(long from, long end) {
        next = from;
        slots = end;
        emptyRun = 0;
    }

    /** The file as it was when it was opened; what is written meanwhile shows there. */
    MemorySegment memory() {
        return trace;
    }

    private void countDamaged(long slot) {
        if (damaged == 0 || slot < firstDamaged) {
            firstDamaged = slot;
        }
        damaged++;
    }

    static long placeOf(long slot) {
        return TraceFormat.HEADER_BYTES + slot * TraceFormat.RECORD_BYTES;
    }

    private boolean intact(long at, long slot, long commit) {
        return commit >>> 32 == TraceFormat.check(trace, at, slot, commit & 0xFFFF_FFFFL);
    }

    /** The commit word, or 0; read again where the writer was just completing the record. */
    private long commitOf(long at, long slot) {
        long commit = (long) TraceFormat.LONG_HANDLE.getAcquire(trace, at);
        for (int i = 0; i < 3 && commit != 0 && !intact(at, slot, commit); i++) {
            commit = (long) TraceFormat.LONG_HANDLE.getAcquire(trace, at);
        }
        return commit;
    }

    private TraceEvent event(long slot, long at, long commit) {
        int flags = (int) (commit >>> 8) & 0xFF;
        int continuations = (int) (commit >>> 16) & 0xFFFF;
        boolean underWay = (flags & TraceFormat.FLAG_UNDER_WAY) != 0;
        Fields fields = new Fields(slot, at, flags, underWay);
        fields.data = data(fields, slot, continuations);
        next = behind(slot, continuations);
        return fields.event((int) commit & 0xFF);
    }

    /** Where a record's continuations end, at the latest before a whole record of its own. */
    private long behind(long slot, int continuations) {
        for (int i = 1; i <= continuations && slot + i < slots; i++) {
            long at = placeOf(slot + i);
            long commit = (long) TraceFormat.LONG_HANDLE.getAcquire(trace, at);
            if (commit != 0 && !continues(at, slot + i, i) && intact(at, slot + i, commit)) {
                return slot + i;
            }
        }
        return Math.min(slots, slot + 1 + continuations);
    }

    /** The data of the record, with that of its continuations as far as they are intact. */
    private TraceEvent.Data data(Fields fields, long slot, int continuations) {
        long length = fields.unsignedInt(TraceFormat.LENGTH_AT);
        int room = TraceFormat.DATA_BYTES + continuations * TraceFormat.CONTINUATION_BYTES;
        int kept = (int) Math.min(Math.min(length, room), TraceFormat.MAX_DATA_BYTES);
        if (!fields.hasData()) {
            kept = 0;
        }
        if (fields.underWay) {
            kept = Math.min(kept, TraceFormat.DATA_BYTES);
        }
        byte[] bytes = new byte[kept];
        int first = Math.min(kept, TraceFormat.DATA_BYTES);
        copy(fields.at + TraceFormat.DATA_AT, bytes, 0, first);
        int have = first;
        for (int i = 1; have < kept; i++) {
            long at = placeOf(slot + i);
            if (slot + i >= slots || !continues(at, slot + i, i)) {
                countDamaged(slot);
                bytes = java.util.Arrays.copyOf(bytes, have);
                break;
            }
            int count = Math.min(kept - have, TraceFormat.CONTINUATION_BYTES);
            copy(at + TraceFormat.CONTINUATION_DATA_AT, bytes, have, count);
            have += count;
        }
        boolean digest = (fields.flags & TraceFormat.FLAG_DIGEST) != 0;
        return new TraceEvent.Data(length, bytes, digest ? fields.extra() : null);
    }

    private boolean continues(long at, long slot, int index) {
        long commit = (long) TraceFormat.LONG_HANDLE.getAcquire(trace, at);
        return ((int) commit & 0xFF) == TraceFormat.KIND_CONTINUATION
                && ((int) (commit >>> 16) & 0xFFFF) == index
                && intact(at, slot, commit);
    }

    private void copy(long from, byte[] into, int at, int count) {
        MemorySegment.copy(trace, ValueLayout.JAVA_BYTE, from, into, at, count);
    }

    /** One intact record; its fields mean what its kind says. */
    private final class Fields {
        private final long slot;
        private final long at;
        private final int flags;
        private final boolean underWay;
        private TraceEvent.Data data;

        Fields(long slot, long at, int flags, boolean underWay) {
            this.slot = slot;
            this.at = at;
            this.flags = flags;
            this.underWay = underWay;
        }

        /** The event, or null where a field has a value that means nothing. */
        TraceEvent event(int kind) {
            return switch (kind) {
                case TraceFormat.KIND_READ -> access(false);
                case TraceFormat.KIND_WRITE -> access(true);
                case TraceFormat.KIND_DMA_READ -> dma(false);
                case TraceFormat.KIND_DMA_WRITE -> dma(true);
                case TraceFormat.KIND_INTERRUPT -> interrupt();
                case TraceFormat.KIND_INTERRUPT_CONTROL -> control();
                case TraceFormat.KIND_RESET -> reset();
                case TraceFormat.KIND_MAP -> mapped();
                case TraceFormat.KIND_UNMAP ->
                        statusSane()
                                ? new TraceEvent.Unmapped(stamp(), address(), extra(), status())
                                : null;
                case TraceFormat.KIND_EVENT -> told();
                case TraceFormat.KIND_MARK -> new TraceEvent.Mark(stamp(), text());
                case TraceFormat.KIND_ATTACH -> new TraceEvent.Attached(stamp(), detail() != 0);
                case TraceFormat.KIND_STATE -> state();
                case TraceFormat.KIND_NEAR -> near();
                default -> null;
            };
        }

        private TraceEvent access(boolean write) {
            if (!statusSane() || where() > 8) {
                return null;
            }
            long enables = write ? extra() : -1L;
            return new TraceEvent.Access(
                    stamp(), write, where(), address(), width(), enables, status(), data);
        }

        private TraceEvent dma(boolean write) {
            return statusSane()
                    ? new TraceEvent.Dma(stamp(), write, address(), status(), data)
                    : null;
        }

        private TraceEvent interrupt() {
            InterruptKind kind = InterruptKind.ofCode(where());
            return kind == null ? null : new TraceEvent.Interrupt(stamp(), kind, address());
        }

        private TraceEvent control() {
            InterruptKind kind = InterruptKind.ofCode(where());
            InterruptAction action = InterruptAction.ofCode(detail());
            return kind == null || action == null
                    ? null
                    : new TraceEvent.InterruptControl(stamp(), kind, action, address(), extra());
        }

        private TraceEvent reset() {
            ResetKind kind = ResetKind.ofCode(detail());
            return kind == null || !statusSane()
                    ? null
                    : new TraceEvent.Reset(stamp(), kind, status(), extra());
        }

        private TraceEvent mapped() {
            Direction direction = Direction.ofBits(where());
            return direction == null
                    ? null
                    : new TraceEvent.Mapped(
                            stamp(),
                            address(),
                            extra(),
                            direction,
                            (detail() & 1) != 0,
                            (detail() & 2) != 0);
        }

        private TraceEvent near() {
            Direction direction = Direction.ofBits(where());
            return direction == null
                    ? null
                    : new TraceEvent.Near(stamp(), address(), extra(), direction, detail() != 0);
        }

        private TraceEvent state() {
            TraceEvent.State.Operation[] operations = TraceEvent.State.Operation.values();
            return detail() < 1 || detail() > operations.length || !statusSane()
                    ? null
                    : new TraceEvent.State(stamp(), operations[detail() - 1], extra(), status());
        }

        private TraceEvent told() {
            FunctionEvent event =
                    switch (detail()) {
                        case TraceFormat.EVENT_ERROR ->
                                new FunctionEvent.Error(extra() != 0, text());
                        case TraceFormat.EVENT_POWER_MANAGEMENT ->
                                new FunctionEvent.PowerManagement();
                        case TraceFormat.EVENT_PRESENCE -> new FunctionEvent.Presence(extra() != 0);
                        case TraceFormat.EVENT_DESCRIPTION_CHANGED ->
                                new FunctionEvent.DescriptionChanged();
                        case TraceFormat.EVENT_GOING_AWAY -> new FunctionEvent.GoingAway(text());
                        case TraceFormat.EVENT_NEW_GENERATION -> newGeneration();
                        case TraceFormat.EVENT_DMA_REFUSED -> dmaRefused();
                        default -> null;
                    };
            return event == null ? null : new TraceEvent.Told(stamp(), event);
        }

        private FunctionEvent newGeneration() {
            ResetKind kind = ResetKind.ofCode(where());
            return kind == null ? null : new FunctionEvent.NewGeneration((int) extra(), kind);
        }

        private FunctionEvent dmaRefused() {
            Direction direction = Direction.ofBits(where());
            return direction == null
                    ? null
                    : new FunctionEvent.DmaRefused(address(), extra(), direction, text());
        }

        /** Reads that failed, or that have not ended, moved nothing. */
        boolean hasData() {
            int kind = (int) trace.get(LONG, at) & 0xFF;
            boolean read = kind == TraceFormat.KIND_READ || kind == TraceFormat.KIND_DMA_READ;
            return !read || (statusCode() == 0 && !underWay);
        }

        private TraceEvent.Stamp stamp() {
            return new TraceEvent.Stamp(
                    slot,
                    trace.get(LONG, at + TraceFormat.TIME_AT),
                    unsignedInt(TraceFormat.DURATION_AT),
                    trace.get(INT, at + TraceFormat.GENERATION_AT),
                    underWay);
        }

        private String text() {
            return new String(data.kept(), StandardCharsets.UTF_8);
        }

        private long address() {
            return trace.get(LONG, at + TraceFormat.ADDRESS_AT);
        }

        private long extra() {
            return trace.get(LONG, at + TraceFormat.EXTRA_AT);
        }

        private int where() {
            return unsignedByte(TraceFormat.WHERE_AT);
        }

        private int width() {
            return unsignedByte(TraceFormat.WIDTH_AT);
        }

        private int detail() {
            return unsignedByte(TraceFormat.DETAIL_AT);
        }

        private int statusCode() {
            return unsignedByte(TraceFormat.STATUS_AT);
        }

        private CompletionStatus status() {
            return underWay ? null : CompletionStatus.ofCode(statusCode());
        }

        private boolean statusSane() {
            return underWay || status() != null;
        }

        private int unsignedByte(int field) {
            return trace.get(ValueLayout.JAVA_BYTE, at + field) & 0xFF;
        }

        private long unsignedInt(int field) {
            return trace.get(INT, at + field) & 0xFFFF_FFFFL;
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
