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
        CsvCell.append(text, trace);
        for (String value : values) {
            CsvCell.append(text.append(','), value);
        }
        text.append("\r\n");
    }
}
