package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** What is read of a trace is what was written, and damage costs no more than what it hit. */
class TraceDamageTest {
    private static final int TRIES =
            "full".equals(System.getProperty("farslot.rounds")) ? 2000 : 150;
    private static final TraceOptions SMALL =
            TraceOptions.DEFAULT.withWindowBytes(4096).withLimitBytes(1 << 20);

    private static Path folder;

    @BeforeContainer
    static void makeFolder() throws IOException {
        folder = Files.createTempDirectory("farslot-trace");
    }

    @AfterContainer
    static void removeFolder() throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    /** Writes random events; what each was, in the words of JSON without times, by number. */
    private static Path written(Random random, int count, Map<Long, String> expected)
            throws IOException {
        Path file = folder.resolve("t.fst");
        Files.deleteIfExists(file);
        try (TraceWriter writer = TraceWriter.create(file, MemoryFunction.DESCRIPTION, SMALL)) {
            for (int i = 0; i < count; i++) {
                writeOne(random, writer);
            }
        }
        for (TraceEvent event : read(file)) {
            expected.put(event.stamp().number(), text(event));
        }
        assertEquals(count, expected.size());
        return file;
    }

    private static void writeOne(Random random, TraceWriter writer) {
        byte[] bytes = new byte[random.nextInt(3) == 0 ? random.nextInt(400) : random.nextInt(17)];
        random.nextBytes(bytes);
        MemorySegment data = MemorySegment.ofArray(bytes);
        if (random.nextInt(4) == 0) {
            writer.mark("mark " + random.nextLong());
            return;
        }
        int kind = 1 + random.nextInt(4);
        long extra = random.nextLong();
        long slot =
                writer.begin(
                        kind,
                        random.nextInt(),
                        random.nextInt(8),
                        random.nextInt(9),
                        0,
                        random.nextLong(),
                        extra,
                        bytes.length,
                        bytes.length,
                        null);
        if (random.nextInt(10) > 0) {
            CompletionStatus[] statuses = CompletionStatus.values();
            CompletionStatus status = statuses[random.nextInt(statuses.length)];
            writer.end(slot, status, extra, random.nextInt(2) * 2, data, bytes.length);
        }
    }

    private static List<TraceEvent> read(Path file) throws TraceException {
        try (TraceReader reader = TraceReader.open(file)) {
            List<TraceEvent> events = new ArrayList<>();
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                events.add(event);
            }
            reader.remarks();
            return events;
        }
    }

    private static String text(TraceEvent event) {
        TraceText text = new TraceText(TraceNames.of(MemoryFunction.DESCRIPTION));
        text.line(event);
        return text.json(event);
    }

    @Property(tries = 20)
    void whatIsWrittenIsRead(@ForAll long seed, @ForAll @IntRange(max = 300) int count)
            throws IOException {
        Random random = new Random(seed);
        List<byte[]> datas = new ArrayList<>();
        Path file = folder.resolve("round.fst");
        Files.deleteIfExists(file);
        try (TraceWriter writer = TraceWriter.create(file, MemoryFunction.DESCRIPTION, SMALL)) {
            for (int i = 0; i < count; i++) {
                byte[] data = new byte[random.nextInt(200)];
                random.nextBytes(data);
                datas.add(data);
                writer.record(
                        TraceFormat.KIND_WRITE,
                        i,
                        i % 8,
                        4,
                        0,
                        0,
                        i * 3L,
                        -1L,
                        MemorySegment.ofArray(data));
            }
        }
        List<TraceEvent> events = read(file);
        assertEquals(count, events.size());
        for (int i = 0; i < count; i++) {
            TraceEvent.Access access = (TraceEvent.Access) events.get(i);
            assertEquals(i, access.stamp().generation());
            assertEquals(i % 8, access.region());
            assertEquals(i * 3L, access.offset());
            assertEquals(CompletionStatus.SUCCESS, access.status());
            org.junit.jupiter.api.Assertions.assertArrayEquals(datas.get(i), access.data().kept());
        }
    }

    @Property(tries = 1)
    void damageCostsOnlyWhatItHit(@ForAll long seed) throws IOException {
        for (int round = 0; round < TRIES; round++) {
            Random random = new Random(seed + round);
            Map<Long, String> expected = new HashMap<>();
            Path file = written(random, 1 + random.nextInt(60), expected);
            byte[] bytes = Files.readAllBytes(file);
            TreeSet<Long> hit = new TreeSet<>();
            for (int flips = random.nextInt(6); flips >= 0; flips--) {
                int records = bytes.length - TraceFormat.HEADER_BYTES;
                int at = random.nextInt(records);
                byte before = bytes[TraceFormat.HEADER_BYTES + at];
                bytes[TraceFormat.HEADER_BYTES + at] = (byte) random.nextInt();
                if (bytes[TraceFormat.HEADER_BYTES + at] != before) {
                    hit.add((long) at / TraceFormat.RECORD_BYTES);
                }
            }
            Files.write(file, bytes);
            Map<Long, String> found = new HashMap<>();
            for (TraceEvent event : read(file)) {
                found.put(event.stamp().number(), text(event));
            }
            TreeSet<Long> starts = new TreeSet<>(expected.keySet());
            for (long number : starts) {
                Long next = starts.higher(number);
                long end = next == null ? Long.MAX_VALUE : next;
                if (hit.subSet(number, end).isEmpty()) {
                    assertEquals(expected.get(number), found.get(number));
                } else if (!hit.contains(number)) {
                    assertTrue(found.containsKey(number), "its own record is intact");
                }
            }
            assertTrue(expected.keySet().containsAll(found.keySet()));
        }
    }

    @Property(tries = 1)
    void anythingAtAllIsReadOrRefused(@ForAll long seed) throws IOException {
        for (int round = 0; round < TRIES; round++) {
            Random random = new Random(seed + round);
            Path file = written(random, random.nextInt(40), new HashMap<>());
            byte[] bytes = Files.readAllBytes(file);
            for (int flips = random.nextInt(50); flips >= 0; flips--) {
                int span = random.nextBoolean() ? 0x80 : bytes.length;
                bytes[random.nextInt(span)] = (byte) random.nextInt();
            }
            int length = random.nextBoolean() ? bytes.length : random.nextInt(bytes.length + 1);
            Files.write(file, java.util.Arrays.copyOf(bytes, length));
            try (TraceReader reader = TraceReader.open(file)) {
                reader.began();
                reader.closed();
                TraceText text = new TraceText(TraceNames.of(reader.description()));
                for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                    text.line(event);
                    text.json(event);
                }
                reader.remarks();
            } catch (TraceException e) {
                assertTrue(e.getMessage().endsWith("."), e.getMessage());
            }
        }
    }

    @Property(tries = 1)
    void foreignAndNewerFilesAreRefusedInASentence() throws IOException {
        Path file = folder.resolve("foreign.fst");
        Files.write(file, new byte[3]);
        assertTrue(refusal(file).contains("is not a Farslot trace"));
        Files.write(file, new byte[100_000]);
        assertTrue(refusal(file).contains("is not a Farslot trace"));
        assertTrue(refusal(folder.resolve("none.fst")).contains("there is no such file"));
        Path newer = written(new Random(1), 3, new HashMap<>());
        byte[] bytes = Files.readAllBytes(newer);
        bytes[TraceFormat.MAJOR_AT] = 2;
        Files.write(newer, bytes);
        assertTrue(
                refusal(newer).contains("of format version 2, and this Farslot reads version 1"));
    }

    private static String refusal(Path file) {
        return assertThrows(TraceException.class, () -> TraceReader.open(file).close())
                .getMessage();
    }
}
