package farslot.analysis.query;

import java.util.Locale;

/**
 * SQL as people write it about devices, made into what DuckDB takes. Two things are natural here
 * and strange there: {@code 0x1c} is a number (DuckDB reads it as the number 0 called "x1c"), and
 * {@code offset} is a column (to DuckDB a word of the grammar, unless quoted). Texts, quoted names
 * and comments stay as they are.
 */
final class SqlText {
    private final String sql;
    private final StringBuilder out = new StringBuilder();
    private int at;

    private SqlText(String sql) {
        this.sql = sql;
    }

    /** The same question as DuckDB takes it. */
    static String forDuckDb(String sql) {
        return new SqlText(sql).translate();
    }

    private String translate() {
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (c == '\'' || c == '"') {
                copyQuoted(c);
            } else if (sql.startsWith("--", at)) {
                copyTo(end("\n"));
            } else if (sql.startsWith("/*", at)) {
                copyTo(end("*/"));
            } else if (c == '$') {
                copyDollar();
            } else if (isWord(c)) {
                word();
            } else {
                copyTo(at + 1);
            }
        }
        return out.toString();
    }

    /** A quote within is written twice, so it looks like the end and another beginning. */
    private void copyQuoted(char quote) {
        int close = sql.indexOf(quote, at + 1);
        copyTo(close < 0 ? sql.length() : close + 1);
    }

    /** {@code $$text$$}, {@code $tag$text$tag$}, or a parameter. */
    private void copyDollar() {
        int tagEnd = at + 1;
        while (tagEnd < sql.length() && isWord(sql.charAt(tagEnd))) {
            tagEnd++;
        }
        if (tagEnd == sql.length() || sql.charAt(tagEnd) != '$') {
            copyTo(tagEnd);
            return;
        }
        String tag = sql.substring(at, tagEnd + 1);
        int close = sql.indexOf(tag, tagEnd + 1);
        copyTo(close < 0 ? sql.length() : close + tag.length());
    }

    private int end(String mark) {
        int found = sql.indexOf(mark, at);
        return found < 0 ? sql.length() : found + mark.length();
    }

    private void copyTo(int end) {
        out.append(sql, at, end);
        at = end;
    }

    private void word() {
        int end = at;
        while (end < sql.length() && isWord(sql.charAt(end))) {
            end++;
        }
        String word = sql.substring(at, end);
        if (word.matches("0[xX][0-9a-fA-F]{1,16}")) {
            out.append(Long.toUnsignedString(Long.parseUnsignedLong(word.substring(2), 16)));
            at = end;
        } else if (word.toLowerCase(Locale.ROOT).equals("offset") && !isClause(end)) {
            out.append('"').append(word).append('"');
            at = end;
        } else {
            copyTo(end);
        }
    }

    /** Whether the OFFSET that ends there skips rows: then a number follows, or what gives one. */
    private boolean isClause(int end) {
        int next = end;
        while (next < sql.length() && Character.isWhitespace(sql.charAt(next))) {
            next++;
        }
        return next > end
                && next < sql.length()
                && (Character.isDigit(sql.charAt(next)) || "($?".indexOf(sql.charAt(next)) >= 0);
    }

    private static boolean isWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }
}
