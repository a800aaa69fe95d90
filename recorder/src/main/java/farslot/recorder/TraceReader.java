package farslot.recorder;

import static farslot.recorder.TraceFormat.INT;
import static farslot.recorder.TraceFormat.LONG;

import farslot.core.FunctionDescription;
import farslot.recorder.TraceEvent.Verification;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Reads a trace: also one that is still being written, or whose writer was killed. Everything is
 * checked: an event of a block that is not sealed, or not what its seal says, is given and marked
 * ({@link TraceEvent.Stamp#verification}); what means nothing is passed over and counted.
 *
 * <p>For one thread at a time.
 */
public final class TraceReader implements AutoCloseable {
    private static final int MAX_REMARKS = 8;
    private static final int KNOWN_BLOCKS = 64;

    private final Path file;
    private final Arena arena;
    private final MemorySegment trace;
    private final List<String> remarks = new ArrayList<>();

    /** Whether the fields are wrong from which everything else is found. */
    private final boolean headerDamaged;

    private final int headerBytes;
    private final TraceHeader header;
    private final long firstNumber;
    private final long slots;
    private final long lastSeal;
    private final boolean closed;
    private final long lost;
    private long epoch;

    /** The slot that is read next, and the one before which reading ends. */
    private long next;

    private long end;

    /** What was found out of blocks, and of which, by the low bits of their number. */
    private final long[] knownBlocks = new long[KNOWN_BLOCKS];

    private final Verification[] known = new Verification[KNOWN_BLOCKS];

    private long damagedBlocks;
    private long firstDamagedBlock;
    private long lastDamagedBlock = -1;
    private long senseless;
    private long firstSenseless;
    private long shortened;
    private long unverified;
    private long unfinished;
    private long unknown;

    /** Empty slots since the last record: unfinished ones if another record follows. */
    private long emptyRun;

    /** Whether there was a record. */
    private boolean begun;

    private TraceReader(Path file, Arena arena, MemorySegment trace) throws TraceException {
        this.file = file;
        this.arena = arena;
        this.trace = trace;
        Arrays.fill(knownBlocks, -1);
        checkIdentity();
        headerBytes = TraceHeader.bytes(trace);
        if (headerBytes == 0) {
            throw new TraceException(
                    "The trace "
                            + file
                            + " ends within its header, or its header's length, at 0x10 of the"
                            + " file, is damaged: nothing of it can be read.");
        }
        long number = trace.get(LONG, TraceFormat.FIRST_NUMBER_AT);
        headerDamaged = !TraceHeader.isIntact(trace) || number < 0 || number > Long.MAX_VALUE / 2;
        if (headerDamaged) {
            remark(
                    "The header is damaged, at 0x8 to 0x3f of the file: times, numbers and all else"
                            + " may be wrong.");
        }
        firstNumber = headerDamaged ? 0 : number;
        header = TraceHeader.decode(trace, this::remark);
        epoch = header.origin().epoch();
        if (trace.get(INT, TraceFormat.CLOCK_CHECK_AT) != 0 && clock().isEmpty()) {
            remark(
                    "The header is damaged, at 0x60 to 0x7b of the file: how the clocks of the two"
                            + " machines are related is not known.");
        }
        lost = Math.max(0, trace.get(LONG, TraceFormat.LOST_AT));
        long there = (trace.byteSize() - headerBytes) / TraceFormat.RECORD_BYTES;
        closed = readState();
        long said = closed ? trace.get(LONG, TraceFormat.SLOTS_AT) : there;
        slots = Math.max(0, Math.min(there, said));
        end = slots;
        lastSeal = findLastSeal(said > there);
        if (said > there) {
            remark(
                    String.format(
                            "The file was cut: it ends at 0x%x, and %d of its slots are missing.",
                            trace.byteSize(), said - there));
        }
    }

    /**
     * Opens a trace.
     *
     * @throws TraceException where there is none, or it is no trace, or one of another version
     */
    @SuppressWarnings("MustBeClosed") // by the reader's own close
    public static TraceReader open(Path file) throws TraceException {
        if (Files.isDirectory(file)) {
            throw new TraceException(file + " is a folder, no trace; name a file in it.");
        }
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

    static TraceException unreadable(Path file, Throwable e) {
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
        if (trace.byteSize() < TraceFormat.SECTIONS_AT
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
                            + "; read it with the Farslot that wrote it"
                            + (major > TraceFormat.VERSION_MAJOR ? ", or a newer one." : "."));
        }
        if (trace.get(INT, TraceFormat.RECORD_BYTES_AT) != TraceFormat.RECORD_BYTES
                || trace.get(INT, TraceFormat.BLOCK_BYTES_AT) != TraceFormat.BLOCK_BYTES) {
            throw new TraceException(
                    "The trace "
                            + file
                            + " has slots and blocks of lengths that version 2 does not have: its"
                            + " header is damaged, at 0xc or 0x14 of the file.");
        }
    }

    /** Whether the writer has ended the file. */
    private boolean readState() {
        int state = trace.get(INT, TraceFormat.STATE_AT);
        int check = trace.get(INT, TraceFormat.STATE_CHECK_AT);
        int bytes = TraceFormat.STATE_CHECK_AT - TraceFormat.STATE_AT;
        if (state == TraceFormat.STATE_OPEN && check == 0) {
            return false;
        }
        boolean intact =
                state == TraceFormat.STATE_CLOSED
                        && check == TraceFormat.check(trace, TraceFormat.STATE_AT, bytes);
        if (!intact) {
            remark(
                    "The header is damaged, at 0x40 to 0x5b of the file: whether the trace was"
                            + " ended, and how many events were lost, is not known.");
        }
        return intact;
    }

    public Path file() {
        return file;
    }

    /** The function that was recorded; one of the kind "unknown" where that is damaged. */
    public FunctionDescription description() {
        return header.subject().description();
    }

    /** Its configuration space when the recording began, 4096 bytes; null where not known. */
    public byte[] configuration() {
        byte[] bytes = header.subject().configuration();
        return bytes == null ? null : bytes.clone();
    }

    /** The text of its register map, rules-ng-ng XML, as it was when the recording began. */
    public Optional<String> registerMap() {
        return Optional.ofNullable(header.subject().registerMap());
    }

    /** Where it was recorded. */
    public TraceOrigin origin() {
        return header.origin();
    }

    /** How the clocks of the link's two machines are related, if they were compared. */
    public Optional<ClockRelation> clock() {
        int bytes = TraceFormat.CLOCK_CHECK_AT - TraceFormat.CLOCK_OFFSET_AT;
        int check = trace.get(INT, TraceFormat.CLOCK_CHECK_AT);
        if (check != TraceFormat.check(trace, TraceFormat.CLOCK_OFFSET_AT, bytes)) {
            return Optional.empty();
        }
        return Optional.of(
                new ClockRelation(
                        trace.get(LONG, TraceFormat.CLOCK_OFFSET_AT),
                        trace.get(LONG, TraceFormat.CLOCK_UNCERTAINTY_AT),
                        trace.get(LONG, TraceFormat.CLOCK_MEASURED_AT)));
    }

    /** When the trace began, by the clock of the computer that wrote it. */
    public Instant began() {
        long nanos = header.wallNanos();
        return Instant.ofEpochSecond(
                Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
    }

    /** The same moment by {@link System#nanoTime} of that computer. */
    public long beganNanos() {
        return header.monotonicNanos();
    }

    /** Whether the writer ended the trace; else it still writes, or was killed. */
    public boolean closed() {
        return closed;
    }

    /** How many events the writer could not keep: its limit, or a full or slow disk. */
    public long lost() {
        return lost;
    }

    /** How many blocks and records, of those that were passed so far, are damaged. */
    public long damaged() {
        return damagedBlocks + senseless;
    }

    /** How many events, of those that were given so far, are of blocks without a seal. */
    public long unverified() {
        return unverified;
    }

    /** How many records, of those that were passed so far, were never completed. */
    public long unfinished() {
        return unfinished;
    }

    /** What the reader of this trace should know, in sentences. */
    public List<String> remarks() {
        List<String> all = remarksOfGrowing();
        if (unverified > 0) {
            all.add(
                    unverified
                            + " events are in blocks that are not sealed, and not verified: the"
                            + " writer was killed before it sealed them, or still writes.");
        }
        return all;
    }

    /** The same of a trace of which is known that its last blocks cannot be sealed yet. */
    List<String> remarksOfGrowing() {
        List<String> all = new ArrayList<>(remarks);
        if (lost > 0) {
            all.add(
                    lost
                            + " events found no room (the limit, or a full or slow disk) and are"
                            + " missing.");
        }
        if (damagedBlocks > 0) {
            all.add(
                    String.format(
                            "%d %s not what was written, the first at 0x%x to 0x%x of the file;"
                                    + " what is read there may be wrong, and is marked.",
                            damagedBlocks,
                            damagedBlocks == 1 ? "block is" : "blocks are",
                            placeOf(firstDamagedBlock * TraceFormat.BLOCK_SLOTS),
                            placeOf((firstDamagedBlock + 1) * TraceFormat.BLOCK_SLOTS) - 1));
        }
        if (senseless > 0) {
            all.add(
                    String.format(
                            "%d records mean nothing and were passed over; the first is number %d,"
                                    + " at 0x%x of the file.",
                            senseless, firstNumber + firstSenseless, placeOf(firstSenseless)));
        }
        if (shortened > 0) {
            all.add(shortened + " events lack some of their data.");
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
            while (next < end) {
                long slot = next++;
                long block = slot / TraceFormat.BLOCK_SLOTS;
                if (slot % TraceFormat.BLOCK_SLOTS == 0) {
                    verification(block); // also where nothing is found in it
                }
                if (isSeal(slot)) {
                    continue;
                }
                long commit = commitAt(slot);
                if (commit == 0) {
                    emptyRun++;
                    continue;
                }
                // What goes on where another file ended may begin with the rest of an event.
                unfinished += begun || firstNumber == 0 ? emptyRun : 0;
                begun = true;
                emptyRun = 0;
                TraceEvent event = event(slot, commit);
                if (event != null) {
                    return event;
                }
            }
            return null;
        } catch (InternalError e) {
            throw unreadable(file, e);
        }
    }

    /** Of the lease that holds at this place; 0 where there is none, or it is not known. */
    public long epoch() {
        return epoch;
    }

    /** What stands in front of the first event of a trace that begins with all that this knows. */
    byte[] headerOfFirst() throws TraceException {
        byte[] bytes = header.encodePublished();
        clock().ifPresent(c -> TraceHeader.setClock(MemorySegment.ofArray(bytes), c));
        return bytes;
    }

    // For TraceFollower, which goes to and fro in a trace that grows, and TracePart.

    void readBetween(long from, long to, long leaseEpoch) {
        readBetween(from, to);
        epoch = leaseEpoch;
    }

    /** Goes on with one slot and ends before another, which is there. */
    void readBetween(long from, long to) {
        next = from;
        end = to;
        emptyRun = 0;
    }

    /** The slot that is read next. */
    long position() {
        return next;
    }

    /** The file as it was when it was opened; what is written meanwhile shows there. */
    MemorySegment memory() {
        return trace;
    }

    /** How many slots there were when it was opened. */
    long slots() {
        return slots;
    }

    /** Whether a seal, and no record, stands in a slot. */
    boolean isSeal(long slot) {
        return slot == sealOf(slot / TraceFormat.BLOCK_SLOTS);
    }

    long placeOf(long slot) {
        return headerBytes + slot * TraceFormat.RECORD_BYTES;
    }

    private long commitAt(long slot) {
        return (long) TraceFormat.LONG_HANDLE.getAcquire(trace, placeOf(slot));
    }

    private static int kindOf(long commit) {
        return (int) commit & 0xFF;
    }

    /** The slot of a block's seal; -1 where the file ends before it. */
    private long sealOf(long block) {
        long end = (block + 1) * TraceFormat.BLOCK_SLOTS;
        return end <= slots ? end - 1 : lastSeal;
    }

    /** The slot of the seal of a last block that is not a whole one. */
    private long findLastSeal(boolean cut) {
        if (slots % TraceFormat.BLOCK_SLOTS == 0) {
            return -1;
        }
        boolean there = kindOf(commitAt(slots - 1)) == TraceFormat.KIND_SEAL;
        return there || (closed && !cut) ? slots - 1 : -1;
    }

    private Verification verification(long block) {
        int index = (int) block & (KNOWN_BLOCKS - 1);
        if (knownBlocks[index] != block) {
            knownBlocks[index] = block;
            known[index] = verify(block);
            if (known[index] == Verification.DAMAGED && block > lastDamagedBlock) {
                firstDamagedBlock = damagedBlocks == 0 ? block : firstDamagedBlock;
                lastDamagedBlock = block;
                damagedBlocks++;
            }
        }
        return known[index];
    }

    private Verification verify(long block) {
        long seal = sealOf(block);
        if (seal < 0) {
            return Verification.UNSEALED;
        }
        if (!BlockSeal.isThere(trace, placeOf(seal))) {
            return closed ? Verification.DAMAGED : Verification.UNSEALED;
        }
        long first = block * TraceFormat.BLOCK_SLOTS;
        boolean whole =
                BlockSeal.isWhole(trace, placeOf(first), firstNumber + first, (int) (seal - first));
        return whole ? Verification.SEALED : Verification.DAMAGED;
    }

    /** How far an event can be relied on: as far as the worst of the blocks that it is in. */
    private Verification verification(long firstSlot, long lastSlot) {
        Verification worst = headerDamaged ? Verification.DAMAGED : Verification.SEALED;
        for (long block = firstSlot / TraceFormat.BLOCK_SLOTS;
                block <= lastSlot / TraceFormat.BLOCK_SLOTS;
                block++) {
            Verification one = verification(block);
            worst = one.compareTo(worst) > 0 ? one : worst;
        }
        return worst;
    }

    /** The event that begins in a slot, or null where it means nothing. */
    private TraceEvent event(long slot, long commit) {
        int kind = kindOf(commit);
        if (kind == TraceFormat.KIND_CONTINUATION || kind == TraceFormat.KIND_SEAL) {
            verification(slot, slot);
            countSenseless(slot); // what it continues is gone
            return null;
        }
        int flags = (int) (commit >>> 8) & 0xFF;
        int continuations = (int) (commit >>> 16) & 0xFFFF;
        next = behind(slot, continuations);
        long at = placeOf(slot);
        boolean counter = (flags & TraceFormat.FLAG_PROGRAM_COUNTER) != 0;
        Verification verification = verification(slot, next - 1);
        TraceEvent.Stamp stamp =
                new TraceEvent.Stamp(
                        firstNumber + slot,
                        trace.get(LONG, at + TraceFormat.TIME_AT),
                        trace.get(INT, at + TraceFormat.DURATION_AT) & 0xFFFF_FFFFL,
                        trace.get(INT, at + TraceFormat.GENERATION_AT),
                        (flags & TraceFormat.FLAG_UNDER_WAY) != 0,
                        verification,
                        epochAt(kind, at),
                        counter ? trace.get(LONG, at + TraceFormat.PROGRAM_COUNTER_AT) : 0,
                        (flags & TraceFormat.FLAG_LINK_TIME) != 0
                                ? commit >> Integer.SIZE
                                : TraceEvent.Stamp.NO_LINK_TIME);
        TraceEvent.Data data = data(slot, kind, flags, continuations);
        TraceEvent event = new RecordDecoder(trace, at, kind, stamp, data).event();
        if (event instanceof TraceEvent.Lease lease && !lease.begun()) {
            epoch = 0;
        }
        if (event != null) {
            unverified += verification == Verification.UNSEALED ? 1 : 0;
        } else if (kind > TraceFormat.LAST_KIND) {
            unknown++;
        } else {
            countSenseless(slot);
        }
        return event;
    }

    private long epochAt(int kind, long at) {
        if (kind == TraceFormat.KIND_LEASE) {
            epoch = trace.get(LONG, at + TraceFormat.EXTRA_AT);
        }
        return epoch;
    }

    private void countSenseless(long slot) {
        if (senseless == 0 || slot < firstSenseless) {
            firstSenseless = slot;
        }
        senseless++;
    }

    /** Where a record's continuations end, at the latest before a record of its own. */
    private long behind(long slot, int continuations) {
        for (int i = 1; i <= continuations; i++) {
            long one = TraceFormat.continuationSlot(slot, i);
            if (one >= slots) {
                return slots;
            }
            if (commitAt(one) != 0 && !continues(one, i)) {
                return one;
            }
        }
        return TraceFormat.continuationSlot(slot, continuations) + 1;
    }

    private boolean continues(long slot, int index) {
        long commit = commitAt(slot);
        return kindOf(commit) == TraceFormat.KIND_CONTINUATION
                && ((int) (commit >>> 16) & 0xFFFF) == index;
    }

    /** The data of the record, with that of its continuations as far as they are there. */
    private TraceEvent.Data data(long slot, int kind, int flags, int continuations) {
        long at = placeOf(slot);
        long length = trace.get(INT, at + TraceFormat.LENGTH_AT) & 0xFFFF_FFFFL;
        boolean counter = (flags & TraceFormat.FLAG_PROGRAM_COUNTER) != 0;
        int inRecord = counter ? Long.BYTES : TraceFormat.DATA_BYTES;
        boolean underWay = (flags & TraceFormat.FLAG_UNDER_WAY) != 0;
        int room = inRecord + (underWay ? 0 : continuations * TraceFormat.CONTINUATION_BYTES);
        int kept = (int) Math.min(Math.min(length, room), TraceFormat.MAX_DATA_BYTES);
        if (!hasData(at, kind, underWay)) {
            kept = 0;
        }
        byte[] bytes = new byte[kept];
        int have = Math.min(kept, inRecord);
        copy(at + TraceFormat.DATA_AT, bytes, 0, have);
        for (int i = 1; have < kept; i++) {
            long one = TraceFormat.continuationSlot(slot, i);
            if (one >= slots || !continues(one, i)) {
                shortened++;
                bytes = Arrays.copyOf(bytes, have);
                break;
            }
            int count = Math.min(kept - have, TraceFormat.CONTINUATION_BYTES);
            copy(placeOf(one) + TraceFormat.CONTINUATION_DATA_AT, bytes, have, count);
            have += count;
        }
        boolean digest = (flags & TraceFormat.FLAG_DIGEST) != 0;
        return new TraceEvent.Data(
                length, bytes, digest ? trace.get(LONG, at + TraceFormat.EXTRA_AT) : null);
    }

    /** Reads that failed, or that have not ended, moved nothing. */
    private boolean hasData(long at, int kind, boolean underWay) {
        boolean read = kind == TraceFormat.KIND_READ || kind == TraceFormat.KIND_DMA_READ;
        return !read
                || (trace.get(ValueLayout.JAVA_BYTE, at + TraceFormat.STATUS_AT) == 0 && !underWay);
    }

    private void copy(long from, byte[] into, int at, int count) {
        MemorySegment.copy(trace, ValueLayout.JAVA_BYTE, from, into, at, count);
    }

    @Override
    public void close() {
        arena.close();
    }
}
