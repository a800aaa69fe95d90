package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import farslot.recorder.TraceText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the text of mmiotrace, version 20070824, line by line (Linux,
 * Documentation/trace/mmiotrace.rst), as the kernel writes it and as {@link MmiotraceExport} does.
 */
final class MmiotraceReader {
    /** Memory that is far beyond what any machine has. */
    private static final long MAX_ADDRESS = 1L << 62;

    private static final Pattern SECONDS = Pattern.compile("([0-9]{1,9})(?:\\.([0-9]{1,9}))?");
    private static final Pattern LOST = Pattern.compile("Lost ([0-9]{1,18}) events\\.");

    /** What Linux's trace_pipe says in between, whatever the tracer. */
    private static final Pattern LOST_BY_PIPE =
            Pattern.compile("CPU:[0-9]+ \\[LOST ([0-9]{1,18}) EVENTS\\]");

    /** Takes what the lines say. Times are in nanoseconds. */
    interface Handler {
        void device(MmiotraceDevice device) throws AnalysisException;

        void map(long nanos, long id, long physical, long length) throws AnalysisException;

        /**
         * A read or write.
         *
         * @param width 1, 2, 4 or 8 bytes, which hold the value
         * @param programCounter 0 where it is not known
         */
        void access(
                long nanos,
                boolean write,
                int width,
                long mapId,
                long physical,
                long value,
                long programCounter)
                throws IOException, AnalysisException;

        /** A mark of anybody's. */
        void mark(long nanos, String text) throws IOException, AnalysisException;

        /** A mark that an export of ours has left, with all its data. */
        void own(long nanos, MmiotraceWords words) throws IOException, AnalysisException;

        /** Events are missing here, or in all. */
        void lost(long nanos, long count) throws IOException, AnalysisException;
    }

    private final MmiotraceLines lines;
    private final Handler handler;
    private String line;
    private String[] fields;

    /** A mark of ours that may go on. */
    private MmiotraceWords open;

    private long openNanos;
    private long lastNanos;
    private long cutValues;

    private MmiotraceReader(MmiotraceLines lines, Handler handler) {
        this.lines = lines;
        this.handler = handler;
    }

    /**
     * Reads a file from its beginning to its end.
     *
     * @return how many values had more bits than their width; those are left out
     * @throws AnalysisException where it is no mmiotrace, or a line is malformed
     */
    static long read(Path file, Handler handler) throws IOException, AnalysisException {
        try (MmiotraceLines lines = new MmiotraceLines(file)) {
            MmiotraceReader reader = new MmiotraceReader(lines, handler);
            reader.readVersion();
            reader.readLines();
            return reader.cutValues;
        }
    }

    private void readVersion() throws IOException, AnalysisException {
        String first = lines.next();
        if (first == null || !first.strip().equals(MmiotraceExport.VERSION)) {
            throw new AnalysisException(
                    lines.place()
                            + ": this is no mmiotrace, whose first line is \""
                            + MmiotraceExport.VERSION
                            + "\"; where it is compressed, unpack it first.");
        }
    }

    private void readLines() throws IOException, AnalysisException {
        for (line = lines.next(); line != null; line = lines.next()) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            fields = line.strip().split(" +", -1);
            if (fields[0].equals("MARK")) {
                mark();
                continue;
            }
            endOwn();
            switch (fields[0]) {
                case "R" -> access(false);
                case "W" -> access(true);
                case "MAP" -> map();
                case "UNMAP" -> seconds(1);
                case "PCIDEV" -> handler.device(MmiotraceDevice.of(fields, this::refused));
                case "LSPCI" -> handler.mark(0, line);
                case "UNKNOWN" -> handler.mark(seconds(1), line);
                case "VERSION" -> throw refused("a second trace begins here");
                default -> other();
            }
        }
        endOwn();
    }

    private void other() throws IOException, AnalysisException {
        Matcher lost = LOST_BY_PIPE.matcher(line.strip());
        if (!lost.matches()) {
            throw refused("a line of mmiotrace cannot begin with \"" + shortened(fields[0]) + "\"");
        }
        handler.lost(lastNanos, Long.parseLong(lost.group(1)));
    }

    /** "width, timestamp, map id, physical, value, PC, PID". */
    private void access(boolean write) throws IOException, AnalysisException {
        int width = (int) number(1, 10, 8);
        if (Integer.bitCount(width) != 1) {
            throw refused("an access has 1, 2, 4 or 8 bytes, not " + width);
        }
        long nanos = seconds(2);
        long value = number(5, 16, -1);
        long mask = width == 8 ? -1 : (1L << (8 * width)) - 1;
        if ((value & ~mask) != 0) {
            cutValues++;
        }
        handler.access(
                nanos,
                write,
                width,
                number(3, 10, Long.MAX_VALUE),
                number(4, 16, MAX_ADDRESS),
                value & mask,
                fields.length > 6 ? number(6, 16, -1) : 0);
    }

    /** "timestamp, map id, physical, virtual, length, PC, PID". */
    private void map() throws AnalysisException {
        handler.map(
                seconds(1),
                number(2, 10, Long.MAX_VALUE),
                number(3, 16, MAX_ADDRESS),
                number(5, 16, MAX_ADDRESS));
    }

    /** "timestamp, text": the text with all its spaces. */
    private void mark() throws IOException, AnalysisException {
        long nanos = seconds(1);
        int behindTime = line.indexOf(' ', line.indexOf(fields[1], "MARK".length()));
        String text = behindTime < 0 ? "" : line.substring(behindTime + 1);
        if (!text.startsWith(MmiotraceMark.PREFIX)) {
            endOwn();
            Matcher lost = LOST.matcher(text);
            if (lost.matches()) {
                handler.lost(nanos, Long.parseLong(lost.group(1)));
            } else {
                handler.mark(nanos, text);
            }
            return;
        }
        MmiotraceWords words = new MmiotraceWords(lines.place(), text);
        if (words.kind().equals(MmiotraceMark.MORE) && open != null) {
            open.add(words);
        } else {
            endOwn();
            open = words;
            openNanos = nanos;
        }
    }

    private void endOwn() throws IOException, AnalysisException {
        if (open != null) {
            MmiotraceWords words = open;
            open = null;
            handler.own(openNanos, words);
        }
    }

    private String field(int index) throws AnalysisException {
        if (index >= fields.length) {
            throw refused("\"" + fields[0] + "\" is followed by too few words");
        }
        return fields[index];
    }

    /**
     * @param most compared without sign
     */
    private long number(int index, int radix, long most) throws AnalysisException {
        String field = field(index);
        String digits = radix == 16 && field.startsWith("0x") ? field.substring(2) : field;
        try {
            long number = Long.parseUnsignedLong(digits, radix);
            if (Long.compareUnsigned(number, most) <= 0 && !digits.startsWith("+")) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw refused("\"" + shortened(field) + "\" is no number that can stand there");
    }

    private long seconds(int index) throws AnalysisException {
        Matcher matcher = SECONDS.matcher(field(index));
        if (!matcher.matches()) {
            throw refused("\"" + shortened(field(index)) + "\" is no time in seconds");
        }
        String fraction = matcher.group(2) == null ? "" : matcher.group(2);
        long nanos = Long.parseLong(fraction + "0".repeat(9 - fraction.length()));
        lastNanos = Long.parseLong(matcher.group(1)) * 1_000_000_000L + nanos;
        return lastNanos;
    }

    private static String shortened(String word) {
        String clean = TraceText.clean(word);
        return clean.length() <= 40 ? clean : clean.substring(0, 40) + "...";
    }

    private AnalysisException refused(String why) {
        return lines.refused(why);
    }
}
