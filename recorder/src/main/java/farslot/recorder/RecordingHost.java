package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaSegment;
import farslot.core.ForwardingHost;
import farslot.core.FunctionEvent;
import farslot.core.InterruptKind;
import farslot.core.PciHost;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntSupplier;

/** The way from the function to its driver, recorded: DMA, interrupts, events. */
final class RecordingHost extends ForwardingHost {
    private static final int NO_STATUS = TraceFormat.NO_STATUS;

    private final IntSupplier generation;
    private final TraceWriter trace;
    private final TraceOptions.DmaData dmaData;
    private final Selection selection;

    /**
     * @param generation of the function, for events, which do not say it
     */
    RecordingHost(
            PciHost next,
            IntSupplier generation,
            TraceWriter trace,
            TraceOptions.DmaData dmaData,
            Selection selection) {
        super(next);
        this.generation = generation;
        this.trace = trace;
        this.dmaData = dmaData;
        this.selection = selection;
    }

    @Override
    public CompletionStatus read(int generation, long address, MemorySegment into) {
        Selection.Now now = selection.now();
        long began = System.nanoTime();
        long slot = begin(now, false, generation, address, into, null, began);
        CompletionStatus status = next().read(generation, address, into);
        end(now, slot, false, generation, address, into, status, began);
        return status;
    }

    @Override
    public CompletionStatus write(int generation, long address, MemorySegment from) {
        Selection.Now now = selection.now();
        long began = System.nanoTime();
        long slot = begin(now, true, generation, address, from, from, began);
        CompletionStatus status = next().write(generation, address, from);
        end(now, slot, true, generation, address, from, status, began);
        return status;
    }

    @Override
    public CompletionStatus readAll(int generation, List<DmaSegment> segments) {
        Selection.Now now = selection.now();
        long began = System.nanoTime();
        long[] slots = beginAll(now, false, generation, segments, began);
        CompletionStatus status = next().readAll(generation, segments);
        endAll(now, slots, false, generation, segments, status, began);
        return status;
    }

    @Override
    public CompletionStatus writeAll(int generation, List<DmaSegment> segments) {
        Selection.Now now = selection.now();
        long began = System.nanoTime();
        long[] slots = beginAll(now, true, generation, segments, began);
        CompletionStatus status = next().writeAll(generation, segments);
        endAll(now, slots, true, generation, segments, status, began);
        return status;
    }

    /** The slots do not outlive the call; a list's transfers are one access to its caller. */
    private long[] beginAll(
            Selection.Now now,
            boolean write,
            int generation,
            List<DmaSegment> segments,
            long began) {
        long[] slots = new long[segments.size()];
        for (int i = 0; i < slots.length; i++) {
            DmaSegment segment = segments.get(i);
            slots[i] =
                    begin(now, write, generation, segment.address(), segment.data(), null, began);
        }
        return slots;
    }

    private void endAll(
            Selection.Now now,
            long[] slots,
            boolean write,
            int generation,
            List<DmaSegment> segments,
            CompletionStatus status,
            long began) {
        for (int i = 0; i < slots.length; i++) {
            DmaSegment segment = segments.get(i);
            end(now, slots[i], write, generation, segment.address(), segment.data(), status, began);
        }
    }

    /** Records that DMA begins, where the rules want it and know already that they do. */
    private long begin(
            Selection.Now now,
            boolean write,
            int generation,
            long address,
            MemorySegment data,
            MemorySegment known,
            long began) {
        boolean wanted =
                now.where() == null
                        || (!now.where().needsEnd()
                                && selection.holdsDma(
                                        now.where(),
                                        write,
                                        address,
                                        data,
                                        null,
                                        generation,
                                        began));
        return !now.over() && wanted
                ? beginWanted(write, generation, address, data, known, began)
                : TraceWriter.NOWHERE;
    }

    private long beginWanted(
            boolean write,
            int generation,
            long address,
            MemorySegment data,
            MemorySegment known,
            long began) {
        int kind = write ? TraceFormat.KIND_DMA_WRITE : TraceFormat.KIND_DMA_READ;
        int length = RecorderTap.clamped(data.byteSize());
        return trace.begin(
                began, kind, generation, 0, 0, 0, address, 0, length, kept(length), known);
    }

    private void end(
            Selection.Now now,
            long slot,
            boolean write,
            int generation,
            long address,
            MemorySegment data,
            CompletionStatus status,
            long began) {
        long ended = slot;
        if (now.isDecidedAtEnd()
                && selection.holdsDma(
                        now.where(), write, address, data, status, generation, began)) {
            ended = beginWanted(write, generation, address, data, null, began);
        }
        if (ended != TraceWriter.NOWHERE) {
            endDma(ended, status, write || status.isSuccess() ? data : null);
        }
        selection.dmaEnded(now, write, address, data, status, generation, began);
    }

    private void endDma(long slot, CompletionStatus status, MemorySegment data) {
        if (data == null || !dmaData.digest()) {
            trace.end(slot, status, 0, 0, data, data == null ? 0 : kept(data.byteSize()));
        } else {
            long digest = DataDigest.of(data);
            trace.end(slot, status, digest, TraceFormat.FLAG_DIGEST, data, kept(data.byteSize()));
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
        Selection.Now now = selection.now();
        if (!now.over() && selection.wantsInterrupt(now, kind, vector, generation)) {
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
        }
        selection.interrupted(now, kind, vector, generation);
        next().interrupt(generation, kind, vector);
    }

    @Override
    public void event(FunctionEvent event) {
        recordEvent(event);
        next().event(event);
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
                generation.getAsInt(),
                where,
                0,
                NO_STATUS,
                detail,
                address,
                extra,
                MemorySegment.ofArray(text));
    }
}
