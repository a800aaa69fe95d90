package farslot.analysis.query;

import farslot.core.Region;
import farslot.recorder.TraceNames;
import farslot.registers.FieldType;
import farslot.registers.NamedValue;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import farslot.registers.RegisterField;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Locale;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * The tables that are made of register maps: {@code registers}, and what {@code fields} is joined
 * from.
 */
final class RegisterTables {
    /** Elements of arrays beyond this many, in one map, are left to their first. */
    private static final int MAX_ELEMENTS = 100_000;

    static final String CREATE =
            """
            CREATE TABLE registers (trace VARCHAR, region VARCHAR, register VARCHAR,
                "offset" UBIGINT, width_bits UTINYINT, access VARCHAR, reset_value UBIGINT,
                description VARCHAR);
            CREATE TABLE stored.places (trace VARCHAR, region VARCHAR, "offset" UBIGINT,
                length UBIGINT, register VARCHAR, field VARCHAR, low UTINYINT, mask UBIGINT,
                shift UTINYINT, names UINTEGER);
            CREATE TABLE stored.names (names UINTEGER, bits UBIGINT, name VARCHAR);
            """;

    static final String FIELDS =
            """
            CREATE VIEW fields AS
            SELECT e.trace, e.number, e.nanos, e.kind, e.region, e."offset", p.register, p.field,
                ((e.value >> p.low) & p.mask) << p.shift AS value, n.name AS meaning
            FROM events e
            JOIN stored.places p ON e.trace = p.trace AND e.region = p.region
                AND e."offset" = p."offset" AND e.length = p.length
            LEFT JOIN stored.names n
                ON n.names = p.names AND n.bits = ((e.value >> p.low) & p.mask)
            WHERE e.value IS NOT NULL
            """;

    private final DuckDBConnection connection;
    private int namedFields;

    RegisterTables(DuckDBConnection connection) {
        this.connection = connection;
    }

    /** Fills {@code registers} from the map of one trace. */
    void addRegisters(String trace, TraceNames names) throws SQLException {
        try (DuckDBAppender rows = connection.createAppender("registers")) {
            long elements = 0;
            for (int region = 0; region < Region.COUNT; region++) {
                RegisterDomain domain = names.domain(region);
                if (domain == null) {
                    continue;
                }
                for (Register register : domain.registers()) {
                    ElementOffsets offsets = new ElementOffsets(register);
                    do {
                        addRegister(rows, trace, names.label(region), register, offsets.offset());
                    } while (++elements < MAX_ELEMENTS && offsets.advance());
                }
            }
        }
    }

    private static void addRegister(
            DuckDBAppender rows, String trace, String region, Register register, long offset)
            throws SQLException {
        rows.beginRow();
        rows.append(trace).append(region).append(register.nameAt(offset)).append(offset);
        rows.append((byte) register.widthBits());
        rows.append(register.access().name().toLowerCase(Locale.ROOT));
        if (register.resetKnownMask() == 0) {
            rows.appendNull();
        } else {
            rows.append(register.resetValue());
        }
        rows.append(register.brief());
        rows.endRow();
    }

    /** The offsets of a register's elements, the last index counting fastest. */
    private static final class ElementOffsets {
        private final Register register;
        private final long[] indexes;

        ElementOffsets(Register register) {
            this.register = register;
            this.indexes = new long[register.dimensions()];
        }

        long offset() {
            return register.offset(indexes);
        }

        boolean advance() {
            for (int d = indexes.length - 1; d >= 0; d--) {
                if (++indexes[d] < register.length(d)) {
                    return true;
                }
                indexes[d] = 0;
            }
            return false;
        }
    }

    /** Says of every place that a trace accessed which fields it has. */
    void addFields(String trace, TraceNames names) throws SQLException {
        String places =
                "SELECT DISTINCT region, \"offset\", length FROM events"
                        + " WHERE length <= 8 AND region IS NOT NULL AND trace = ?";
        try (var statement = connection.prepareStatement(places);
                DuckDBAppender rows = connection.createAppender("stored", "places");
                DuckDBAppender meanings = connection.createAppender("stored", "names")) {
            statement.setString(1, trace);
            try (ResultSet found = statement.executeQuery()) {
                while (found.next()) {
                    Place place =
                            new Place(
                                    trace,
                                    found.getString(1),
                                    found.getLong(2),
                                    (int) found.getLong(3));
                    addFields(place, domain(names, place.region), rows, meanings);
                }
            }
        }
    }

    private record Place(String trace, String region, long offset, int length) {}

    private static RegisterDomain domain(TraceNames names, String label) {
        for (int region = 0; region < Region.COUNT; region++) {
            if (names.label(region).equals(label)) {
                return names.domain(region);
            }
        }
        return null;
    }

    private void addFields(
            Place place, RegisterDomain domain, DuckDBAppender rows, DuckDBAppender meanings)
            throws SQLException {
        long end = place.offset + place.length;
        long at = place.offset;
        while (domain != null && at < end) {
            Register register = domain.find(at);
            if (register == null) {
                at++;
                continue;
            }
            long start = register.elementStart(at);
            Window window =
                    new Window(
                            place,
                            register.nameAt(at),
                            (int) (at - start) * 8,
                            (int) (at - place.offset) * 8,
                            (int) (Math.min(start + register.widthBytes(), end) - at) * 8);
            RegisterField whole = register.whole();
            if (whole.type() == FieldType.ENUM) {
                addField(window, null, 0, whole, rows, meanings);
            }
            for (RegisterField field : whole.fields()) {
                addField(window, field.name(), field.low(), field, rows, meanings);
            }
            at = start + register.widthBytes();
        }
    }

    /**
     * The part of a register that an access reaches: {@code bits} of it from {@code low} on, which
     * are those of the access's value from {@code valueLow} on.
     */
    private record Window(Place place, String register, int low, int valueLow, int bits) {}

    /** A field, and the fields in it, as far as the access reaches all of it. */
    private void addField(
            Window window,
            String name,
            int low,
            RegisterField field,
            DuckDBAppender rows,
            DuckDBAppender meanings)
            throws SQLException {
        if (low < window.low || low + field.widthBits() > window.low + window.bits) {
            return;
        }
        Place place = window.place;
        rows.beginRow();
        rows.append(place.trace)
                .append(place.region)
                .append(place.offset)
                .append((long) place.length);
        rows.append(window.register).append(name);
        rows.append((byte) (window.valueLow + low - window.low));
        rows.append(field.mask() >>> field.low());
        rows.append((byte) (field.widthBits() + field.shift() > Long.SIZE ? 0 : field.shift()));
        if (field.values().isEmpty()) {
            rows.appendNull();
        } else {
            rows.append(++namedFields);
            for (NamedValue value : field.values()) {
                meanings.beginRow().append(namedFields);
                meanings.append(value.value()).append(value.name()).endRow();
            }
        }
        rows.endRow();
        for (RegisterField inner : field.fields()) {
            if (name != null) {
                addField(
                        window,
                        name + "." + inner.name(),
                        low + inner.low(),
                        inner,
                        rows,
                        meanings);
            }
        }
    }
}
