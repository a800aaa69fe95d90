package farslot.watch;

import farslot.core.PciFunction;
import farslot.link.ClockRelation;
import farslot.link.FollowRequest;
import farslot.link.RefusedException;
import farslot.recorder.RangeMode;
import farslot.recorder.Recording;
import farslot.recorder.RecordingRules;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceOrigin;
import farslot.recorder.TracePoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What is recorded of one function in this process: into files that its user named, and for others
 * who follow.
 *
 * <p>A recording that a follower began is buffered in a file of a folder of this process. It goes
 * when the follower has all of it; when the follower was lost before, or this process killed, it
 * stays as {@code NAME-lost.fst}, the last one ({@link BufferFolder}).
 *
 * <p>Any thread may call.
 */
public final class Recordings implements AutoCloseable {
    /** How many recordings of one function there may be at once. */
    public static final int MOST = 8;

    /** How many address ranges of a recording may have a mode. */
    private static final int MOST_MODES = 256;

    /**
     * Of a recording that a follower began: it goes on for ever, and who is further behind than
     * this misses records.
     */
    private static final TraceOptions BUFFER =
            TraceOptions.DEFAULT.withLimitBytes(64L << 20).withFiles(BufferFolder.MOST_FILES);

    /** How much a follower may have this process keep in memory, in bytes. */
    private static final long MOST_RING_BYTES = BUFFER.limitBytes() * BufferFolder.MOST_FILES;

    private static final long PATIENCE_NANOS = 2_000_000_000L;

    /** Who has the function at this moment. */
    private record Holder(
            String slot, String identity, long epoch, Supplier<ClockRelation> clock) {}

    private static final Holder NOBODY = new Holder("", "", 0, () -> null);

    private final String name;
    private final TraceOrigin.At at;
    private final BufferFolder buffers;
    private final Consumer<String> talk;
    private final TracePoint point;
    private final List<Entry> entries = new ArrayList<>();
    private final List<RecordStream> streams = new CopyOnWriteArrayList<>();
    private Holder holder = NOBODY;
    private boolean closed;

    /** One recording, and who has begun it. */
    private record Entry(Recording recording, String by) {}

    /**
     * @param name the function's, or the slot's
     * @param at at which end of the link this is
     * @param next the function to be recorded
     * @param folder for the buffers of recordings that others begin; null where there is none, and
     *     nobody can begin one
     * @param talk is told in sentences what becomes of them; must not block
     */
    public Recordings(
            String name, TraceOrigin.At at, PciFunction next, Path folder, Consumer<String> talk) {
        this.name = name;
        this.at = at;
        this.buffers = folder == null ? null : BufferFolder.of(folder, name, machine(), talk);
        this.talk = talk;
        this.point = new TracePoint(next);
    }

    /** The function with all recorders before it. */
    public PciFunction function() {
        return point;
    }

    /** A mark in each trace that is recorded at this moment. Gives how many. */
    public int mark(String text) {
        List<Recording> now = point.recordings();
        now.forEach(recording -> recording.mark(text));
        return now.size();
    }

    /**
     * The same by an operator.
     *
     * @throws RefusedException where there is no text, or no trace
     */
    public int markBy(String text) throws RefusedException {
        if (text.isBlank()) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT, "A mark needs a text.");
        }
        int traces = mark(text);
        if (traces == 0) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    "Nothing is recorded of " + name + " at this moment: no trace can be marked.");
        }
        return traces;
    }

    /**
     * Has an operator's address ranges recorded in another way from now on, in each trace that is
     * recorded at this moment; it says so.
     *
     * @param modes RANGE=MODE, several with spaces between them
     * @return in how many traces
     * @throws RefusedException where that means nothing, or there is no trace; nothing is changed
     *     then
     */
    public synchronized int changeBy(String modes) throws RefusedException {
        List<RangeMode> ranges = RecordingOptions.modes(modes);
        if (ranges.isEmpty()) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    "No range is given to be recorded in another way: BAR0:0x0-0xfff=flush.");
        }
        Map<Recording, RecordingRules> changes = new LinkedHashMap<>();
        for (Recording recording : point.recordings()) {
            changes.put(recording, changed(recording, ranges));
        }
        if (changes.isEmpty()) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    "Nothing is recorded of " + name + " at this moment: there is no mode.");
        }
        changes.forEach(Recording::change);
        return changes.size();
    }

    private RecordingRules changed(Recording recording, List<RangeMode> ranges)
            throws RefusedException {
        RecordingRules rules = recording.rules().withMoreModes(ranges);
        if (recording.isRing() && rules.flushes()) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    "Of "
                            + name
                            + " a ring is recorded, in memory: no access can be on a disk before it"
                            + " is done.");
        }
        if (rules.modes().size() > MOST_MODES) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    "More than "
                            + MOST_MODES
                            + " ranges of "
                            + name
                            + " would have a mode; \"*=record\" forgets those before it.");
        }
        return rules;
    }

    /**
     * Records into a file of this process's user, until {@link #close}.
     *
     * @param file which must not exist
     * @throws TraceException where it cannot be made
     */
    public synchronized void keep(Path file, TraceOptions options) throws TraceException {
        entries.add(begin(file, options, "its user", false));
    }

    /**
     * Gives a follower what it asks for.
     *
     * @param by who asks, in words
     * @throws RefusedException where nothing is recorded, or what is asked for cannot be
     */
    public RecordStream follow(String by, FollowRequest request) throws RefusedException {
        return request.record() ? record(by, request.arguments()) : join(by, request.arguments());
    }

    private RecordStream record(String by, Map<String, String> arguments) throws RefusedException {
        TraceOptions options = RecordingOptions.of(arguments, BUFFER, point.describe());
        if (options.ringBytes() > MOST_RING_BYTES) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    "A ring of "
                            + options.ringBytes()
                            + " bytes is more than another may have kept in memory here; "
                            + (MOST_RING_BYTES >> 20)
                            + " MiB is the most.");
        }
        // Before: a follower gets the header once.
        ClockRelation clock = holder().clock().get();
        return record(by, options, clock);
    }

    private synchronized Holder holder() {
        return holder;
    }

    private synchronized RecordStream record(String by, TraceOptions options, ClockRelation clock)
            throws RefusedException {
        if (buffers == null || closed) {
            throw new RefusedException(
                    RefusedException.Reason.UNSUPPORTED, name + " cannot be recorded here.");
        }
        if (entries.size() >= MOST) {
            throw new RefusedException(
                    RefusedException.Reason.UNAVAILABLE,
                    name + " is being recorded " + entries.size() + " times already: " + words());
        }
        try {
            Path file = buffers.next();
            Entry entry = begin(file, options, by, true);
            tell(entry.recording(), clock);
            entries.add(entry);
            RecordStream stream = stream(by, entry.recording(), taken -> ended(entry, taken));
            entry.recording().remoteFlush(stream);
            return stream;
        } catch (IOException e) {
            throw new RefusedException(
                    RefusedException.Reason.FAILED,
                    name + " cannot be recorded: " + e.getMessage());
        }
    }

    private synchronized RecordStream join(String by, Map<String, String> arguments)
            throws RefusedException {
        if (!arguments.isEmpty()) {
            throw new RefusedException(
                    RefusedException.Reason.BAD_ARGUMENT,
                    "Who follows a recording takes what it has; "
                            + String.join(", ", arguments.keySet())
                            + " would be for a new one.");
        }
        for (Entry entry : entries.reversed()) {
            try {
                if (!entry.recording().isEnded()) {
                    return stream(by, entry.recording(), null);
                }
            } catch (IllegalStateException closed) {
                // just now: then it is not there
            }
        }
        throw new RefusedException(
                RefusedException.Reason.NOT_FOUND,
                "Nothing is recorded of "
                        + name
                        + " at this moment; who may operate it can begin: farslot trace record "
                        + name
                        + " -o FILE.fst.");
    }

    private Entry begin(Path file, TraceOptions options, String by, boolean stays)
            throws TraceException {
        TraceOrigin origin =
                new TraceOrigin(
                        at,
                        at == TraceOrigin.At.LENDER ? name : "",
                        at == TraceOrigin.At.SLOT ? name : holder.slot(),
                        holder.identity(),
                        machine(),
                        holder.epoch());
        return new Entry(point.begin(file, options.withOrigin(origin), stays), by);
    }

    private static String machine() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException e) {
            return "";
        }
    }

    private RecordStream stream(String by, Recording recording, RecordStream.Ending ending) {
        RecordStream stream = new RecordStream(name, by, recording, ending, streams::remove);
        streams.add(stream);
        return stream;
    }

    /**
     * A slot has the function from now on.
     *
     * @param clock measures how the clock at the other end of its link is related to this one's, or
     *     gives null; asked on a thread of its own, where a recording wants to know
     */
    public synchronized void leaseBegun(
            String slot, String identity, long epoch, Supplier<ClockRelation> clock) {
        holder = new Holder(slot, identity, epoch, clock);
        for (Entry entry : entries) {
            entry.recording().leaseBegun(slot, identity, epoch);
            measure(entry.recording());
        }
    }

    /** It has it no more; {@code why} in a sentence. */
    public synchronized void leaseEnded(String slot, String identity, long epoch, String why) {
        if (holder.epoch() == epoch) {
            holder = NOBODY;
        }
        entries.forEach(entry -> entry.recording().leaseEnded(slot, identity, epoch, why));
    }

    private void measure(Recording recording) {
        Supplier<ClockRelation> clock = holder.clock();
        Thread.ofPlatform()
                .daemon()
                .name("farslot-clock")
                .start(() -> tell(recording, clock.get()));
    }

    private static void tell(Recording recording, ClockRelation clock) {
        if (clock != null) {
            recording.clockRelation(clock.offsetNanos(), clock.uncertaintyNanos());
        }
    }

    /** The follower who has begun it has gone, or has all of it. */
    private void ended(Entry entry, boolean taken) {
        synchronized (this) {
            if (!entries.remove(entry)) {
                return;
            }
        }
        Path file = entry.recording().file();
        try {
            entry.recording().close();
            if (taken) {
                buffers.remove(file);
                return;
            }
            Path left = buffers.putAway(file);
            talk.accept(
                    "The recording of "
                            + name
                            + " by "
                            + entry.by()
                            + " has ended before all of it could be sent; it is in "
                            + left
                            + ".");
        } catch (IOException e) {
            talk.accept("A recording of " + name + " could not be put away: " + e.getMessage());
        }
    }

    /** Who follows a recording that another has begun, in words. */
    public List<String> followedBy() {
        return streams.stream().filter(stream -> !stream.owns()).map(RecordStream::by).toList();
    }

    private String words() {
        List<String> words = new ArrayList<>();
        entries.forEach(
                entry -> words.add("by " + entry.by() + " since " + entry.recording().since()));
        return String.join("; ", words) + ".";
    }

    /** Who records at this moment, in words. */
    public synchronized List<String> by() {
        return entries.stream().map(Entry::by).toList();
    }

    /**
     * Gives those who follow what there is and no more; what they began to record ends. Waits up to
     * two seconds until they have it.
     */
    public void finish() {
        List<RecordStream> all = List.copyOf(streams);
        all.forEach(RecordStream::finish);
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        all.forEach(stream -> stream.awaitTaken(deadline));
    }

    /** Ends all recordings. Those who follow get what there is, within two seconds each. */
    @Override
    public void close() throws TraceException {
        List<Entry> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(entries);
        }
        TraceException failed = null;
        for (Entry entry : all) {
            try {
                entry.recording().close();
            } catch (TraceException e) {
                failed = e;
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}
