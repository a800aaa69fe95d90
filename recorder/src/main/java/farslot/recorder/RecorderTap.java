package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.FunctionEvent;
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
import java.util.List;

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

    private RecorderTap(PciFunction next, TraceWriter trace, TraceOptions.DmaData dmaData) {
        super(next);
        this.trace = trace;
        this.dmaData = dmaData;
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
        return new RecorderTap(next, trace, options.dmaData());
    }

    /** The same recorder before another function: what is under way in this one goes on here. */
    RecorderTap over(PciFunction other) {
        return new RecorderTap(other, trace, dmaData);
    }

    /** The trace, for marks and for what was lost. */
    public TraceWriter trace() {
        return trace;
    }

    /** Ends the trace; the function goes on, unrecorded. */
    @Override
    public void close() throws TraceException {
        trace.close();
    }

    @Override
    public CompletionStatus read(int region, long offset, MemorySegment into, int widthBytes) {
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
        return new RecordingHost(host);
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

    private static int clamped(long bytes) {
        return (int) Math.min(bytes, Integer.MAX_VALUE);
    }

    /** The way from the function to its driver. */
    private final class RecordingHost extends ForwardingHost {
        RecordingHost(PciHost next) {
            super(next);
        }

        @Override
        public CompletionStatus read(int generation, long address, MemorySegment into) {
            long slot = beginDma(TraceFormat.KIND_DMA_READ, generation, address, into, null);
            CompletionStatus status = next().read(generation, address, into);
            endDma(slot, status, status.isSuccess() ? into : null);
            return status;
        }

        @Override
        public CompletionStatus write(int generation, long address, MemorySegment from) {
            long slot = beginDma(TraceFormat.KIND_DMA_WRITE, generation, address, from, from);
            CompletionStatus status = next().write(generation, address, from);
            endDma(slot, status, from);
            return status;
        }

        @Override
        public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
            long[] slots = beginAll(TraceFormat.KIND_DMA_READ, generation, segments);
            CompletionStatus status = next().readAll(generation, segments);
            endAll(slots, status, segments, status.isSuccess());
            return status;
        }

        @Override
        public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
            long[] slots = beginAll(TraceFormat.KIND_DMA_WRITE, generation, segments);
            CompletionStatus status = next().writeAll(generation, segments);
            endAll(slots, status, segments, true);
            return status;
        }

        /** The slots do not outlive the call; a list's transfers are one access to its caller. */
        private long[] beginAll(int kind, int generation, List<DmaSegment> segments) {
            long[] slots = new long[segments.size()];
            for (int i = 0; i < slots.length; i++) {
                DmaSegment segment = segments.get(i);
                slots[i] = beginDma(kind, generation, segment.address(), segment.data(), null);
            }
            return slots;
        }

        private void endAll(
                long[] slots, CompletionStatus status, List<DmaSegment> segments, boolean moved) {
            for (int i = 0; i < slots.length; i++) {
                endDma(slots[i], status, moved ? segments.get(i).data() : null);
            }
        }

        private long beginDma(
                int kind, int generation, long address, MemorySegment data, MemorySegment known) {
            int length = clamped(data.byteSize());
            return trace.begin(kind, generation, 0, 0, 0, address, 0, length, kept(length), known);
        }

        private void endDma(long slot, CompletionStatus status, MemorySegment data) {
            if (data == null || !dmaData.digest()) {
                trace.end(slot, status, 0, 0, data, data == null ? 0 : kept(data.byteSize()));
            } else {
                long digest = DataDigest.of(data);
                trace.end(
                        slot, status, digest, TraceFormat.FLAG_DIGEST, data, kept(data.byteSize()));
            }
        }

        private int kept(long bytes) {
            return dmaData.keptOf(bytes);
        }

        @Override
        public MemorySegment near(int generation, long address, long length, Direction direction) {
            MemorySegment memory = next().near(generation, address, length, direction);
            trace.record(
                    TraceFormat.KIND_NEAR,
                    generation,
                    direction.bits(),
                    0,
                    NO_STATUS,
                    memory == null ? 0 : 1,
                    address,
                    length,
                    null);
            return memory;
        }

        @Override
        public void interrupt(int generation, InterruptKind kind, int vector) {
            trace.record(
                    TraceFormat.KIND_INTERRUPT,
                    generation,
                    kind.code(),
                    0,
                    NO_STATUS,
                    0,
                    vector,
                    0,
                    null);
            next().interrupt(generation, kind, vector);
        }

        @Override
        public void event(FunctionEvent event) {
            recordEvent(event);
            next().event(event);
        }
    }

    private void recordEvent(FunctionEvent event) {
        switch (event) {
            case FunctionEvent.Error e ->
                    event(TraceFormat.EVENT_ERROR, 0, 0, e.fatal() ? 1 : 0, e.sentence());
            case FunctionEvent.PowerManagement e ->
                    event(TraceFormat.EVENT_POWER_MANAGEMENT, 0, 0, 0, "");
            case FunctionEvent.Presence e ->
                    event(TraceFormat.EVENT_PRESENCE, 0, 0, e.present() ? 1 : 0, "");
            case FunctionEvent.DescriptionChanged e ->
                    event(TraceFormat.EVENT_DESCRIPTION_CHANGED, 0, 0, 0, "");
            case FunctionEvent.GoingAway e ->
                    event(TraceFormat.EVENT_GOING_AWAY, 0, 0, 0, e.sentence());
            case FunctionEvent.NewGeneration e ->
                    event(TraceFormat.EVENT_NEW_GENERATION, e.kind().code(), 0, e.generation(), "");
            case FunctionEvent.DmaRefused e ->
                    event(
                            TraceFormat.EVENT_DMA_REFUSED,
                            e.direction().bits(),
                            e.address(),
                            e.length(),
                            e.sentence());
        }
    }

    private void event(int detail, int where, long address, long extra, String sentence) {
        byte[] text = TraceWriter.textBytes(sentence);
        trace.record(
                TraceFormat.KIND_EVENT,
                next().generation(),
                where,
                0,
                NO_STATUS,
                detail,
                address,
                extra,
                MemorySegment.ofArray(text));
    }
}
