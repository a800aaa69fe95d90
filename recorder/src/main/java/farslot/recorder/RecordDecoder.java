package farslot.recorder;

import static farslot.recorder.TraceFormat.LONG;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.ResetKind;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** One record, with its data, as an event; its fields mean what its kind says. */
final class RecordDecoder {
    private static final int MOST_REGIONS = 8;

    private final MemorySegment trace;
    private final long at;
    private final int kind;
    private final TraceEvent.Stamp stamp;
    private final TraceEvent.Data data;

    /**
     * @param at the record's first byte
     * @param data with that of its continuations
     */
    RecordDecoder(
            MemorySegment trace, long at, int kind, TraceEvent.Stamp stamp, TraceEvent.Data data) {
        this.trace = trace;
        this.at = at;
        this.kind = kind;
        this.stamp = stamp;
        this.data = data;
    }

    /** The event, or null where a field has a value that means nothing. */
    TraceEvent event() {
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
                            ? new TraceEvent.Unmapped(stamp, address(), extra(), status())
                            : null;
            case TraceFormat.KIND_EVENT -> told();
            case TraceFormat.KIND_MARK ->
                    new TraceEvent.Mark(stamp, text(), detail() == TraceFormat.MARK_BY_GUEST);
            case TraceFormat.KIND_ATTACH -> new TraceEvent.Attached(stamp, detail() != 0);
            case TraceFormat.KIND_STATE -> state();
            case TraceFormat.KIND_NEAR -> near();
            case TraceFormat.KIND_LOST -> new TraceEvent.Lost(stamp, extra());
            case TraceFormat.KIND_LEASE -> lease();
            case TraceFormat.KIND_CHANGED -> changed();
            case TraceFormat.KIND_COUNTED -> counted();
            case TraceFormat.KIND_SETTING -> new TraceEvent.Setting(stamp, text());
            default -> null;
        };
    }

    private TraceEvent access(boolean write) {
        if (!statusSane() || where() >= MOST_REGIONS) {
            return null;
        }
        long enables = write ? extra() : -1L;
        return new TraceEvent.Access(
                stamp, write, where(), address(), width(), enables, status(), data);
    }

    private TraceEvent dma(boolean write) {
        return statusSane() ? new TraceEvent.Dma(stamp, write, address(), status(), data) : null;
    }

    private TraceEvent interrupt() {
        InterruptKind interrupt = InterruptKind.ofCode(where());
        return interrupt == null ? null : new TraceEvent.Interrupt(stamp, interrupt, address());
    }

    private TraceEvent control() {
        InterruptKind interrupt = InterruptKind.ofCode(where());
        InterruptAction action = InterruptAction.ofCode(detail());
        return interrupt == null || action == null
                ? null
                : new TraceEvent.InterruptControl(stamp, interrupt, action, address(), extra());
    }

    private TraceEvent reset() {
        ResetKind reset = ResetKind.ofCode(detail());
        return reset == null || !statusSane()
                ? null
                : new TraceEvent.Reset(stamp, reset, status(), extra());
    }

    private TraceEvent mapped() {
        Direction direction = Direction.ofBits(where());
        return direction == null
                ? null
                : new TraceEvent.Mapped(
                        stamp,
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
                : new TraceEvent.Near(stamp, address(), extra(), direction, detail() != 0);
    }

    private TraceEvent state() {
        TraceEvent.State.Operation[] operations = TraceEvent.State.Operation.values();
        return detail() < 1 || detail() > operations.length || !statusSane()
                ? null
                : new TraceEvent.State(stamp, operations[detail() - 1], extra(), status());
    }

    private TraceEvent told() {
        FunctionEvent event =
                switch (detail()) {
                    case TraceFormat.EVENT_ERROR -> new FunctionEvent.Error(extra() != 0, text());
                    case TraceFormat.EVENT_POWER_MANAGEMENT -> new FunctionEvent.PowerManagement();
                    case TraceFormat.EVENT_PRESENCE -> new FunctionEvent.Presence(extra() != 0);
                    case TraceFormat.EVENT_DESCRIPTION_CHANGED ->
                            new FunctionEvent.DescriptionChanged();
                    case TraceFormat.EVENT_GOING_AWAY -> new FunctionEvent.GoingAway(text());
                    case TraceFormat.EVENT_NEW_GENERATION -> newGeneration();
                    case TraceFormat.EVENT_DMA_REFUSED -> dmaRefused();
                    default -> null;
                };
        return event == null ? null : new TraceEvent.Told(stamp, event);
    }

    private FunctionEvent newGeneration() {
        ResetKind reset = ResetKind.ofCode(where());
        return reset == null ? null : new FunctionEvent.NewGeneration((int) extra(), reset);
    }

    private FunctionEvent dmaRefused() {
        Direction direction = Direction.ofBits(where());
        return direction == null
                ? null
                : new FunctionEvent.DmaRefused(address(), extra(), direction, text());
    }

    private TraceEvent lease() {
        String[] words = text().split("\0", 3);
        boolean known = detail() == TraceFormat.LEASE_BEGUN || detail() == TraceFormat.LEASE_ENDED;
        return words.length < 3 || !known
                ? null
                : new TraceEvent.Lease(
                        stamp,
                        detail() == TraceFormat.LEASE_BEGUN,
                        extra(),
                        words[0],
                        words[1],
                        words[2]);
    }

    private TraceEvent changed() {
        byte[] kept = data.kept();
        int name = detail();
        int each = (kept.length - name) / 2;
        boolean memory = where() == TraceFormat.WHERE_MEMORY;
        if (kept.length < name || (!memory && where() >= MOST_REGIONS)) {
            return null;
        }
        return new TraceEvent.Changed(
                stamp,
                new String(kept, 0, name, StandardCharsets.UTF_8),
                memory ? TraceEvent.Changed.MEMORY : where(),
                address(),
                Arrays.copyOfRange(kept, name, name + each),
                Arrays.copyOfRange(kept, name + each, name + 2 * each));
    }

    private TraceEvent counted() {
        MemorySegment counts = MemorySegment.ofArray(data.kept());
        return counts.byteSize() < 2 * Long.BYTES || where() >= MOST_REGIONS
                ? null
                : new TraceEvent.Counted(
                        stamp,
                        where(),
                        address(),
                        extra(),
                        counts.get(TraceFormat.LONG_UNALIGNED, 0),
                        counts.get(TraceFormat.LONG_UNALIGNED, Long.BYTES));
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

    private CompletionStatus status() {
        return stamp.underWay()
                ? null
                : CompletionStatus.ofCode(unsignedByte(TraceFormat.STATUS_AT));
    }

    private boolean statusSane() {
        return stamp.underWay() || status() != null;
    }

    private int unsignedByte(int field) {
        return trace.get(ValueLayout.JAVA_BYTE, at + field) & 0xFF;
    }
}
