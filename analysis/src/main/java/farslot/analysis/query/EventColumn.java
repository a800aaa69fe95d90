package farslot.analysis.query;

import java.util.Locale;

/**
 * The columns of the table {@code events}, one row an event, in order; docs/queries.md says what
 * each holds. What an event does not have is null. Names are those of {@code trace show --json},
 * and API.
 */
public enum EventColumn {
    NUMBER(Type.LONG),
    NANOS(Type.LONG),
    KIND(Type.TEXT),
    REGION(Type.TEXT),
    OFFSET(Type.ULONG),
    REGISTER(Type.TEXT),
    KNOWN(Type.BOOLEAN),
    WIDTH_BYTES(Type.UBYTE),
    LENGTH(Type.ULONG),
    VALUE(Type.ULONG),
    BYTE_ENABLES(Type.ULONG),
    STATUS(Type.TEXT),
    DURATION_NANOS(Type.UINT),
    GENERATION(Type.UINT),
    UNDER_WAY(Type.BOOLEAN),
    ADDRESS(Type.ULONG),
    DIRECTION(Type.TEXT),
    INTERRUPT(Type.TEXT),
    VECTOR(Type.ULONG),
    VECTORS(Type.ULONG),
    DETAIL(Type.TEXT),
    DATA(Type.BYTES),
    DIGEST(Type.ULONG),
    COUNT(Type.ULONG),
    EPOCH(Type.ULONG),
    PROGRAM_COUNTER(Type.ULONG),
    LINK_NANOS(Type.LONG),
    VERIFICATION(Type.TEXT);

    /** How a column is kept: a format of the Arrow C data interface, and DuckDB's type. */
    enum Type {
        LONG("l", 8, "BIGINT"),
        ULONG("L", 8, "UBIGINT"),
        UINT("I", 4, "UINTEGER"),
        UBYTE("C", 1, "UTINYINT"),
        /** A bit each. */
        BOOLEAN("b", 0, "BOOLEAN"),
        /** UTF-8: where each row's ends, and the bytes of all rows. */
        TEXT("u", 4, "VARCHAR"),
        BYTES("z", 4, "BLOB");

        final String arrow;

        /** Of each row's value, or of where its bytes end. */
        final int valueBytes;

        final String sql;

        Type(String arrow, int valueBytes, String sql) {
            this.arrow = arrow;
            this.valueBytes = valueBytes;
            this.sql = sql;
        }

        boolean hasBytes() {
            return this == TEXT || this == BYTES;
        }
    }

    /** The most bytes of data of one event in a table; the trace itself has all. */
    static final int MAX_DATA_BYTES = 4096;

    private final Type type;

    EventColumn(Type type) {
        this.type = type;
    }

    /** Its name in SQL. */
    public String column() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Its type, as DuckDB calls it. */
    public String sqlType() {
        return type.sql;
    }

    Type type() {
        return type;
    }
}
