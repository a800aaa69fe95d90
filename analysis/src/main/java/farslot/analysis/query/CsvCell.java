package farslot.analysis.query;

/** One value of a line of CSV: RFC 4180. */
public final class CsvCell {
    private CsvCell() {}

    /** Appends it: null is nothing, an empty text is "". */
    public static void append(StringBuilder line, String value) {
        if (value == null) {
            return;
        }
        if (!value.isEmpty() && value.chars().noneMatch(c -> ",\"\r\n".indexOf(c) >= 0)) {
            line.append(value);
            return;
        }
        line.append('"').append(value.replace("\"", "\"\"")).append('"');
    }
}
