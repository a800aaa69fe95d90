package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Traces in several files, and traces of which only the end is kept. */
@Timeout(60)
class TraceFilesTest {
    private static final int WINDOW = 1 << 16;

    @TempDir Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("t.fst");
    }

    private Path named(int number) {
        return number == 0 ? file : folder.resolve("t.fst." + number);
    }

    private static TraceOptions options() {
        return RecorderTapTest.PATIENT.withWindowBytes(WINDOW);
    }

    /** Each access is of another length, so that some need several slots. */
    private static void access(PciFunction tap, int number) {
        MemorySegment data = MemorySegment.ofArray(new byte[4 + number % 7 * 30]);
        data.set(TraceFormat.INT_UNALIGNED, 0, number);
        tap.write(0, number, data, 0, PciFunction.ALL_BYTES);
    }

    private static List<Long> offsets(Path trace) throws TraceException {
        List<Long> offsets = new ArrayList<>();
        for (TraceEvent event : RecorderTapTest.events(trace)) {
            TraceEvent.Access access = (TraceEvent.Access) event;
            assertEquals((int) access.offset(), (int) access.data().value());
            assertTrue(access.data().complete());
            assertEquals(TraceEvent.Verification.SEALED, access.stamp().verification());
            offsets.add(access.offset());
        }
        return offsets;
    }

    @Test
    void shouldGoOnInAnotherFileWhenOneIsFull() throws Exception {
        TraceOptions several = options().withFiles(4).withLimitBytes(2 * WINDOW + 0x1000);
        int count = 2500;
        try (RecorderTap tap = RecorderTap.recording(new MemoryFunction(), file, several)) {
            for (int i = 0; i < count; i++) {
                access(tap, i);
            }
        }
        List<Long> all = new ArrayList<>();
        long next = 0;
        for (int number = 3; number >= 0; number--) {
            if (!Files.exists(named(number))) {
                continue;
            }
            assertTrue(Files.size(named(number)) <= several.limitBytes());
            try (TraceReader reader = TraceReader.open(named(number))) {
                assertTrue(reader.closed());
                TraceEvent first = reader.next();
                if (first == null) {
                    assertEquals(0, number, "only the newest may be begun before it is needed");
                    continue;
                }
                assertTrue(first.stamp().number() >= next);
                next = first.stamp().number();
            }
            all.addAll(offsets(named(number)));
        }
        assertTrue(Files.exists(named(1)));
        assertFalse(Files.exists(named(4)));
        assertFalse(Files.exists(folder.resolve("t.fst.next")));
        assertEquals(count - 1L, all.getLast());
        for (int i = 1; i < all.size(); i++) {
            assertEquals(all.get(i - 1) + 1, all.get(i));
        }
    }

    @Test
    void shouldLetWhoReadsAlongHaveTheFilesBeforeTheNewest() throws Exception {
        TraceOptions four = options().withFiles(4).withLimitBytes(4 * WINDOW);
        try (TraceWriter writer = TraceWriter.create(file, MemoryFunction.DESCRIPTION, four)) {
            TraceTail tail = new TraceTail(writer, gone -> {});
            int written = 0;
            while (!Files.exists(named(3)) || !isEnded(named(2))) {
                writer.mark("mark " + written++);
            }
            tail.finish();
            MemorySegment batch = MemorySegment.ofArray(new byte[64 * TraceTail.RECORD_BYTES]);
            int read = 0;
            while (!tail.isOver()) {
                TraceTail.Batch some = tail.next(batch);
                assertEquals(0, some.missed());
                read += some.count();
            }
            assertEquals(written, read);
        }
    }

    private static boolean isEnded(Path trace) throws IOException {
        if (!Files.exists(trace)) {
            return false; // the names are just being moved
        }
        try (TraceReader reader = TraceReader.open(trace)) {
            return reader.closed();
        }
    }

    @Test
    void shouldKeepTheLastFilesAndRemoveTheOthers() throws Exception {
        TraceOptions two = options().withFiles(2).withLimitBytes(2 * WINDOW);
        try (RecorderTap tap = RecorderTap.recording(new MemoryFunction(), file, two)) {
            for (int i = 0; i < 20_000; i++) {
                access(tap, i);
            }
        }
        List<Long> all = offsets(named(1));
        all.addAll(offsets(file));
        assertEquals(19_999, all.getLast());
        assertTrue(all.size() > 100, all.size() + " events");
        assertFalse(Files.exists(named(2)));
    }

    @Test
    void shouldEndAnOldFileWhoseAccessHangsWhenItIsRemoved() throws Exception {
        TraceOptions two = options().withFiles(2).withLimitBytes(2 * WINDOW);
        try (TraceWriter writer = TraceWriter.create(file, MemoryFunction.DESCRIPTION, two)) {
            long slot = writer.begin(TraceFormat.KIND_RESET, 1, 0, 0, 1, 0, 0, 0, 0, null);
            for (int i = 0; i < 10_000; i++) {
                writer.mark("mark " + i);
            }
            writer.end(slot, CompletionStatus.SUCCESS, 2, 0, null, 0);
        }
        try (TraceReader reader = TraceReader.open(named(1))) {
            assertTrue(reader.closed());
            assertTrue(reader.next().stamp().number() > 1024);
        }
    }

    @Test
    void shouldRefuseNamesThatAreTaken() throws IOException {
        Files.createFile(named(2));
        TraceException e =
                assertThrows(
                        TraceException.class,
                        () ->
                                TraceWriter.create(
                                        file, MemoryFunction.DESCRIPTION, options().withFiles(3)));
        assertTrue(e.getMessage().contains("t.fst.2 exists"), e.getMessage());
        assertFalse(Files.exists(file));
    }

    @Test
    void shouldKeepTheEndOfARing() throws Exception {
        TraceOptions ring = options().withRingBytes(1 << 18);
        RecorderTap tap = RecorderTap.recording(new MemoryFunction(), file, ring);
        tap.trace().leaseBegun("s", "alice", 77);
        for (int i = 0; i < 30_000; i++) {
            access(tap, i);
        }
        assertFalse(Files.exists(file));
        tap.close();
        List<Long> kept = offsets(file);
        assertEquals(29_999, kept.getLast());
        long bytes = Files.size(file);
        assertTrue(bytes >= 1 << 18 && bytes <= (1 << 18) + 3 * WINDOW, bytes + " bytes");
        for (int i = 1; i < kept.size(); i++) {
            assertEquals(kept.get(i - 1) + 1, kept.get(i));
        }
        try (TraceReader reader = TraceReader.open(file)) {
            assertEquals(77, reader.origin().epoch());
            assertEquals(77, reader.next().stamp().epoch());
            assertTrue(reader.configuration() != null);
        }
    }

    @Test
    void shouldKeepARingWhoseAccessHangs() throws Exception {
        TraceOptions ring = options().withRingBytes(1 << 17);
        try (TraceWriter writer = TraceWriter.create(file, MemoryFunction.DESCRIPTION, ring)) {
            long old = writer.begin(TraceFormat.KIND_RESET, 1, 0, 0, 1, 0, 0, 0, 0, null);
            for (int i = 0; i < 20_000; i++) {
                writer.mark("mark " + i);
            }
            writer.end(old, CompletionStatus.SUCCESS, 2, 0, null, 0);
            writer.begin(TraceFormat.KIND_RESET, 2, 0, 0, 2, 0, 0, 0, 0, null);
            writer.mark("last");
        }
        List<TraceEvent> events = RecorderTapTest.events(file);
        assertEquals("last", ((TraceEvent.Mark) events.getLast()).text());
        assertTrue(events.get(events.size() - 2).stamp().underWay());
        assertTrue(events.getFirst() instanceof TraceEvent.Mark, "the old reset is gone");
    }

    @Test
    void shouldKeepAShortRingWhole() throws Exception {
        TraceOptions ring = options().withRingBytes(1 << 20);
        try (TraceWriter writer = TraceWriter.create(file, MemoryFunction.DESCRIPTION, ring)) {
            writer.clockRelation(5, 6);
            writer.mark("only");
        }
        try (TraceReader reader = TraceReader.open(file)) {
            assertEquals("only", ((TraceEvent.Mark) reader.next()).text());
            assertEquals(5, reader.clock().orElseThrow().offsetNanos());
            assertEquals(List.of(), reader.remarks());
        }
        assertThrows(
                TraceException.class,
                () -> TraceWriter.create(file, MemoryFunction.DESCRIPTION, ring));
    }

    /** Who reads along a ring gets what is there, or hears how much was gone. */
    @Test
    void shouldTellWhoReadsAlongARingWhatWasGone() throws Exception {
        TraceOptions ring = options().withRingBytes(1 << 17);
        try (TraceWriter writer = TraceWriter.create(file, MemoryFunction.DESCRIPTION, ring)) {
            TraceTail tail = new TraceTail(writer, gone -> {});
            MemorySegment into = MemorySegment.ofArray(new long[8 * 64]);
            Thread busy =
                    Thread.ofPlatform()
                            .start(() -> {
                                for (int i = 0; i < 200_000; i++) {
                                    writer.record(
                                            TraceFormat.KIND_INTERRUPT,
                                            1,
                                            2,
                                            0,
                                            TraceFormat.NO_STATUS,
                                            0,
                                            i,
                                            0,
                                            null);
                                }
                            });
            long next = 0;
            boolean last = false;
            while (!last || tail.behind() > 0) {
                last = !busy.isAlive();
                TraceTail.Batch batch = tail.next(into);
                boolean again = batch.first() < next; // what had not ended when it was given
                next += batch.missed();
                assertTrue(again || next == batch.first(), next + " " + batch);
                for (int i = 0; i < batch.count(); i++) {
                    long number = into.get(TraceFormat.LONG_UNALIGNED, i * 64L + 0x18);
                    int commit = into.get(TraceFormat.INT_UNALIGNED, i * 64L);
                    assertTrue(
                            number == batch.first() + i || commit != TraceFormat.KIND_INTERRUPT,
                            number + " in " + batch);
                }
                next += again ? 0 : batch.count();
            }
            assertEquals(200_000, next);
        }
    }
}
