package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.PciFunction;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TracePartTest {
    @TempDir Path folder;

    /** Events of one to seven slots, so that some reach from one part into the next. */
    private Path trace(String name, int events, int firstValue) throws IOException {
        Path file = folder.resolve(name);
        try (RecorderTap tap =
                RecorderTap.recording(new MemoryFunction(), file, RecorderTapTest.PATIENT)) {
            record(tap, events, firstValue);
        }
        return file;
    }

    private static void record(RecorderTap tap, int events, int firstValue) {
        for (int i = 0; i < events; i++) {
            MemorySegment data = MemorySegment.ofArray(new byte[4 + (i + firstValue) % 11 * 30]);
            data.set(TraceFormat.INT_UNALIGNED, 0, i + firstValue);
            tap.write(0, i, data, 0, PciFunction.ALL_BYTES);
        }
    }

    private static List<Long> numbers(TraceReader reader) throws TraceException {
        List<Long> numbers = new ArrayList<>();
        for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
            numbers.add(event.stamp().number());
        }
        return numbers;
    }

    private static List<Long> digests(Path file, long slots) throws TraceException {
        try (TraceReader reader = TraceReader.open(file)) {
            return TracePart.of(reader, slots).stream().map(TracePart::digest).toList();
        }
    }

    @Test
    void shouldGiveEachEventOnceWhenReadPartByPart() throws IOException {
        try (TraceReader whole = TraceReader.open(trace("t.fst", 3000, 0))) {
            List<Long> byPart = new ArrayList<>();
            List<TracePart> parts = TracePart.of(whole, 1024);
            assertTrue(parts.size() > 5, parts.size() + " parts");
            for (TracePart part : parts) {
                assertTrue(part.isFinal());
                try (TraceReader reader = part.open(0)) {
                    byPart.addAll(numbers(reader));
                    assertEquals(List.of(), reader.remarks());
                }
            }
            assertEquals(numbers(whole), byPart);
        }
    }

    @Test
    void shouldKnowPartsThatAreNotTheSame() throws IOException {
        List<Long> one = digests(trace("a.fst", 3000, 0), 2048);
        assertEquals(one, digests(folder.resolve("a.fst"), 2048));
        assertEquals(one.size(), one.stream().distinct().count());
        List<Long> other = digests(trace("b.fst", 3000, 1), 2048);
        for (int i = 0; i < one.size(); i++) {
            assertNotEquals(one.get(i), other.get(i));
        }
    }

    @Test
    void shouldCallFinalWhatIsSealedWhenTheTraceGrows() throws IOException {
        Path file = folder.resolve("t.fst");
        Path before = folder.resolve("before.fst");
        try (RecorderTap tap =
                RecorderTap.recording(new MemoryFunction(), file, RecorderTapTest.PATIENT)) {
            record(tap, 2000, 0);
            Files.copy(file, before, StandardCopyOption.REPLACE_EXISTING);
            record(tap, 2000, 0);
        }
        try (TraceReader early = TraceReader.open(before);
                TraceReader late = TraceReader.open(file)) {
            List<TracePart> then = TracePart.of(early, 1024);
            List<TracePart> now = TracePart.of(late, 1024);
            assertTrue(!then.getLast().isFinal() && now.getLast().isFinal());
            for (int i = 0; i < then.size(); i++) {
                if (then.get(i).isFinal()) {
                    assertEquals(now.get(i).digest(), then.get(i).digest(), "part " + i);
                }
            }
        }
    }

    @Test
    void shouldSayThatTheFileIsAnotherOneNow() throws IOException {
        Path file = trace("t.fst", 2000, 0);
        try (TraceReader reader = TraceReader.open(file)) {
            TracePart part = TracePart.of(reader, 1024).get(1);
            Files.move(trace("u.fst", 2000, 1), file, StandardCopyOption.REPLACE_EXISTING);
            assertThrows(TraceException.class, () -> part.open(0).close());
        }
    }
}
