package farslot.analysis.query;

import farslot.core.FunctionDescription;
import farslot.core.Region;
import farslot.recorder.TraceOrigin;
import farslot.recorder.TraceReader;
import java.sql.SQLException;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.TreeSet;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/** The tables with a few rows for each trace, and the views of {@code events}. */
final class TraceTables {
    static final String CREATE =
            """
            CREATE TABLE device (trace VARCHAR, kind VARCHAR, vendor UINTEGER, device UINTEGER,
                subsystem_vendor UINTEGER, subsystem UINTEGER, class_code UINTEGER,
                revision UINTEGER, interrupt_pin UINTEGER, msi_vectors UINTEGER,
                msix_vectors UINTEGER, began TIMESTAMP, ended BOOLEAN, lost UBIGINT,
                recorded_at VARCHAR, function VARCHAR, slot VARCHAR, identity VARCHAR,
                machine VARCHAR, epoch UBIGINT);
            CREATE TABLE regions (trace VARCHAR, region VARCHAR, space VARCHAR,
                size_bytes UBIGINT, attributes VARCHAR, max_access_bytes UINTEGER);
            CREATE MACRO as_hex(number) AS '0x' || lower(to_hex(number));
            """;

    static final String VIEWS =
            """
            CREATE VIEW dma AS
            SELECT trace, number, nanos, kind, address, length, status, duration_nanos, generation,
                under_way, digest, data
            FROM events WHERE kind IN ('dma-read', 'dma-write');
            CREATE VIEW interrupts AS
            SELECT trace, number, nanos, kind, interrupt, vector, vectors, detail AS control,
                generation
            FROM events WHERE kind IN ('irq', 'irq-ctl');
            """;

    private final DuckDBConnection connection;

    TraceTables(DuckDBConnection connection) {
        this.connection = connection;
    }

    /** Adds the rows of one trace. */
    void add(String trace, TraceReader reader) throws SQLException {
        FunctionDescription function = reader.description();
        FunctionDescription.Identity identity = function.identity();
        try (DuckDBAppender row = connection.createAppender("device")) {
            row.beginRow().append(trace).append(function.kind());
            row.append(identity.vendor()).append(identity.device());
            row.append(identity.subsystemVendor()).append(identity.subsystem());
            row.append(identity.classCode()).append(identity.revision());
            row.append(function.intxPin());
            row.append(function.msiVectors()).append(function.msixVectors());
            row.append(reader.began().atOffset(ZoneOffset.UTC).toLocalDateTime());
            row.append(reader.closed()).append(reader.lost());
            TraceOrigin origin = reader.origin();
            row.append(origin.at() == TraceOrigin.At.UNKNOWN ? null : lower(origin.at()));
            row.append(known(origin.function())).append(known(origin.slot()));
            row.append(known(origin.identity())).append(known(origin.machine()));
            row.append(origin.epoch()).endRow();
        }
        try (DuckDBAppender row = connection.createAppender("regions")) {
            for (Region region : function.regions()) {
                row.beginRow().append(trace).append(region.label());
                row.append(lower(region.space())).append(region.sizeBytes());
                row.append(attributes(region)).append(region.maxAccessBytes()).endRow();
            }
        }
    }

    private static String known(String text) {
        return text.isEmpty() ? null : text;
    }

    private static String attributes(Region region) {
        TreeSet<String> words = new TreeSet<>();
        region.attributes().forEach(attribute -> words.add(lower(attribute)));
        return String.join(" ", words);
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
