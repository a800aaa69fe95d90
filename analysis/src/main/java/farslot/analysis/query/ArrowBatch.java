package farslot.analysis.query;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Some thousand rows, each column in memory of its own as the Arrow columnar format lays it out: a
 * bit a row for "not null", then the values; of texts and bytes, where each ends, and all of them.
 *
 * <p>Filled by one thread, then read by DuckDB until it gives the batch back. What is touched for
 * each row is filled in Java's memory, and copied where DuckDB reads it once the batch is whole.
 */
@SuppressWarnings("EnumOrdinal") // a column's place is what its ordinal is for
final class ArrowBatch implements RowSink {
    /** A row group of DuckDB: what one of its threads works on at a time. */
    static final int MAX_ROWS = 122_880;

    /** A batch is full, too, when it has so many bytes of texts and data. */
    private static final long MAX_BYTES = 16L << 20;

    /** A bit each row. */
    private static final int BITS_BYTES = MAX_ROWS / Byte.SIZE;

    private static final int FIRST_BYTES = 1 << 16;
    private static final EventColumn[] COLUMNS = EventColumn.values();

    private final Arena arena;
    private final Column[] columns = new Column[COLUMNS.length];
    private int rows;
    private long bytes;

    /** What one column of the batch is made of. */
    private final class Column {
        final EventColumn.Type type;
        final MemorySegment present = arena.allocate(BITS_BYTES, Long.BYTES);
        final byte[] presentBits = new byte[BITS_BYTES];

        /** Of truths. */
        final byte[] trueBits;

        /** Where each row's bytes begin, and the last one's end. */
        final int[] places;

        final MemorySegment values;
        MemorySegment bytes;
        int used;

        Column(EventColumn.Type type) {
            this.type = type;
            long size =
                    type == EventColumn.Type.BOOLEAN
                            ? BITS_BYTES
                            : (MAX_ROWS + 1L) * type.valueBytes;
            this.values = arena.allocate(size, Long.BYTES);
            this.trueBits = type == EventColumn.Type.BOOLEAN ? new byte[BITS_BYTES] : null;
            this.places = type.hasBytes() ? new int[MAX_ROWS + 1] : null;
            this.bytes = type.hasBytes() ? arena.allocate(FIRST_BYTES, Long.BYTES) : null;
        }

        void set(byte[] bits) {
            bits[rows >>> 3] |= (byte) (1 << (rows & 7));
        }

        void clear() {
            Arrays.fill(presentBits, (byte) 0);
            if (trueBits != null) {
                Arrays.fill(trueBits, (byte) 0);
            }
            used = 0;
        }

        /** Copies to where DuckDB reads. */
        void finish() {
            int bits = (rows + Byte.SIZE - 1) / Byte.SIZE;
            MemorySegment.copy(presentBits, 0, present, ValueLayout.JAVA_BYTE, 0, bits);
            if (trueBits != null) {
                MemorySegment.copy(trueBits, 0, values, ValueLayout.JAVA_BYTE, 0, bits);
            }
            if (places != null) {
                MemorySegment.copy(places, 0, values, ValueLayout.JAVA_INT, 0, rows + 1);
            }
        }

        void makeRoom(int more) {
            if (used + more > bytes.byteSize()) {
                MemorySegment longer =
                        arena.allocate(Math.max(bytes.byteSize() * 2, used + more), Long.BYTES);
                MemorySegment.copy(bytes, 0, longer, 0, used);
                bytes = longer; // the shorter one is freed with the arena
            }
        }
    }

    ArrowBatch(Arena arena) {
        this.arena = arena;
        for (int i = 0; i < columns.length; i++) {
            columns[i] = new Column(COLUMNS[i].type());
        }
    }

    /** Forgets its rows. */
    void clear() {
        rows = 0;
        bytes = 0;
        for (Column column : columns) {
            column.clear();
        }
    }

    int rows() {
        return rows;
    }

    boolean isFull() {
        return rows == MAX_ROWS || bytes >= MAX_BYTES;
    }

    /** The buffers of a column, in Arrow's order, when the batch is whole. */
    MemorySegment[] buffers(int index) {
        Column column = columns[index];
        column.finish();
        return column.bytes == null
                ? new MemorySegment[] {column.present, column.values}
                : new MemorySegment[] {column.present, column.values, column.bytes};
    }

    @Override
    public void put(EventColumn to, long value) {
        Column column = columns[to.ordinal()];
        switch (column.type) {
            case LONG, ULONG ->
                    column.values.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, rows, value);
            case UINT ->
                    column.values.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, rows, (int) value);
            case UBYTE -> column.values.set(ValueLayout.JAVA_BYTE, rows, (byte) value);
            case BOOLEAN -> {
                if (value != 0) {
                    column.set(column.trueBits);
                }
            }
            case TEXT, BYTES -> throw new IllegalArgumentException(to + " is no number");
        }
        column.set(column.presentBits);
    }

    @Override
    public void put(EventColumn to, byte[] from, int length) {
        Column column = columns[to.ordinal()];
        column.makeRoom(length);
        MemorySegment.copy(from, 0, column.bytes, ValueLayout.JAVA_BYTE, column.used, length);
        column.used += length;
        bytes += length;
        column.set(column.presentBits);
    }

    @Override
    public void endRow() {
        rows++;
        for (Column column : columns) {
            if (column.places != null) {
                column.places[rows] = column.used;
            }
        }
    }
}
