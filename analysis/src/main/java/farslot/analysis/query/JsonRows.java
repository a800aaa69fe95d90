package farslot.analysis.query;

import farslot.recorder.JsonLine;

/** A JSON object on a line of its own for each row. */
@SuppressWarnings("EnumOrdinal") // a column's place is what its ordinal is for
final class JsonRows extends TextRows {
    JsonRows(String trace) {
        super(trace);
    }

    @Override
    void line(String[] values) {
        JsonLine json = new JsonLine().text("trace", trace);
        for (EventColumn column : COLUMNS) {
            String value = values[column.ordinal()];
            if (value == null) {
                continue;
            }
            if (column.type().hasBytes()) {
                json.text(column.column(), value);
            } else {
                json.literal(column.column(), value);
            }
        }
        text.append(json.end()).append('\n');
    }
}
