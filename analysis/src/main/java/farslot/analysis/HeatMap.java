package farslot.analysis;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.LongStream;

/**
 * Where a region was accessed, and how often: rows of 64 cells, four bytes a cell or as many more
 * as it takes for the accessed rows to fit on a screen.
 *
 * @param region its label
 * @param rowBytes how many bytes a row stands for: 0x100, or 0x100 times a power of two
 * @param rows the accessed ones, by rising offset
 */
public record HeatMap(String region, long rowBytes, List<Row> rows) {
    /** Cells in a row. */
    static final int CELLS = 64;

    private static final long LEAST_ROW_BYTES = 0x100;
    private static final int MAX_ROWS = 32;

    /** A cell with this share of the busiest one's accesses is hot. */
    private static final int HOT_SHARE = 10;

    /**
     * One row.
     *
     * @param cells "." where nothing was accessed, "r" what was read, "w" written, "b" both; in
     *     capitals where it was hot: a tenth of the busiest cell, or more
     */
    public record Row(long offset, String cells, long reads, long writes) {}

    /** Accesses of some bytes. */
    record Touched(long offset, long length, long reads, long writes) {
        /** No region has longer ranges, whatever a trace says of itself. */
        private static final long MAX_LENGTH = 1L << 32;

        Touched {
            length = Math.clamp(length, 1, MAX_LENGTH);
        }

        /** The rows it reaches, at most one more than fit. */
        LongStream rows(long rowBytes) {
            long first = offset & -rowBytes;
            long last = offset + length - 1;
            boolean wraps = Long.compareUnsigned(last, offset) < 0;
            long more = wraps ? 0 : Long.divideUnsigned(last - first, rowBytes);
            return LongStream.rangeClosed(0, Math.min(more, MAX_ROWS))
                    .map(row -> first + row * rowBytes);
        }
    }

    static HeatMap of(String region, List<Touched> touched) {
        long rowBytes = LEAST_ROW_BYTES;
        while (rowsOf(touched, rowBytes).size() > MAX_ROWS) {
            rowBytes *= 2;
        }
        Map<Long, Cells> rows = new TreeMap<>(Long::compareUnsigned);
        rowsOf(touched, rowBytes).forEach(offset -> rows.put(offset, new Cells()));
        for (Touched one : touched) {
            long bytes = rowBytes;
            one.rows(rowBytes).forEach(offset -> rows.get(offset).add(one, offset, bytes));
        }
        long most = rows.values().stream().mapToLong(Cells::most).max().orElse(0);
        List<Row> shown = new ArrayList<>();
        rows.forEach((offset, cells) ->
                shown.add(new Row(offset, cells.text(most), cells.reads, cells.writes)));
        return new HeatMap(region, rowBytes, shown);
    }

    /** The rows that are touched; some of them where they are too many. */
    private static Set<Long> rowsOf(List<Touched> touched, long rowBytes) {
        Set<Long> rows = new HashSet<>();
        for (Touched one : touched) {
            one.rows(rowBytes).forEach(rows::add);
            if (rows.size() > MAX_ROWS) {
                break;
            }
        }
        return rows;
    }

    /** The counts of one row. */
    private static final class Cells {
        private final long[] cellReads = new long[CELLS];
        private final long[] cellWrites = new long[CELLS];
        private long reads;
        private long writes;

        void add(Touched one, long row, long rowBytes) {
            long cellBytes = rowBytes / CELLS;
            long first = Math.max(0, one.offset - row) / cellBytes;
            long end = Math.min(rowBytes, one.offset - row + one.length);
            for (long cell = first; cell * cellBytes < end; cell++) {
                cellReads[(int) cell] += one.reads;
                cellWrites[(int) cell] += one.writes;
            }
            reads += one.reads;
            writes += one.writes;
        }

        long most() {
            long most = 0;
            for (int cell = 0; cell < CELLS; cell++) {
                most = Math.max(most, cellReads[cell] + cellWrites[cell]);
            }
            return most;
        }

        String text(long most) {
            StringBuilder text = new StringBuilder(CELLS);
            for (int cell = 0; cell < CELLS; cell++) {
                boolean hot = (cellReads[cell] + cellWrites[cell]) * HOT_SHARE >= most;
                char mark = mark(cellReads[cell] > 0, cellWrites[cell] > 0);
                text.append(hot ? Character.toUpperCase(mark) : mark);
            }
            return text.toString();
        }

        private static char mark(boolean read, boolean written) {
            if (read) {
                return written ? 'b' : 'r';
            }
            return written ? 'w' : '.';
        }
    }

    /** The map as lines for people, a heading first. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(
                String.format(
                        Locale.ROOT,
                        "%s by offset, %d bytes a mark: r read, w written, b both; capitals: often",
                        region,
                        rowBytes / CELLS));
        Row before = null;
        for (Row row : rows) {
            if (before != null && row.offset != before.offset + rowBytes) {
                lines.add("        ...");
            }
            lines.add(
                    String.format(
                            Locale.ROOT,
                            "%#10x  %s  %d reads, %d writes",
                            row.offset,
                            row.cells,
                            row.reads,
                            row.writes));
            before = row;
        }
        return lines;
    }
}
