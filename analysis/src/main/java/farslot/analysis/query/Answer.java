package farslot.analysis.query;

import farslot.analysis.AnalysisException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.sql.Blob;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The rows that answer a question, from the first to the last.
 *
 * <p>For the thread that asked.
 */
public final class Answer implements AutoCloseable {
    private final TraceDatabase database;
    private final Statement statement;
    private final ResultSet rows;
    private final List<String> columns = new ArrayList<>();

    Answer(TraceDatabase database, Statement statement, ResultSet rows) throws SQLException {
        this.database = database;
        this.statement = statement;
        this.rows = rows;
        ResultSetMetaData meta = rows.getMetaData();
        for (int i = 1; i <= meta.getColumnCount(); i++) {
            columns.add(meta.getColumnLabel(i));
        }
    }

    /** The names of the columns, as the question has them; some may be equal. */
    public List<String> columns() {
        return List.copyOf(columns);
    }

    /**
     * The next row, or null behind the last: each value a {@link Long}, {@link BigInteger} (which a
     * {@code long} does not hold), {@link BigDecimal}, {@link Double}, {@link Boolean}, null, or
     * text, which bytes (hexadecimal), times and all else are as well.
     *
     * @throws AnalysisException where the answer ends here: memory, time, Ctrl-C
     * @throws QueryException where the question failed on a value of this row
     */
    public List<Object> next() throws AnalysisException, QueryException {
        try {
            if (!rows.next()) {
                return null;
            }
            List<Object> row = new ArrayList<>(columns.size());
            for (int i = 1; i <= columns.size(); i++) {
                row.add(value(rows.getObject(i), i));
            }
            return row;
        } catch (SQLException e) {
            throw database.failure(e);
        }
    }

    private Object value(Object value, int column) throws SQLException {
        return switch (value) {
            case null -> null;
            case Byte small -> small.longValue();
            case Short small -> small.longValue();
            case Integer small -> small.longValue();
            case Long number -> number;
            case BigInteger number when number.bitLength() < Long.SIZE -> number.longValue();
            case BigInteger number -> number;
            case BigDecimal number -> number;
            case Float number -> real(number.doubleValue());
            case Double number -> real(number);
            case Boolean truth -> truth;
            case Blob blob ->
                    HexFormat.of().formatHex(blob.getBytes(1, Math.toIntExact(blob.length())));
            default -> rows.getString(column);
        };
    }

    /** JSON has no number for these. */
    private static Object real(double number) {
        return Double.isFinite(number) ? number : Double.toString(number);
    }

    @Override
    public void close() {
        try (statement;
                rows) {
            // closing is all
        } catch (SQLException e) {
            System.getLogger("farslot.analysis")
                    .log(System.Logger.Level.DEBUG, "closing an answer", e);
        }
    }
}
