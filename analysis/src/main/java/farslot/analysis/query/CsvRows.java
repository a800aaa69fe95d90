package farslot.analysis.query;

/** A line of RFC 4180 for each row. */
final class CsvRows extends TextRows {
    CsvRows(String trace) {
        super(trace);
    }

    /** The first line. */
    void headings() {
        text.append("trace");
        for (EventColumn column : COLUMNS) {
            text.append(',').append(column.column());
        }
        text.append("\r\n");
    }

    @Override
    void line(String[] values) {
        append(trace);
        for (String value : values) {
            text.append(',');
            if (value != null) {
                append(value);
            }
        }
        text.append("\r\n");
    }

    private void append(String value) {
        if (!value.isEmpty() && value.chars().noneMatch(c -> ",\"\r\n".indexOf(c) >= 0)) {
            text.append(value);
            return;
        }
        text.append('"').append(value.replace("\"", "\"\"")).append('"');
    }
}
