package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The lines of a text of anybody's, one after the other, none of them too long for memory. */
final class MmiotraceLines implements Closeable {
    private static final int MAX_LINE_BYTES = 1 << 16;

    private final Path file;
    private final InputStream in;
    private final byte[] line = new byte[MAX_LINE_BYTES];
    private long number;

    MmiotraceLines(Path file) throws IOException {
        this.file = file;
        this.in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    }

    /**
     * The next line without its end, or null behind the last. What is no UTF-8 is replaced.
     *
     * @throws AnalysisException where it is too long
     */
    String next() throws IOException, AnalysisException {
        int length = 0;
        int c = in.read();
        if (c < 0) {
            return null;
        }
        number++;
        for (; c >= 0 && c != '\n'; c = in.read()) {
            if (length == line.length) {
                throw refused("a line is longer than " + MAX_LINE_BYTES + " bytes");
            }
            line[length++] = (byte) c;
        }
        if (length > 0 && line[length - 1] == '\r') {
            length--;
        }
        return new String(line, 0, length, StandardCharsets.UTF_8);
    }

    /** The sentence that refuses the line that was read last. */
    AnalysisException refused(String why) {
        return new AnalysisException(place() + ": " + why + ".");
    }

    /** "FILE, line N". */
    String place() {
        return file + ", line " + number;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
