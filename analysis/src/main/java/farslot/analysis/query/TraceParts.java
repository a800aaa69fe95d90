package farslot.analysis.query;

import farslot.analysis.AnalysisException;
import farslot.core.Region;
import farslot.recorder.TraceException;
import farslot.recorder.TraceNames;
import farslot.recorder.TracePart;
import farslot.recorder.TraceReader;
import farslot.registers.Register;
import farslot.registers.RegisterDomain;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.DoubleConsumer;

/**
 * The events of one trace, brought to where DuckDB finds them: a short trace, and what is not
 * sealed yet of a long one, in memory; the rest in Parquet files, which are {@link KeptParts kept}.
 */
final class TraceParts {
    /** What is shorter than this part of a part is read anew each time, at once. */
    private static final int SHORT = 8;

    private final Loader loader;
    private final KeptParts keptParts;
    private final Path workFolder;
    private final long partSlots;
    private final List<Path> files = new ArrayList<>();
    private final List<String> tables = new ArrayList<>();
    private final Set<String> remarks = new LinkedHashSet<>();

    /** How rows come into DuckDB. */
    interface Loader {
        /** Runs SQL in which {@code trace_events} is the table of all that a source gives. */
        void run(String sql, ArrowStream.Source rows)
                throws SQLException, TraceException, AnalysisException;
    }

    TraceParts(Loader loader, KeptParts keptParts, Path workFolder, long partSlots) {
        this.loader = loader;
        this.keptParts = keptParts;
        this.workFolder = workFolder;
        this.partSlots = partSlots;
    }

    /**
     * Brings all events of a trace.
     *
     * @param table what tables in memory are called; a number is put behind
     * @param progress told how much is done, 0 to 1
     */
    void read(TraceReader trace, TraceNames names, String table, DoubleConsumer progress)
            throws SQLException, TraceException, AnalysisException {
        remarks.addAll(trace.remarks());
        long epoch = trace.epoch();
        List<TracePart> parts = TracePart.of(trace, partSlots);
        long slots = Math.max(1, parts.stream().mapToLong(TracePart::slots).sum());
        String tableKey = null;
        for (TracePart part : parts) {
            DoubleConsumer partProgress =
                    done -> progress.accept((part.firstSlot() + done * part.slots()) / slots);
            if (!part.isFinal() || part.slots() < partSlots / SHORT) {
                String name = table + "_" + tables.size();
                epoch = toTable(part, epoch, names, name, partProgress);
                continue;
            }
            if (tableKey == null) {
                tableKey = tableKey(trace, names);
            }
            String key = digest(tableKey, part.digest(), part.firstSlot(), part.slots(), epoch);
            KeptParts.Kept kept = keptParts.find(key);
            if (kept == null) {
                kept = toFile(part, epoch, names, key, partProgress);
            }
            remarks.addAll(kept.remarks());
            files.add(kept.file());
            epoch = kept.epoch();
        }
        if (parts.isEmpty()) {
            loader.run("CREATE TABLE " + table + "_0 AS SELECT * FROM trace_events", batch -> {});
            tables.add(table + "_0");
        }
    }

    /** The files that hold events. */
    List<Path> files() {
        return files;
    }

    /** What was said of the trace by those who read it. */
    List<String> remarks() {
        return List.copyOf(remarks);
    }

    /** A SELECT of all events. */
    String select() {
        List<String> selects = new ArrayList<>();
        if (!files.isEmpty()) {
            List<String> quoted =
                    files.stream().map(f -> "'" + TraceDatabase.quoted(f) + "'").toList();
            selects.add("SELECT * FROM read_parquet([" + String.join(", ", quoted) + "])");
        }
        tables.forEach(table -> selects.add("SELECT * FROM " + table));
        return String.join(" UNION ALL ", selects);
    }

    private long toTable(
            TracePart part, long epoch, TraceNames names, String table, DoubleConsumer progress)
            throws SQLException, TraceException, AnalysisException {
        try (TraceReader reader = part.open(epoch)) {
            loader.run(
                    "CREATE TABLE " + table + " AS SELECT * FROM trace_events",
                    new EventSource(reader, names, event -> true, part.slots(), progress));
            tables.add(table);
            remarks.addAll(reader.remarks());
            return reader.epoch();
        }
    }

    private KeptParts.Kept toFile(
            TracePart part, long epoch, TraceNames names, String key, DoubleConsumer progress)
            throws SQLException, TraceException, AnalysisException {
        Path made = workFolder.resolve("part.parquet");
        try (TraceReader reader = part.open(epoch)) {
            List<String> before = reader.remarks();
            loader.run(
                    "COPY (SELECT * FROM trace_events) TO '"
                            + TraceDatabase.quoted(made)
                            + "' "
                            + TraceDatabase.KEPT_FORM,
                    new EventSource(reader, names, event -> true, part.slots(), progress));
            List<String> its = new ArrayList<>(reader.remarks());
            its.removeAll(before);
            return keptParts.keep(key, made, reader.epoch(), its);
        } catch (TraceException e) {
            throw e;
        } catch (IOException e) {
            throw new AnalysisException(
                    "The folder " + workFolder + " cannot be used: " + e.getMessage() + ".", e);
        }
    }

    /**
     * Of all that rows are made of but the part: the table's columns, the names of registers, and
     * the file, as far as damage that came after it was ended shows from outside.
     */
    private static String tableKey(TraceReader trace, TraceNames names) throws TraceException {
        List<Object> made = new ArrayList<>(Arrays.asList((Object[]) EventColumn.values()));
        for (int region = 0; region < Region.COUNT; region++) {
            RegisterDomain domain = names.domain(region);
            made.add(names.label(region));
            for (Register register : domain == null ? List.<Register>of() : domain.registers()) {
                made.add(register.nameAt(register.offset()));
                made.add(register.offset());
                made.add(register.widthBits());
                for (int d = 0; d < register.dimensions(); d++) {
                    made.add(register.stride(d) + "*" + register.length(d));
                }
            }
        }
        try {
            if (trace.closed()) {
                made.add(Files.size(trace.file()));
                made.add(Files.getLastModifiedTime(trace.file()).toMillis());
            }
        } catch (IOException e) {
            throw new TraceException(trace.file() + " cannot be read: " + e.getMessage() + ".", e);
        }
        return digest(made.toArray());
    }

    private static String digest(Object... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Object part : parts) {
                digest.update((part + "\n").getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has it", e);
        }
    }
}
