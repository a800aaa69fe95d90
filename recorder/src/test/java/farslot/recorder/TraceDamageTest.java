package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** What is read of a trace is what was written, or is marked; never silently something else. */
class TraceDamageTest {
    private static final int TRIES =
            "full".equals(System.getProperty("farslot.rounds")) ? 2000 : 150;
    private static final TraceOptions SMALL =
            RecorderTapTest.PATIENT.withWindowBytes(1 << 16).withLimitBytes(1 << 20);

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
    void whatIsWrittenIsRead(@ForAll long seed, @ForAll @IntRange(max = 900) int count)
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

    /** What is read of a file, in words of JSON by number, and what the reader says of it. */
    private record Reading(Map<Long, String> events, List<String> remarks, boolean marked) {}

    private static Reading reading(Path file) throws TraceException {
        try (TraceReader reader = TraceReader.open(file)) {
            Map<Long, String> events = new LinkedHashMap<>();
            boolean marked = false;
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                marked |= event.stamp().verification() != TraceEvent.Verification.SEALED;
                events.put(event.stamp().number(), text(event));
            }
            events.put(-1L, reader.description() + " " + reader.origin() + " " + reader.clock());
            events.put(-2L, reader.began() + " " + reader.closed() + " " + reader.lost());
            events.put(-3L, reader.registerMap() + Arrays.toString(reader.configuration()));
            return new Reading(events, reader.remarks(), marked);
        }
    }

    @Property(tries = 1)
    void noByteCanChangeUnnoticed() throws IOException {
        Path file = folder.resolve("whole.fst");
        TraceSubject subject =
                new TraceSubject(MemoryFunction.DESCRIPTION, new byte[4096], "<database/>");
        TraceOrigin origin = new TraceOrigin(TraceOrigin.At.SLOT, "m0", "s", "alice", "here", 9);
        Random random = new Random(3);
        try (TraceWriter writer = TraceWriter.create(file, subject, SMALL.withOrigin(origin))) {
            writer.clockRelation(-12345, 678);
            for (int i = 0; i < 12; i++) {
                writeOne(random, writer);
            }
        }
        byte[] bytes = Files.readAllBytes(file);
        Reading right = reading(file);
        assertEquals(List.of(), right.remarks());
        boolean full = "full".equals(System.getProperty("farslot.rounds"));
        for (int at = 0; at < bytes.length; at++) {
            byte before = bytes[at];
            byte[] others = {(byte) ~before, (byte) (before ^ 1), (byte) (before ^ 0x80)};
            if (!full && isAmongZeros(bytes, at) && at % 41 > 0) {
                continue; // there are thousands of them
            }
            for (byte other : full ? others : new byte[] {others[at % 3]}) {
                poke(file, at, other);
                boolean noticed = isNoticed(file, right, at);
                // What means nothing may change: the zeros between fields and behind sections.
                assertTrue(noticed || before == 0, "byte " + at);
            }
            poke(file, at, before);
        }
        Files.delete(file);
    }

    /** To write it anew each time would cost a write to the disk each time. */
    private static void poke(Path file, long at, byte value) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {value}), at);
        }
    }

    private static boolean isAmongZeros(byte[] bytes, int at) {
        for (int near = Math.max(0, at - 16); near < Math.min(bytes.length, at + 16); near++) {
            if (bytes[near] != 0) {
                return false;
            }
        }
        return true;
    }

    /** Whether the reader says that something is wrong; if not, all must be as it was. */
    private static boolean isNoticed(Path file, Reading right, int at) throws IOException {
        try {
            Reading read = reading(file);
            if (!read.remarks().isEmpty()) {
                boolean names = read.remarks().stream().anyMatch(one -> one.contains("0x"));
                assertTrue(names, at + ": " + read.remarks());
                return true;
            }
            assertEquals(right.events(), read.events(), "byte " + at);
            return false;
        } catch (TraceException refused) {
            assertTrue(refused.getMessage().endsWith("."), refused.getMessage());
            return true;
        }
    }

    /** Two blocks and a bit, as a writer that was killed leaves them, or that ended. */
    private static byte[] threeBlocks(boolean ended) throws IOException {
        Path file = folder.resolve("blocks.fst");
        Random random = new Random(5);
        try (TraceWriter writer = TraceWriter.create(file, MemoryFunction.DESCRIPTION, SMALL)) {
            while (writer.room().claimed() < 2 * TraceFormat.BLOCK_RECORDS + 100) {
                writeOne(random, writer);
            }
            if (!ended) {
                return Files.readAllBytes(file);
            }
        } finally {
            if (!ended) {
                Files.delete(file);
            }
        }
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);
        return bytes;
    }

    @Property(tries = 1)
    void damageIsMarkedInItsBlockAndNowhereElse(@ForAll long seed) throws IOException {
        byte[] bytes = threeBlocks(true);
        Path file = folder.resolve("hit.fst");
        Files.write(file, bytes);
        Map<Long, String> right = reading(file).events();
        Random random = new Random(seed);
        for (int round = 0; round < TRIES / 10; round++) {
            int header = bytes.length - blocksOf(bytes);
            int at = header + random.nextInt(bytes.length - header);
            poke(file, at, (byte) (bytes[at] ^ 0x10));
            long hit = ((long) at - header) / TraceFormat.BLOCK_BYTES;
            try (TraceReader reader = TraceReader.open(file)) {
                for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                    boolean sealed = event.stamp().verification() == TraceEvent.Verification.SEALED;
                    long number = event.stamp().number();
                    assertTrue(
                            sealed || number / TraceFormat.BLOCK_SLOTS <= hit, number + " " + hit);
                    assertTrue(!sealed || right.get(number).equals(text(event)), number + "");
                }
                assertEquals(1, reader.remarks().stream().filter(TraceDamageTest::names).count());
            }
            poke(file, at, bytes[at]);
        }
        Files.delete(file);
    }

    private static boolean names(String remark) {
        return remark.startsWith("1 block is not what was written, the first at 0x");
    }

    private static int blocksOf(byte[] bytes) {
        return bytes.length
                - MemorySegment.ofArray(bytes)
                        .get(TraceFormat.INT_UNALIGNED, TraceFormat.HEADER_BYTES_AT);
    }

    @Property(tries = 1)
    void aFileThatIsCutAnywhereIsReadUpToThere(@ForAll long seed) throws IOException {
        Path file = folder.resolve("cut.fst");
        Random random = new Random(seed);
        for (boolean ended : new boolean[] {true, false}) {
            byte[] bytes = threeBlocks(ended);
            Files.write(file, bytes);
            Map<Long, String> right = plain(reading(file).events());
            int header = bytes.length - blocksOf(bytes);
            for (int round = 0; round < TRIES / 5; round++) {
                int length = random.nextInt(Math.min(bytes.length, header + 3 * (1 << 16)));
                Files.delete(file);
                Files.write(file, Arrays.copyOf(bytes, length));
                if (length < header) {
                    assertTrue(refusal(file).endsWith("."));
                    continue;
                }
                long slots = ((long) length - header) / TraceFormat.RECORD_BYTES;
                Map<Long, String> read = plain(reading(file).events());
                for (Map.Entry<Long, String> event : right.entrySet()) {
                    String found = read.remove(event.getKey());
                    // An event needs eight slots at the most, and a seal may be among them.
                    if (event.getKey() + 9 < slots) {
                        assertEquals(event.getValue(), found);
                    } else if (event.getKey() >= slots) {
                        assertNull(found);
                    }
                }
                assertEquals(Map.of(), read);
            }
        }
        Files.delete(file);
    }

    /** Of the events alone, and without what says whether they are verified. */
    private static Map<Long, String> plain(Map<Long, String> events) {
        Map<Long, String> plain = new HashMap<>();
        events.forEach((number, text) -> {
            if (number >= 0) {
                plain.put(number, text.replace(",\"unverified\":true", ""));
            }
        });
        return plain;
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
            Files.delete(file);
            Files.write(file, Arrays.copyOf(bytes, length));
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
        bytes[TraceFormat.MAJOR_AT] = 3;
        Files.write(newer, bytes);
        assertTrue(
                refusal(newer).contains("of format version 3, and this Farslot reads version 2"));
        bytes[TraceFormat.MAJOR_AT] = 1;
        Files.write(newer, bytes);
        assertTrue(refusal(newer).contains("version 1"), refusal(newer));
    }

    private static String refusal(Path file) {
        return assertThrows(TraceException.class, () -> TraceReader.open(file).close())
                .getMessage();
    }
}
