package farslot.cli;

import farslot.analysis.AnalysisException;
import farslot.analysis.query.Answer;
import farslot.analysis.query.CsvCell;
import farslot.analysis.query.QueryException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Prints the rows of an answer while they come, until nobody reads any more. */
final class AnswerPrinter {
    /** As many rows decide how wide a table's columns are. */
    private static final int MEASURED_ROWS = 1000;

    private final Answer answer;
    private final PrintWriter out;

    AnswerPrinter(Answer answer, PrintWriter out) {
        this.answer = answer;
        this.out = out;
    }

    /** Aligned columns; "-" is null. */
    void table() throws AnalysisException, QueryException {
        List<String> headings = new ArrayList<>();
        answer.columns().forEach(name -> headings.add(clean(name.toUpperCase(Locale.ROOT))));
        List<List<String>> measured = new ArrayList<>();
        measured.add(headings);
        List<Object> row = null;
        while (measured.size() <= MEASURED_ROWS && (row = answer.next()) != null) {
            measured.add(cells(row));
        }
        int[] widths = new int[headings.size()];
        for (List<String> cells : measured) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], cells.get(i).length());
            }
        }
        for (List<String> cells : measured) {
            line(cells, widths);
        }
        while (row != null && !out.checkError() && (row = answer.next()) != null) {
            line(cells(row), widths);
        }
        out.flush();
    }

    private static List<String> cells(List<Object> row) {
        return row.stream().map(value -> value == null ? "-" : clean(value.toString())).toList();
    }

    private void line(List<String> cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            line.append(cells.get(i));
            line.repeat(' ', Math.max(0, widths[i] - cells.get(i).length()) + 2);
        }
        out.println(line.toString().stripTrailing());
    }

    /** Texts of a trace are strangers': without what would command a terminal. */
    private static String clean(String text) {
        if (text.chars().noneMatch(Character::isISOControl)) {
            return text;
        }
        StringBuilder clean = new StringBuilder();
        text.codePoints()
                .forEach(c -> {
                    if (Character.isISOControl(c)) {
                        clean.append(String.format(Locale.ROOT, "\\u%04x", c));
                    } else {
                        clean.appendCodePoint(c);
                    }
                });
        return clean.toString();
    }

    /** An array, an object a row, a row a line. */
    void json() throws AnalysisException, QueryException {
        List<String> names = distinct(answer.columns());
        String before = "[";
        for (List<Object> row = answer.next();
                row != null && !out.checkError();
                row = answer.next()) {
            Map<String, Object> object = new LinkedHashMap<>();
            for (int i = 0; i < names.size(); i++) {
                object.put(names.get(i), row.get(i));
            }
            out.println(before);
            out.print(Json.line(object));
            before = ",";
        }
        out.println(before.equals("[") ? "[]" : "\n]");
        out.flush();
    }

    /** An object cannot have a name twice. */
    private static List<String> distinct(List<String> columns) {
        List<String> names = new ArrayList<>();
        for (String column : columns) {
            String name = column;
            for (int n = 2; names.contains(name); n++) {
                name = column + "_" + n;
            }
            names.add(name);
        }
        return names;
    }

    /** RFC 4180, with a line of headings; null is empty, an empty text is "". */
    void csv() throws AnalysisException, QueryException {
        csvLine(List.copyOf(answer.columns()));
        for (List<Object> row = answer.next();
                row != null && !out.checkError();
                row = answer.next()) {
            csvLine(row);
        }
        out.flush();
    }

    private void csvLine(List<?> row) {
        StringBuilder line = new StringBuilder();
        for (Object value : row) {
            CsvCell.append(line, value == null ? null : value.toString());
            line.append(',');
        }
        line.setLength(line.length() - 1);
        out.print(line.append("\r\n"));
    }
}
