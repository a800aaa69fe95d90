package farslot.analysis.query;

/** A JSON object on a line of its own for each row. */
@SuppressWarnings("EnumOrdinal") // a column's place is what its ordinal is for
final class JsonRows extends TextRows {
    JsonRows(String trace) {
        super(trace);
    }

    @Override
    void line(String[] values) {
        text.append("{\"trace\":");
        quoted(trace);
        for (EventColumn column : COLUMNS) {
            String value = values[column.ordinal()];
            if (value == null) {
                continue;
            }
            text.append(",\"").append(column.column()).append("\":");
            if (column.type().hasBytes()) {
                quoted(value);
            } else {
                text.append(value);
            }
        }
        text.append("}\n");
    }

    /** RFC 8259, 7; what would command a terminal is escaped too. */
    private void quoted(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (Character.isISOControl(c)) {
                String hex = Integer.toHexString(c);
                text.append("\\u").repeat('0', 4 - hex.length()).append(hex);
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
