package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.DmaMap;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.PciHost;
import farslot.core.ResetKind;
import farslot.core.StateException;
import farslot.core.Tap;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The tap that records: every access, DMA, interrupt, map and reset of one function, in both
 * directions, into a trace.
 *
 * <p>It changes nothing of what passes, adds no waiting of its own, and allocates nothing per
 * access. What a device does through {@link PciHost#near} passes no tap; the trace says that it
 * asked for it.
 */
public final class RecorderTap extends Tap implements AutoCloseable {
    private static final int NO_STATUS = TraceFormat.NO_STATUS;

    private final TraceWriter trace;
    private final TraceOptions.DmaData dmaData;
    private final Selection selection;

    private RecorderTap(
            PciFunction next,
            TraceWriter trace,
            TraceOptions.DmaData dmaData,
            Selection selection) {
        super(next);
        this.trace = trace;
        this.dmaData = dmaData;
        this.selection = selection;
    }

    /**
     * Puts a recorder before a function. To be done before the function is attached to its host.
     *
     * @param next the function to record
     * @param file the trace, which must not exist
     * @throws TraceException where the file cannot be made
     */
    public static RecorderTap recording(PciFunction next, Path file, TraceOptions options)
            throws TraceException {
        TraceWriter trace = TraceWriter.create(file, TraceSubject.of(next), options);
        Selection selection = new Selection(trace, next.describe(), options.rules());
        return new RecorderTap(next, trace, options.dmaData(), selection);
    }

    /** The same recorder before another function: what is under way in this one goes on here. */
    RecorderTap over(PciFunction other) {
        return new RecorderTap(other, trace, dmaData, selection);
    }

    /** What is recorded. */
    public RecordingRules rules() {
        return selection.rules();
    }

    /** Records by other rules from now on; the trace says so. Any thread, at any time. */
    public void change(RecordingRules rules) {
        selection.change(rules);
    }

    /** Who acknowledges what is in the mode "flush-remote"; null for nobody. */
    public void remoteFlush(RemoteFlush remote) {
        selection.remote(remote);
    }

    /**
     * Has something done once {@link RecordingRules#until} has held and the recording was ended.
     */
    public void whenOver(Runnable listener) {
        selection.whenOver(listener);
    }

    /** How the recording is ended once {@code until} has held; else its trace is closed. */
    void endBy(Runnable how) {
        selection.endBy(how);
    }

    /** The trace, for marks and for what was lost. */
    public TraceWriter trace() {
        return trace;
    }

    /** Nothing more is recorded, and what was counted is told. */
    void end() {
        selection.end();
    }

    /** Ends the trace; the function goes on, unrecorded. */
    @Override
    public void close() throws TraceException {
        end();
        trace.close();
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
        Selection.Now now = selection.now();
        if (!now.isAll()) {
            return readSelected(now, region, offset, into, widthBytes);
        }
        int length = clamped(into.byteSize());
        long slot =
                trace.begin(
                        TraceFormat.KIND_READ,
                        next().generation(),
                        region,
                        widthBytes,
                        0,
                        offset,
                        0,
                        length,
                        length,
                        null);
        CompletionStatus status = next().read(region, offset, into, widthBytes);
        trace.end(slot, status, 0, 0, status.isSuccess() ? into : null, length);
        return status;
    }

    @Override
    public CompletionStatus write(
            int region, long offset, MemorySegment from, int widthBytes, long byteEnables) {
        Selection.Now now = selection.now();
        if (!now.isAll()) {
            return writeSelected(now, region, offset, from, widthBytes, byteEnables);
        }
        int length = clamped(from.byteSize());
        long slot =
                trace.begin(
                        TraceFormat.KIND_WRITE,
                        next().generation(),
                        region,
                        widthBytes,
                        0,
                        offset,
                        byteEnables,
                        length,
                        length,
                        from);
        CompletionStatus status = next().write(region, offset, from, widthBytes, byteEnables);
        trace.end(slot, status, byteEnables, 0, from, length);
        return status;
    }

    private CompletionStatus readSelected(
            Selection.Now now, int region, long offset, MemorySegment into, int widthBytes) {
        int generation = next().generation();
        long began = System.nanoTime();
        RangeMode.Mode mode = now.mode(false, region, offset, into.byteSize());
        long slot =
                beginSelected(
                        now, mode, false, region, offset, into, widthBytes, -1, generation, began);
        CompletionStatus status = next().read(region, offset, into, widthBytes);
        endSelected(
                now,
                mode,
                slot,
                false,
                region,
                offset,
                into,
                widthBytes,
                -1,
                status,
                generation,
                began);
        return status;
    }

    private CompletionStatus writeSelected(
            Selection.Now now,
            int region,
            long offset,
            MemorySegment from,
            int widthBytes,
            long byteEnables) {
        int generation = next().generation();
        long began = System.nanoTime();
        RangeMode.Mode mode = now.mode(true, region, offset, from.byteSize());
        if (now.guestMarks() != null) {
            now.guestMarks().written(region, offset, from, byteEnables);
        }
        long slot =
                beginSelected(
                        now,
                        mode,
                        true,
                        region,
                        offset,
                        from,
                        widthBytes,
                        byteEnables,
                        generation,
                        began);
        CompletionStatus status = next().write(region, offset, from, widthBytes, byteEnables);
        endSelected(
                now,
                mode,
                slot,
                true,
                region,
                offset,
                from,
                widthBytes,
                byteEnables,
                status,
                generation,
                began);
        return status;
    }

    /** Records that an access begins, where the rules want it and know already that they do. */
    private long beginSelected(
            Selection.Now now,
            RangeMode.Mode mode,
            boolean write,
            int region,
            long offset,
            MemorySegment data,
            int widthBytes,
            long byteEnables,
            int generation,
            long began) {
        if (mode.compareTo(RangeMode.Mode.RECORD) < 0
                || !selection.wantsBegun(
                        now,
                        write,
                        region,
                        offset,
                        data,
                        widthBytes,
                        byteEnables,
                        generation,
                        began)) {
            return TraceWriter.NOWHERE;
        }
        long slot =
                beginAccess(
                        write, region, offset, data, widthBytes, byteEnables, generation, began);
        if (mode != RangeMode.Mode.RECORD && slot != TraceWriter.NOWHERE) {
            selection.flush(mode, slot);
        }
        return slot;
    }

    private long beginAccess(
            boolean write,
            int region,
            long offset,
            MemorySegment data,
            int widthBytes,
            long byteEnables,
            int generation,
            long began) {
        int length = clamped(data.byteSize());
        return trace.begin(
                began,
                write ? TraceFormat.KIND_WRITE : TraceFormat.KIND_READ,
                generation,
                region,
                widthBytes,
                0,
                offset,
                write ? byteEnables : 0,
                length,
                length,
                write ? data : null);
    }

    private void endSelected(
            Selection.Now now,
            RangeMode.Mode mode,
            long slot,
            boolean write,
            int region,
            long offset,
            MemorySegment data,
            int widthBytes,
            long byteEnables,
            CompletionStatus status,
            int generation,
            long began) {
        long ended = slot;
        if (mode.compareTo(RangeMode.Mode.RECORD) >= 0
                && now.isDecidedAtEnd()
                && selection.holds(
                        now.where(),
                        write,
                        region,
                        offset,
                        data,
                        widthBytes,
                        byteEnables,
                        status,
                        generation,
                        began)) {
            ended =
                    beginAccess(
                            write,
                            region,
                            offset,
                            data,
                            widthBytes,
                            byteEnables,
                            generation,
                            began);
        }
        boolean moved = write || status.isSuccess();
        trace.end(
                ended,
                status,
                write ? byteEnables : 0,
                0,
                moved ? data : null,
                clamped(data.byteSize()));
        selection.ended(
                now,
                write,
                region,
                offset,
                data,
                widthBytes,
                byteEnables,
                status,
                generation,
                began);
    }

    @Override
    public void interrupts(InterruptKind kind, int first, int count, InterruptAction action) {
        trace.record(
                TraceFormat.KIND_INTERRUPT_CONTROL,
                next().generation(),
                kind.code(),
                0,
                NO_STATUS,
                action.code(),
                first,
                count,
                null);
        next().interrupts(kind, first, count, action);
    }

    @Override
    public void map(DmaMap map) {
        recordMap(map);
        next().map(map);
    }

    /** There is a map: it has come, or was there when the recording began. */
    void recordMap(DmaMap map) {
        int detail = (map.near() == null ? 0 : 1) | (map.servedWhileWaiting() ? 2 : 0);
        trace.record(
                TraceFormat.KIND_MAP,
                next().generation(),
                map.direction().bits(),
                0,
                NO_STATUS,
                detail,
                map.address(),
                map.length(),
                null);
    }

    @Override
    public CompletionStatus unmap(long address, long length) {
        long slot = beginPlain(TraceFormat.KIND_UNMAP, 0, address, length);
        CompletionStatus status = next().unmap(address, length);
        trace.end(slot, status, length, 0, null, 0);
        return status;
    }

    @Override
    public CompletionStatus reset(ResetKind kind) {
        long slot = beginPlain(TraceFormat.KIND_RESET, kind.code(), 0, 0);
        CompletionStatus status = next().reset(kind);
        trace.end(slot, status, next().generation(), 0, null, 0);
        return status;
    }

    @Override
    public CompletionStatus quiesce() {
        long slot = beginPlain(TraceFormat.KIND_STATE, TraceFormat.STATE_QUIESCE, 0, 0);
        CompletionStatus status = next().quiesce();
        trace.end(slot, status, 0, 0, null, 0);
        return status;
    }

    @Override
    public void resume() {
        long slot = beginPlain(TraceFormat.KIND_STATE, TraceFormat.STATE_RESUME, 0, 0);
        next().resume();
        trace.end(slot, CompletionStatus.SUCCESS, 0, 0, null, 0);
    }

    @Override
    public byte[] save() throws StateException {
        long slot = beginPlain(TraceFormat.KIND_STATE, TraceFormat.STATE_SAVE, 0, 0);
        byte[] state = null;
        try {
            state = next().save();
            return state;
        } finally {
            trace.end(slot, saved(state != null), state == null ? 0 : state.length, 0, null, 0);
        }
    }

    @Override
    public void load(byte[] state) throws StateException {
        long slot = beginPlain(TraceFormat.KIND_STATE, TraceFormat.STATE_LOAD, 0, state.length);
        boolean loaded = false;
        try {
            next().load(state);
            loaded = true;
        } finally {
            trace.end(slot, saved(loaded), state.length, 0, null, 0);
        }
    }

    private static CompletionStatus saved(boolean done) {
        return done ? CompletionStatus.SUCCESS : CompletionStatus.COMPLETER_ABORT;
    }

    @Override
    protected PciHost around(PciHost host) {
        recordAttached();
        return recording(host);
    }

    /** The driver's side with the recorder before it. */
    PciHost recording(PciHost host) {
        return new RecordingHost(host, this::generation, trace, dmaData, selection);
    }

    /** There is a driver's side: it has come, or was there when the recording began. */
    void recordAttached() {
        trace.record(TraceFormat.KIND_ATTACH, next().generation(), 0, 0, NO_STATUS, 1, 0, 0, null);
    }

    @Override
    protected void detached() {
        trace.record(TraceFormat.KIND_ATTACH, next().generation(), 0, 0, NO_STATUS, 0, 0, 0, null);
    }

    /**
     * Says that another tap, which sits beside this one, has changed what passed.
     *
     * @param tap its name, of at most 255 bytes of UTF-8
     * @param region its index; {@link TraceEvent.Changed#MEMORY} where DMA was changed
     * @param address offset in the region, or DMA address
     * @param before what it was
     * @param after what it was changed to; as long
     */
    public void changed(
            String tap, int region, long address, MemorySegment before, MemorySegment after) {
        byte[] name = tap.getBytes(StandardCharsets.UTF_8);
        long each = before.byteSize();
        if (name.length > 255 || after.byteSize() != each) {
            throw new IllegalArgumentException(
                    "A tap has a name of at most 255 bytes, and does not change lengths.");
        }
        MemorySegment data = MemorySegment.ofArray(new byte[(int) (name.length + 2 * each)]);
        MemorySegment.copy(MemorySegment.ofArray(name), 0, data, 0, name.length);
        MemorySegment.copy(before, 0, data, name.length, each);
        MemorySegment.copy(after, 0, data, name.length + each, each);
        trace.record(
                TraceFormat.KIND_CHANGED,
                next().generation(),
                region == TraceEvent.Changed.MEMORY ? TraceFormat.WHERE_MEMORY : region,
                0,
                NO_STATUS,
                name.length,
                address,
                0,
                data);
    }

    private long beginPlain(int kind, int detail, long address, long extra) {
        return trace.begin(kind, next().generation(), 0, 0, detail, address, extra, 0, 0, null);
    }

    static int clamped(long bytes) {
        return (int) Math.min(bytes, Integer.MAX_VALUE);
    }
}
