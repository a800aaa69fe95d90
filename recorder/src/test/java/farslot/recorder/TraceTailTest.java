package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link TraceTail} reads along, {@link TraceCopy} makes a trace of it again. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TraceTailTest {
    private static final int RECORD = TraceTail.RECORD_BYTES;

    @TempDir Path folder;

    private final MemorySegment batch = Arena.ofAuto().allocate(16L * RECORD, 8);

    private TraceWriter writer(String name) throws TraceException {
        return TraceWriter.create(
                folder.resolve(name),
                MemoryFunction.DESCRIPTION,
                RecorderTapTest.PATIENT.withWindowBytes(1 << 16));
    }

    private static TraceTail tail(TraceWriter writer) {
        return new TraceTail(writer, gone -> {});
    }

    /** Copies what is there at this moment. */
    private void pass(TraceTail from, TraceCopy to) throws TraceException {
        for (TraceTail.Batch some = from.next(batch); some.count() > 0; some = from.next(batch)) {
            to.put(some.first(), batch.asSlice(0, (long) some.count() * RECORD));
        }
    }

    /** Copies until nothing more will come. */
    private void passAll(TraceTail from, TraceCopy to) throws TraceException {
        while (!from.isOver()) {
            pass(from, to);
        }
    }

    private static List<String> texts(Path file) throws TraceException {
        return RecorderTapTest.events(file).stream()
                .map(event -> ((TraceEvent.Mark) event).text())
                .toList();
    }

    @Test
    void shouldMakeTheSameTraceOfWhatIsReadAlong() throws IOException {
        Path file = folder.resolve("copy.fst");
        TraceWriter writer = writer("t.fst");
        TraceTail tail = tail(writer);
        TraceCopy copy = TraceCopy.create(file, tail.header());
        for (int i = 0; i < 900; i++) {
            writer.mark("a text that is longer than sixteen bytes, number " + i);
            if (i % 7 == 0) {
                pass(tail, copy);
            }
        }
        tail.finish();
        passAll(tail, copy);
        copy.close();
        writer.close();
        assertArrayEquals(Files.readAllBytes(writer.file()), Files.readAllBytes(file));
        assertEquals(0, copy.missed());
    }

    @Test
    void shouldGiveWhatIsUnderWayAndAgainWhenItHasEnded() throws IOException {
        Path file = folder.resolve("copy.fst");
        TraceWriter writer = writer("t.fst");
        TraceTail tail = tail(writer);
        TraceCopy copy = TraceCopy.create(file, tail.header());
        byte[] data = new byte[200];
        data[199] = 7;
        long slot = writer.begin(TraceFormat.KIND_DMA_WRITE, 1, 0, 0, 0, 0x1000, 0, 200, 200, null);
        writer.mark("behind");
        pass(tail, copy);
        assertEquals(0, copy.records(), "it waits for a moment");
        while (copy.records() == 0) {
            pass(tail, copy);
        }
        List<TraceEvent> begun = open(file);
        assertTrue(begun.get(0).stamp().underWay());
        assertEquals("behind", ((TraceEvent.Mark) begun.get(1)).text());
        writer.end(slot, CompletionStatus.SUCCESS, 0, 0, MemorySegment.ofArray(data), data.length);
        tail.finish();
        passAll(tail, copy);
        copy.close();
        writer.close();
        assertArrayEquals(Files.readAllBytes(writer.file()), Files.readAllBytes(file));
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 2000})
    void shouldSealABlockAsItIsWhenARecordOfItHasEndedLate(int between) throws IOException {
        Path file = folder.resolve("copy.fst");
        TraceWriter writer = writer("t.fst");
        TraceTail tail = tail(writer);
        TraceCopy copy = TraceCopy.create(file, tail.header());
        long slot = writer.begin(TraceFormat.KIND_RESET, 1, 0, 0, 1, 0, 0, 0, 0, null);
        while (copy.records() < between) {
            writer.mark("between");
            pass(tail, copy);
        }
        writer.end(slot, CompletionStatus.SUCCESS, 2, 0, null, 0);
        for (int i = 0; i < 1500; i++) {
            writer.mark("behind");
        }
        tail.finish();
        passAll(tail, copy);
        copy.close();
        writer.close();
        assertArrayEquals(Files.readAllBytes(writer.file()), Files.readAllBytes(file));
        assertEquals(
                2, ((TraceEvent.Reset) RecorderTapTest.events(file).getFirst()).newGeneration());
    }

    private static List<TraceEvent> open(Path file) throws TraceException {
        try (TraceReader reader = TraceReader.open(file)) {
            List<TraceEvent> events = new java.util.ArrayList<>();
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                events.add(event);
            }
            return events;
        }
    }

    @Test
    void shouldCountAndMarkWhatIsMissing() throws IOException {
        TraceWriter writer = writer("t.fst");
        for (int i = 0; i < 10; i++) {
            writer.mark("mark " + i);
        }
        TraceTail tail = tail(writer);
        tail.finish();
        assertEquals(10, tail.next(batch).count());
        Path file = folder.resolve("copy.fst");
        try (TraceCopy copy = TraceCopy.create(file, tail.header())) {
            copy.put(2, batch.asSlice(2L * RECORD, 3L * RECORD));
            copy.put(8, batch.asSlice(8L * RECORD, 2L * RECORD));
            copy.put(3, batch.asSlice(3L * RECORD, 1L * RECORD));
            copy.put(6, batch.asSlice(6L * RECORD, 4L * RECORD));
            assertEquals(5, copy.missed());
        }
        writer.close();
        String missing =
                " records are missing here: they were gone before this copy could have" + " them.";
        assertEquals(
                List.of(
                        "2" + missing,
                        "mark 2",
                        "mark 3",
                        "mark 4",
                        "3" + missing,
                        "mark 8",
                        "mark 9"),
                texts(file));
    }

    @Test
    void shouldPutLateEndsWhereTheirBeginningsAreBehindAGap() throws IOException {
        TraceWriter writer = writer("t.fst");
        writer.mark("gone");
        long slot = writer.begin(TraceFormat.KIND_RESET, 1, 0, 0, 1, 0, 0, 0, 0, null);
        writer.mark("there");
        MemorySegment begun = writer.room().recordsFrom(1);
        Path file = folder.resolve("copy.fst");
        try (TraceCopy copy = TraceCopy.create(file, writer.header())) {
            copy.put(1, begun.asSlice(0, 2L * RECORD));
            writer.end(slot, CompletionStatus.SUCCESS, 2, 0, null, 0);
            copy.put(1, begun.asSlice(0, RECORD));
        }
        writer.close();
        List<TraceEvent> events = RecorderTapTest.events(file);
        assertEquals(2, ((TraceEvent.Reset) events.get(1)).newGeneration());
        assertEquals("there", ((TraceEvent.Mark) events.get(2)).text());
    }

    @Test
    void shouldSayHowManyWereMissedWhenTheTraceIsClosedBeforeTheyWereRead() throws IOException {
        TraceWriter writer = writer("t.fst");
        TraceTail tail = tail(writer);
        for (int i = 0; i < 20; i++) {
            writer.mark("mark " + i);
        }
        assertEquals(16, tail.next(batch).count());
        writer.close();
        TraceTail.Batch rest = tail.next(batch);
        assertEquals(0, rest.count());
        assertEquals(4, rest.missed());
        assertTrue(tail.isOver());
    }

    @Test
    void shouldEndWithARecordingAndLoseNothing() throws Exception {
        TracePoint point = new TracePoint(new MemoryFunction());
        Recording recording = point.begin(folder.resolve("t.fst"), TraceOptions.DEFAULT);
        TraceTail tail = recording.tail();
        Path file = folder.resolve("copy.fst");
        TraceCopy copy = TraceCopy.create(file, tail.header());
        point.mark("one");
        Thread closer =
                Thread.ofPlatform()
                        .start(() -> {
                            try {
                                recording.close();
                            } catch (TraceException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        passAll(tail, copy);
        tail.close();
        copy.close();
        closer.join();
        assertEquals(List.of("one"), texts(file));
        assertThrows(IllegalStateException.class, recording::tail);
    }

    @Test
    void shouldRefuseAHeaderThatIsNone() {
        Path file = folder.resolve("copy.fst");
        for (byte[] header : List.of(new byte[0], new byte[0x4000])) {
            assertThrows(TraceException.class, () -> TraceCopy.create(file, header));
        }
        assertFalse(Files.exists(file));
    }

    @Test
    void shouldLiveWithNumbersThatCannotBe() throws IOException {
        TraceWriter writer = writer("t.fst");
        writer.mark("one");
        Path file = folder.resolve("copy.fst");
        MemorySegment one = writer.room().recordsFrom(0).asSlice(0, RECORD);
        try (TraceCopy copy = TraceCopy.create(file, writer.header())) {
            copy.put(-1, one);
            copy.put(Long.MAX_VALUE, one);
            copy.put(Long.MAX_VALUE - 1, one);
            copy.put(0, one);
            copy.put(5, one.asSlice(0, 0));
            assertEquals(Long.MAX_VALUE - 1, copy.missed());
        }
        writer.close();
        assertTrue(Files.size(file) < 1 << 16);
    }
}
