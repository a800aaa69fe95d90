package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
import farslot.core.InterruptKind;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What of everything that passes one recorder is recorded at this moment, and when that ends. Any
 * thread may ask and change.
 */
final class Selection {
    private static final System.Logger LOG = System.getLogger("farslot.recorder");

    /**
     * The rules as they are asked at each event.
     *
     * @param isAll whether everything is recorded, and no more need be asked
     * @param modes null where every access is recorded
     * @param where null where all events are
     * @param until null where it goes on
     * @param guestMarks null where the guest makes none
     * @param over whether nothing is recorded any more
     */
    record Now(
            boolean isAll,
            RangeModes modes,
            Condition where,
            Condition until,
            GuestMarks guestMarks,
            boolean over) {
        static final Now ALL = new Now(true, null, null, null, null, false);
        static final Now OVER = new Now(false, null, null, null, null, true);

        RangeMode.Mode mode(boolean write, int region, long offset, long length) {
            if (over) {
                return RangeMode.Mode.OFF;
            }
            return modes == null ? RangeMode.Mode.RECORD : modes.of(write, region, offset, length);
        }

        /** Whether only an event's end says if it is recorded. */
        boolean isDecidedAtEnd() {
            return where != null && where.needsEnd();
        }
    }

    private final TraceWriter trace;
    private final GuestMarks guestMarks;
    private final FunctionDescription description;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private volatile Now now;
    private volatile RemoteFlush remote;
    private volatile Runnable ending = this::close;
    private final List<RangeCount> counts = new ArrayList<>();
    private RecordingRules rules = RecordingRules.ALL;
    private boolean triggered;
    private boolean saidNoRemote;

    /** How many accesses went on although no other computer had acknowledged them. */
    private long unacknowledged;

    Selection(TraceWriter trace, FunctionDescription description, RecordingRules rules) {
        this.trace = trace;
        this.guestMarks = new GuestMarks(trace);
        this.description = description;
        this.now = Now.ALL;
        if (!rules.isAll()) {
            change(rules);
        }
    }

    Now now() {
        return now;
    }

    synchronized RecordingRules rules() {
        return rules;
    }

    /** From now on these rules hold; the trace says so, and what the old ones have counted. */
    synchronized void change(RecordingRules wanted) {
        if (now.over()) {
            return;
        }
        rules = wanted;
        RangeModes modes =
                wanted.modes().isEmpty()
                        ? null
                        : new RangeModes(wanted.modes(), description, counts);
        now =
                wanted.isAll()
                        ? Now.ALL
                        : new Now(
                                false,
                                modes,
                                wanted.where(),
                                wanted.until(),
                                wanted.guestMarks() ? guestMarks : null,
                                false);
        tellCounts();
        trace.setting(text(wanted));
    }

    private static String text(RecordingRules rules) {
        List<String> words = new ArrayList<>();
        rules.modes().forEach(range -> words.add("--mode " + range));
        if (rules.where() != null) {
            words.add("--where \"" + rules.where() + "\"");
        }
        if (rules.until() != null) {
            words.add("--until \"" + rules.until() + "\"");
        }
        if (rules.guestMarks()) {
            words.add("--guest-marks");
        }
        return words.isEmpty() ? "everything" : String.join(" ", words);
    }

    /** Also of ranges of before: an access that just passes may have been counted by old rules. */
    private void tellCounts() {
        counts.forEach(count -> count.tell(trace));
    }

    /** Nothing is recorded any more, and what was counted is told. */
    synchronized void end() {
        now = Now.OVER;
        tellCounts();
        if (unacknowledged > 0) {
            trace.setting(
                    unacknowledged
                            + (unacknowledged == 1 ? " access" : " accesses")
                            + " of the mode flush-remote went on without another computer's word");
            unacknowledged = 0;
        }
    }

    /** Has listeners run once {@code until} has held and the recording was ended. */
    void whenOver(Runnable listener) {
        listeners.add(listener);
    }

    /** How the recording is ended once {@code until} has held; else its trace is closed. */
    void endBy(Runnable how) {
        ending = how;
    }

    private void trigger() {
        synchronized (this) {
            if (triggered || now.over()) {
                return;
            }
            triggered = true;
            trace.setting("over, since " + now.until());
        }
        end();
        // On a thread of its own, for an access must not wait for a file to be written.
        Thread.ofPlatform()
                .name("trace-over")
                .start(() -> {
                    ending.run();
                    listeners.forEach(Runnable::run);
                });
    }

    private void close() {
        try {
            trace.close();
        } catch (TraceException e) {
            LOG.log(Level.ERROR, e.getMessage(), e);
        }
    }

    void remote(RemoteFlush flush) {
        remote = flush;
    }

    /** Returns when what was begun is where its range's mode wants it. */
    void flush(RangeMode.Mode mode, long slot) {
        if (mode == RangeMode.Mode.FLUSH_REMOTE) {
            RemoteFlush to = remote;
            long record = slot - slot / TraceFormat.BLOCK_SLOTS;
            if (to != null && to.await(record)) {
                return;
            }
            sayNoRemote();
        }
        trace.force(slot);
    }

    private synchronized void sayNoRemote() {
        unacknowledged++;
        if (!saidNoRemote) {
            saidNoRemote = true;
            LOG.log(
                    Level.WARNING,
                    "No other computer acknowledges what is recorded into {0}: accesses of the mode"
                            + " flush-remote go on once they are on this machine''s disk.",
                    trace.file());
        }
    }

    /** Whether an access that has not ended is recorded. */
    boolean wantsBegun(
            Now rules,
            boolean write,
            int region,
            long offset,
            MemorySegment data,
            int width,
            long enables,
            int generation,
            long nanoTime) {
        return rules.where() == null
                || (!rules.where().needsEnd()
                        && rules.where()
                                .testAccess(
                                        write,
                                        region,
                                        offset,
                                        data.byteSize(),
                                        width,
                                        write ? value(data) : 0,
                                        write,
                                        enables,
                                        null,
                                        trace.since(nanoTime),
                                        0,
                                        generation));
    }

    /** Of a condition, whether it holds of an access that has ended just now. */
    boolean holds(
            Condition condition,
            boolean write,
            int region,
            long offset,
            MemorySegment data,
            int width,
            long enables,
            CompletionStatus status,
            int generation,
            long nanoTime) {
        boolean known = write || status.isSuccess();
        return condition.testAccess(
                write,
                region,
                offset,
                data.byteSize(),
                width,
                known ? value(data) : 0,
                known,
                enables,
                status,
                trace.since(nanoTime),
                System.nanoTime() - nanoTime,
                generation);
    }

    /** As {@link #holds}, of DMA. */
    boolean holdsDma(
            Condition condition,
            boolean write,
            long address,
            MemorySegment data,
            CompletionStatus status,
            int generation,
            long nanoTime) {
        boolean known = write || (status != null && status.isSuccess());
        return condition.testDma(
                write,
                address,
                data.byteSize(),
                known ? value(data) : 0,
                known,
                status,
                trace.since(nanoTime),
                status == null ? 0 : System.nanoTime() - nanoTime,
                generation);
    }

    /** An access has ended: perhaps the recording with it. */
    void ended(
            Now rules,
            boolean write,
            int region,
            long offset,
            MemorySegment data,
            int width,
            long enables,
            CompletionStatus status,
            int generation,
            long nanoTime) {
        if (rules.until() != null
                && holds(
                        rules.until(),
                        write,
                        region,
                        offset,
                        data,
                        width,
                        enables,
                        status,
                        generation,
                        nanoTime)) {
            trigger();
        }
    }

    /** DMA has ended: perhaps the recording with it. */
    void dmaEnded(
            Now rules,
            boolean write,
            long address,
            MemorySegment data,
            CompletionStatus status,
            int generation,
            long nanoTime) {
        if (rules.until() != null
                && holdsDma(rules.until(), write, address, data, status, generation, nanoTime)) {
            trigger();
        }
    }

    /** Whether an interrupt is recorded. */
    boolean wantsInterrupt(Now rules, InterruptKind kind, long vector, int generation) {
        long nanos = trace.since(System.nanoTime());
        return rules.where() == null
                || rules.where().testInterrupt(kind, vector, nanos, generation);
    }

    /** There was an interrupt: perhaps the recording ends with it. */
    void interrupted(Now rules, InterruptKind kind, long vector, int generation) {
        long nanos = trace.since(System.nanoTime());
        if (rules.until() != null && rules.until().testInterrupt(kind, vector, nanos, generation)) {
            trigger();
        }
    }

    private static long value(MemorySegment data) {
        long length = data.byteSize();
        if (length >= Long.BYTES) {
            return data.get(TraceFormat.LONG_UNALIGNED, 0);
        }
        if (length == Integer.BYTES) {
            return data.get(TraceFormat.INT_UNALIGNED, 0) & 0xFFFF_FFFFL;
        }
        long value = 0;
        for (long at = length - 1; at >= 0; at--) {
            value = value << 8 | (data.get(ValueLayout.JAVA_BYTE, at) & 0xFFL);
        }
        return value;
    }
}
