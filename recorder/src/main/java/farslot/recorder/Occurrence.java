package farslot.recorder;

import farslot.core.CompletionStatus;
import farslot.core.FunctionEvent;

/**
 * One event as the numbers that conditions ask for, whether it was read from a trace or is just
 * passing. Reused for the next: a thread has one.
 *
 * <p>Each field of {@link ConditionField} is a range, nearly always of one value; what the event
 * does not have is absent, and no comparison with it holds.
 */
@SuppressWarnings("EnumOrdinal") // an index within this process
final class Occurrence {
    private static final int FIELDS = ConditionField.values().length;
    private static final int KIND_READ = ConditionField.kindCode("read");
    private static final int KIND_WRITE = ConditionField.kindCode("write");
    private static final int KIND_DMA_READ = ConditionField.kindCode("dma-read");
    private static final int KIND_DMA_WRITE = ConditionField.kindCode("dma-write");
    private static final int KIND_INTERRUPT = ConditionField.kindCode("irq");

    private final long[] low = new long[FIELDS];
    private final long[] high = new long[FIELDS];
    private long present;

    /** Where the first byte is; -1 for what is in no region. */
    private int region;

    private long offset;
    private long length;
    private long value;

    /** How many bytes of {@link #value} are known. */
    private int valueBytes;

    private long byteEnables;
    private String text;

    boolean has(ConditionField field) {
        return (present & 1L << field.ordinal()) != 0;
    }

    /** The smallest value of a field that is there. */
    long low(ConditionField field) {
        return low[field.ordinal()];
    }

    /** The largest value of a field that is there. */
    long high(ConditionField field) {
        return high[field.ordinal()];
    }

    int region() {
        return region;
    }

    long offset() {
        return offset;
    }

    long length() {
        return length;
    }

    long value() {
        return value;
    }

    int valueBytes() {
        return valueBytes;
    }

    /** Of the bytes of the value, which were written; all of a read. */
    long byteEnables() {
        return byteEnables;
    }

    /** Of a mark or an event, or null. */
    String text() {
        return text;
    }

    private void set(ConditionField field, long number) {
        set(field, number, number);
    }

    private void set(ConditionField field, long from, long to) {
        int index = field.ordinal();
        low[index] = from;
        high[index] = to;
        present |= 1L << index;
    }

    private void begin(int kind, long nanos, int generation) {
        present = 0;
        region = -1;
        valueBytes = 0;
        text = null;
        set(ConditionField.KIND, kind);
        set(ConditionField.TIME, nanos);
        set(ConditionField.GENERATION, generation & 0xFFFF_FFFFL);
    }

    private void ended(CompletionStatus status, long tookNanos) {
        set(ConditionField.UNDER_WAY, status == null ? 1 : 0);
        if (status != null) {
            set(ConditionField.STATUS, status.code());
            set(ConditionField.TOOK, tookNanos);
        }
    }

    private void bytes(int where, long first, long count) {
        region = where;
        offset = first;
        length = count;
        set(ConditionField.REGION, where);
        set(ConditionField.LENGTH, count);
        if (count != 0) {
            long last = first + count - 1;
            boolean wraps = Long.compareUnsigned(last, first) < 0;
            set(ConditionField.BYTES, first, wraps ? -1 : last);
        }
    }

    /**
     * @param known whether the value is: that of a read is only when it has succeeded
     */
    private void moved(long firstBytes, boolean known) {
        if (known && length > 0) {
            valueBytes = (int) Math.min(length, Long.BYTES);
            value = firstBytes & (-1L >>> (Long.SIZE - valueBytes * Byte.SIZE));
            set(ConditionField.VALUE, value);
        }
    }

    void access(
            boolean write,
            int where,
            long first,
            long count,
            int width,
            long firstBytes,
            boolean known,
            long enables,
            CompletionStatus status,
            long nanos,
            long tookNanos,
            int generation) {
        begin(write ? KIND_WRITE : KIND_READ, nanos, generation);
        bytes(where, first, count);
        set(ConditionField.OFFSET, first);
        set(ConditionField.WIDTH, width);
        set(ConditionField.DIRECTION, write ? ConditionField.WRITING : ConditionField.READING);
        moved(firstBytes, known);
        byteEnables = write ? enables : -1;
        ended(status, tookNanos);
    }

    void dma(
            boolean write,
            long address,
            long count,
            long firstBytes,
            boolean known,
            CompletionStatus status,
            long nanos,
            long tookNanos,
            int generation) {
        begin(write ? KIND_DMA_WRITE : KIND_DMA_READ, nanos, generation);
        memory(address, count);
        set(ConditionField.DIRECTION, write ? ConditionField.WRITING : ConditionField.READING);
        moved(firstBytes, known);
        byteEnables = -1;
        ended(status, tookNanos);
    }

    private void memory(long address, long count) {
        bytes(ConditionField.MEMORY, address, count);
        set(ConditionField.ADDRESS, address);
    }

    void interrupt(int kind, long vector, long nanos, int generation) {
        begin(KIND_INTERRUPT, nanos, generation);
        set(ConditionField.INTERRUPT, kind);
        set(ConditionField.VECTOR, vector);
    }

    /** An event of a trace: the same as when it passed, with its number. */
    void event(TraceEvent event) {
        TraceEvent.Stamp stamp = event.stamp();
        long took = stamp.durationNanos();
        switch (event) {
            case TraceEvent.Access e ->
                    access(
                            e.write(),
                            e.region(),
                            e.offset(),
                            e.data().length(),
                            e.widthBytes(),
                            e.data().value(),
                            known(e.data()),
                            e.byteEnables(),
                            e.status(),
                            stamp.nanos(),
                            took,
                            stamp.generation());
            case TraceEvent.Dma e ->
                    dma(
                            e.write(),
                            e.address(),
                            e.data().length(),
                            e.data().value(),
                            known(e.data()),
                            e.status(),
                            stamp.nanos(),
                            took,
                            stamp.generation());
            case TraceEvent.Interrupt e ->
                    interrupt(e.kind().code(), e.vector(), stamp.nanos(), stamp.generation());
            default -> {
                int kind = ConditionField.kindCode(TraceText.kind(event));
                begin(kind, stamp.nanos(), stamp.generation());
                rarer(event, took);
            }
        }
        set(ConditionField.NUMBER, stamp.number());
        set(ConditionField.VERIFICATION, stamp.verification().ordinal());
        if (stamp.epoch() != 0) {
            set(ConditionField.EPOCH, stamp.epoch());
        }
        if (stamp.programCounter() != 0) {
            set(ConditionField.PC, stamp.programCounter());
        }
    }

    private static boolean known(TraceEvent.Data data) {
        return data.kept().length >= Math.min(Long.BYTES, data.length());
    }

    private void rarer(TraceEvent event, long took) {
        switch (event) {
            case TraceEvent.InterruptControl e -> {
                set(ConditionField.INTERRUPT, e.kind().code());
                set(ConditionField.ACTION, e.action().code());
                if (e.count() > 0) {
                    set(ConditionField.VECTOR, e.first(), e.first() + e.count() - 1);
                }
            }
            case TraceEvent.Reset e -> ended(e.status(), took);
            case TraceEvent.State e -> ended(e.status(), took);
            case TraceEvent.Mapped e -> memory(e.address(), e.length());
            case TraceEvent.Near e -> memory(e.address(), e.length());
            case TraceEvent.Unmapped e -> {
                memory(e.address(), e.length());
                ended(e.status(), took);
            }
            case TraceEvent.Mark e -> text = e.text();
            case TraceEvent.Told e -> text = sentence(e.event());
            case TraceEvent.Lease e -> text = e.slot() + " " + e.identity() + " " + e.why();
            case TraceEvent.Setting e -> text = e.setting();
            case TraceEvent.Changed e -> {
                if (e.region() == TraceEvent.Changed.MEMORY) {
                    memory(e.address(), e.after().length);
                } else {
                    bytes(e.region(), e.address(), e.after().length);
                    set(ConditionField.OFFSET, e.address());
                }
            }
            case TraceEvent.Counted e ->
                    bytes(e.region(), e.firstOffset(), e.lastOffset() - e.firstOffset() + 1);
            case TraceEvent.Attached e -> {}
            case TraceEvent.Lost e -> {}
            case TraceEvent.Access e -> {} // as it passed
            case TraceEvent.Dma e -> {}
            case TraceEvent.Interrupt e -> {}
        }
    }

    private static String sentence(FunctionEvent event) {
        return switch (event) {
            case FunctionEvent.Error e -> e.sentence();
            case FunctionEvent.GoingAway e -> e.sentence();
            case FunctionEvent.DmaRefused e -> e.sentence();
            default -> null;
        };
    }
}
