package farslot.analysis.export;

import farslot.analysis.AnalysisException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A format of other people's programs into which a trace can be written (docs/exports.md). */
public interface TraceExport {
    /** Its name, as {@code farslot trace export --to} takes it: "mmiotrace". */
    String name();

    /** Whether it is text, which a terminal can show. */
    boolean isText();

    /**
     * Writes a trace, and leaves {@code out} open.
     *
     * @param out buffered by whoever writes much in small pieces
     * @throws IOException where {@code out} takes no more, or the trace cannot be read on (then a
     *     {@code TraceException})
     * @throws AnalysisException where this trace cannot be said in this format at all
     */
    void write(ExportedTrace trace, OutputStream out) throws IOException, AnalysisException;

    /** Every format, in the order in which help lists them. */
    static List<TraceExport> all() {
        List<TraceExport> all = new ArrayList<>();
        all.add(new MmiotraceExport());
        all.add(new PcapngExport());
        all.add(new PerfettoExport());
        all.addAll(TableExport.all());
        return all;
    }

    /** The format with this name. */
    static Optional<TraceExport> named(String name) {
        return all().stream().filter(export -> export.name().equals(name)).findFirst();
    }

    /** The dissector, in Lua, with which Wireshark reads what the format pcapng gives. */
    static String dissector() {
        try (InputStream lua = TraceExport.class.getResourceAsStream("farslot.lua")) {
            return new String(lua.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
