package farslot.analysis.query;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/** Rows as text: a row's columns are kept until it is whole, then written in their order. */
@SuppressWarnings("EnumOrdinal") // a column's place is what its ordinal is for
abstract class TextRows implements RowSink {
    static final EventColumn[] COLUMNS = EventColumn.values();

    /** What is not moved away yet. */
    final StringBuilder text = new StringBuilder();

    /** What the column {@code trace} says. */
    final String trace;

    private final String[] values = new String[COLUMNS.length];

    TextRows(String trace) {
        this.trace = trace;
    }

    /** Appends the row's line; null is a column that it does not have. */
    abstract void line(String[] values);

    /** Writes the rows that are whole. */
    void moveTo(Writer writer) throws IOException {
        writer.append(text);
        text.setLength(0);
    }

    @Override
    public void put(EventColumn column, long value) {
        values[column.ordinal()] =
                switch (column.type()) {
                    case LONG -> Long.toString(value);
                    case ULONG -> Long.toUnsignedString(value);
                    case UINT -> Integer.toUnsignedString((int) value);
                    case UBYTE -> Integer.toString((int) value & 0xff);
                    case BOOLEAN -> value == 0 ? "false" : "true";
                    case TEXT, BYTES -> throw new IllegalArgumentException(column + " no number");
                };
    }

    @Override
    public void put(EventColumn column, byte[] bytes, int length) {
        values[column.ordinal()] =
                column.type() == EventColumn.Type.BYTES
                        ? HexFormat.of().formatHex(bytes, 0, length)
                        : new String(bytes, 0, length, StandardCharsets.UTF_8);
    }

    @Override
    public void endRow() {
        line(values);
        Arrays.fill(values, null);
    }
}
