package farslot.analysis.query;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.recorder.TraceEvent;
import farslot.recorder.TraceNames;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.recorder.TraceText;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;

/** What SQL says of a trace is what its reader says. */
class TraceTablesTest {
    private Path folder;

    private Path folder() throws Exception {
        if (folder == null) {
            folder = Files.createTempDirectory("tables");
        }
        return folder;
    }

    @AfterProperty
    void remove() throws Exception {
        if (folder != null) {
            SessionFolder.remove(folder);
            folder = null;
        }
    }

    private static TraceDatabase open(Path file) throws Exception {
        TraceDatabase database = TraceDatabase.empty(QueryOptions.of(file.resolveSibling("kept")));
        database.read(List.of(new TraceDatabase.Trace("t", file, TraceNames::of)));
        return database;
    }

    private static List<String> rows(TraceDatabase database, String sql) throws Exception {
        List<String> rows = new ArrayList<>();
        try (Answer answer = database.ask(sql)) {
            for (List<Object> row = answer.next(); row != null; row = answer.next()) {
                rows.add(row.toString());
            }
        }
        return rows;
    }

    @Property(tries = 12)
    void shouldAgreeWithAPlainCountOfTheTrace(
            @ForAll long seed, @ForAll @IntRange(max = 400) int events) throws Exception {
        Path file = Files.createTempFile(folder(), "random", ".fst");
        Files.delete(file);
        Random random = new Random(seed);
        TraceOptions options = TraceOptions.DEFAULT;
        try (RecordedTrace trace =
                new RecordedTrace(
                        file,
                        random.nextBoolean()
                                ? options
                                : options.withDmaData(TraceOptions.DmaData.FULL))) {
            for (int i = 0; i < events; i++) {
                trace.doAnything(random);
            }
        }
        Map<String, Long> kinds = new TreeMap<>();
        Map<String, Long> places = new TreeMap<>();
        Map<String, Long> statuses = new TreeMap<>();
        List<String> dma = new ArrayList<>();
        List<String> accesses = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        long dmaBytes = 0;
        try (TraceReader reader = TraceReader.open(file)) {
            TraceNames names = TraceNames.of(reader);
            for (TraceEvent e = reader.next(); e != null; e = reader.next()) {
                kinds.merge(TraceText.kind(e), 1L, Long::sum);
                if (e instanceof TraceEvent.Access a) {
                    places.merge(
                            names.label(a.region()) + " " + a.offset() + " " + names.register(a),
                            1L,
                            Long::sum);
                    statuses.merge(a.status().name(), 1L, Long::sum);
                    boolean value = a.data().length() <= 8 && a.data().kept().length > 0;
                    accesses.add(
                            Arrays.asList(
                                            a.stamp().number(),
                                            a.stamp().nanos(),
                                            a.stamp().durationNanos(),
                                            a.data().length(),
                                            value ? Long.toUnsignedString(a.data().value()) : null)
                                    .toString());
                }
                if (e instanceof TraceEvent.Dma d) {
                    dmaBytes += d.data().length();
                    byte[] kept = d.data().kept();
                    dma.add(
                            Arrays.asList(
                                            d.stamp().number(),
                                            Long.toUnsignedString(d.address()),
                                            kept.length == 0
                                                    ? null
                                                    : HexFormat.of().formatHex(kept),
                                            d.data().digest() == null
                                                    ? null
                                                    : Long.toUnsignedString(d.data().digest()))
                                    .toString());
                }
                if (e instanceof TraceEvent.Mark m) {
                    texts.add(List.of(m.text()).toString());
                }
            }
        }
        try (TraceDatabase database = open(file)) {
            assertEquals(
                    listed(kinds),
                    rows(database, "SELECT kind, count(*) FROM events GROUP BY 1 ORDER BY 1"));
            assertEquals(
                    listed(statuses),
                    rows(
                            database,
                            "SELECT status, count(*) FROM events WHERE region IS NOT NULL"
                                    + " GROUP BY 1 ORDER BY 1"));
            assertEquals(
                    listed(places),
                    rows(
                            database,
                            "SELECT region || ' ' || offset || ' ' || register AS place, count(*)"
                                    + " FROM events WHERE region IS NOT NULL GROUP BY 1 ORDER BY"
                                    + " 1"));
            assertEquals(
                    accesses,
                    rows(
                            database,
                            "SELECT number, nanos, duration_nanos, length, value FROM events"
                                    + " WHERE region IS NOT NULL ORDER BY number"));
            assertEquals(
                    dma,
                    rows(
                            database,
                            "SELECT number, address, data, digest FROM dma ORDER BY number"));
            assertEquals(
                    List.of(List.of(dmaBytes).toString()),
                    rows(database, "SELECT coalesce(sum(length), 0)::BIGINT FROM dma"));
            assertEquals(
                    texts,
                    rows(
                            database,
                            "SELECT detail FROM events WHERE kind = 'mark' ORDER BY number"));
        }
    }

    private static BigInteger number(String text) {
        return text.startsWith("0x") ? new BigInteger(text.substring(2), 16) : new BigInteger(text);
    }

    private static List<String> listed(Map<String, Long> counts) {
        return counts.entrySet().stream()
                .map(entry -> "[" + entry.getKey() + ", " + entry.getValue() + "]")
                .toList();
    }

    /** Fields by SQL are fields by {@code trace show}. */
    @Property(tries = 8)
    void shouldDecodeFieldsAsTheTextDoes(@ForAll long seed) throws Exception {
        Path file = Files.createTempFile(folder(), "fields", ".fst");
        Files.delete(file);
        Random random = new Random(seed);
        try (RecordedTrace trace = new RecordedTrace(file)) {
            for (int i = 0; i < 60; i++) {
                trace.write(0, random.nextInt(24) * 2L, 1 << random.nextInt(4), random.nextLong());
            }
        }
        int compared = 0;
        Pattern named = Pattern.compile("\\b([A-Z][A-Z0-9]*)=(\\d+|0x[0-9a-f]+)(?=[ ;]|$)");
        try (TraceDatabase database = open(file);
                TraceReader reader = TraceReader.open(file)) {
            TraceText text = new TraceText(TraceNames.of(reader));
            for (TraceEvent e = reader.next(); e != null; e = reader.next()) {
                List<String> shown = new ArrayList<>();
                Matcher field = named.matcher(text.line(e).replaceAll("took=.*", ""));
                while (field.find()) {
                    shown.add(field.group(1) + "=" + number(field.group(2)));
                }
                List<String> asked =
                        rows(
                                database,
                                "SELECT field || '=' || value FROM fields WHERE number = "
                                        + e.stamp().number());
                for (String one : shown) {
                    compared++;
                    assertTrue(asked.contains("[" + one + "]"), one + " is not in " + asked);
                }
            }
        }
        assertTrue(compared > 10, compared + " fields");
    }
}
