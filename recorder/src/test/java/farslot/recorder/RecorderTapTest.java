package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.DmaSegment;
import farslot.core.FunctionEvent;
import farslot.core.InterruptAction;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import farslot.core.ResetKind;
import farslot.core.StateException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RecorderTapTest {
    /** What is recorded here all at once is more than a user's driver does. */
    static final TraceOptions PATIENT = TraceOptions.DEFAULT.withPatienceMillis(50_000);

    @TempDir Path folder;

    private Path file;
    private MemoryFunction function;

    @BeforeEach
    void newFunction() {
        file = folder.resolve("t.fst");
        function = new MemoryFunction();
    }

    private RecorderTap recording(TraceOptions options) throws TraceException {
        RecorderTap tap = RecorderTap.recording(function, file, options);
        tap.attach(new MemoryHost());
        return tap;
    }

    static List<TraceEvent> events(Path file) throws TraceException {
        try (TraceReader reader = TraceReader.open(file)) {
            List<TraceEvent> events = new ArrayList<>();
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                events.add(event);
            }
            assertEquals(List.of(), reader.remarks());
            return events;
        }
    }

    private static MemorySegment bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return MemorySegment.ofArray(bytes);
    }

    private static MemorySegment pattern(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 7 + i / 256);
        }
        return MemorySegment.ofArray(bytes);
    }

    @Test
    void aTraceBeginsWithTheFunctionsDescription() throws IOException {
        recording(TraceOptions.DEFAULT).close();
        try (TraceReader reader = TraceReader.open(file)) {
            assertEquals(MemoryFunction.DESCRIPTION, reader.description());
            assertTrue(reader.closed());
            assertEquals(0, reader.lost());
        }
        assertEquals(
                "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }

    @Test
    void accessesAreKeptWithTheirValuesAndStatus() throws TraceException {
        RecorderTap tap = recording(TraceOptions.DEFAULT);
        tap.write(0, 0x10, bytes(1, 2, 3, 4), 4, PciFunction.ALL_BYTES);
        MemorySegment into = MemorySegment.ofArray(new byte[8]);
        assertEquals(CompletionStatus.SUCCESS, tap.read(0, 0x10, into, 8));
        assertEquals(0x04030201L, into.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
        tap.read(0, 1 << 20, bytes(0), 1);
        tap.close();
        List<TraceEvent> events = events(file);
        assertInstanceOf(TraceEvent.Attached.class, events.get(0));
        TraceEvent.Access write = (TraceEvent.Access) events.get(1);
        assertTrue(write.write());
        assertEquals(0x10, write.offset());
        assertEquals(4, write.widthBytes());
        assertEquals(0x04030201L, write.data().value());
        assertEquals(CompletionStatus.SUCCESS, write.status());
        assertEquals(PciFunction.ALL_BYTES, write.byteEnables());
        TraceEvent.Access read = (TraceEvent.Access) events.get(2);
        assertEquals(0x04030201L, read.data().value());
        assertEquals(8, read.data().length());
        assertFalse(read.write());
        assertEquals(1, read.stamp().generation());
        assertTrue(read.stamp().nanos() >= write.stamp().nanos());
        TraceEvent.Access refused = (TraceEvent.Access) events.get(3);
        assertEquals(CompletionStatus.UNSUPPORTED_REQUEST, refused.status());
        assertEquals(1, refused.data().length());
        assertEquals(0, refused.data().kept().length);
    }

    @Test
    void longAccessesAreKeptWhole() throws TraceException {
        RecorderTap tap = recording(PATIENT.withWindowBytes(1 << 16));
        for (int length : new int[] {16, 17, 72, 73, 5000, 300_000}) {
            MemorySegment data = pattern(length);
            tap.write(0, 0, data, 0, PciFunction.ALL_BYTES);
            tap.read(0, 0, MemorySegment.ofArray(new byte[length]), 0);
        }
        tap.close();
        List<TraceEvent> events = events(file);
        assertEquals(13, events.size());
        for (TraceEvent event : events.subList(1, 13)) {
            TraceEvent.Data data = ((TraceEvent.Access) event).data();
            assertTrue(data.complete());
            assertArrayEquals(
                    pattern((int) data.length()).toArray(ValueLayout.JAVA_BYTE), data.kept());
        }
    }

    @Test
    void dmaIsKeptAsTheOptionSays() throws IOException {
        for (String choice : List.of("head:16", "digest", "whole", "head:100")) {
            TraceOptions.DmaData kept = TraceOptions.DmaData.parse(choice);
            assertEquals(choice, kept.toString());
            file = folder.resolve(choice + ".fst");
            RecorderTap tap = recording(TraceOptions.DEFAULT.withDmaData(kept));
            MemorySegment data = pattern(4096);
            function.host.write(1, 0x2000, data);
            function.host.read(1, 0x2000, MemorySegment.ofArray(new byte[100]));
            function.host.readAll(
                    1,
                    List.of(
                            new DmaSegment(0x2000, MemorySegment.ofArray(new byte[64])),
                            new DmaSegment(1 << 20, MemorySegment.ofArray(new byte[64]))));
            tap.close();
            List<TraceEvent> events = events(file);
            TraceEvent.Dma write = (TraceEvent.Dma) events.get(1);
            assertTrue(write.write());
            assertEquals(4096, write.data().length());
            Map<String, Integer> most = Map.of("whole", 4096, "head:100", 16 + 2 * 56);
            assertEquals(most.getOrDefault(choice, 16), write.data().kept().length);
            assertArrayEquals(
                    pattern(write.data().kept().length).toArray(ValueLayout.JAVA_BYTE),
                    write.data().kept());
            TraceEvent.Dma read = (TraceEvent.Dma) events.get(2);
            if (kept.digest()) {
                assertEquals(DataDigest.of(data), write.data().digest());
                assertEquals(DataDigest.of(pattern(100)), read.data().digest());
            } else {
                assertNull(write.data().digest());
            }
            TraceEvent.Dma refused = (TraceEvent.Dma) events.get(4);
            assertEquals(CompletionStatus.COMPLETER_ABORT, refused.status());
            assertEquals(0, refused.data().kept().length);
        }
    }

    @Test
    void theDigestIsXxh64() {
        assertEquals(0xEF46_DB37_51D8_E999L, DataDigest.of(bytes()));
        MemorySegment abc =
                MemorySegment.ofArray("abc".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertEquals(0x44BC_2CF5_AD77_0999L, DataDigest.of(abc));
        MemorySegment longer =
                MemorySegment.ofArray(
                        "Nobody inspects the spammish repetition"
                                .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertEquals(0xFBCE_A83C_8A37_8BF1L, DataDigest.of(longer));
    }

    @Test
    void everythingElseIsKeptInItsOrder() throws TraceException {
        RecorderTap tap = recording(TraceOptions.DEFAULT);
        tap.interrupts(InterruptKind.MSIX, 1, 3, InterruptAction.ENABLE);
        tap.map(new DmaMap(0x1_0000_0000L, 0x8000_0000L, Direction.READ_WRITE, null, true));
        function.host.interrupt(1, InterruptKind.MSIX, 2);
        List<FunctionEvent> told =
                List.of(
                        new FunctionEvent.Error(true, "The disk burns: ünïcode.".repeat(3)),
                        new FunctionEvent.PowerManagement(),
                        new FunctionEvent.Presence(true),
                        new FunctionEvent.DescriptionChanged(),
                        new FunctionEvent.GoingAway("Maintenance."),
                        new FunctionEvent.NewGeneration(7, ResetKind.HOT),
                        new FunctionEvent.DmaRefused(1, 2, Direction.WRITE, "Not mapped."));
        told.forEach(function.host::event);
        function.host.near(1, 0x1000, 0x2000, Direction.READ);
        tap.trace().mark("here");
        tap.reset(ResetKind.FLR);
        tap.unmap(0, 0);
        tap.quiesce();
        tap.resume();
        assertThrows(StateException.class, tap::save);
        assertThrows(StateException.class, () -> tap.load(new byte[3]));
        tap.attach(null);
        tap.close();
        List<TraceEvent> events = events(file);
        assertEquals(
                List.of(
                        "Attached",
                        "InterruptControl",
                        "Mapped",
                        "Interrupt",
                        "Told",
                        "Told",
                        "Told",
                        "Told",
                        "Told",
                        "Told",
                        "Told",
                        "Near",
                        "Mark",
                        "Reset",
                        "Unmapped",
                        "State",
                        "State",
                        "State",
                        "State",
                        "Attached"),
                events.stream().map(event -> event.getClass().getSimpleName()).toList());
        assertEquals(
                told,
                events.stream()
                        .flatMap(e -> e instanceof TraceEvent.Told t ? Stream.of(t.event()) : null)
                        .toList());
        TraceEvent.Reset reset = (TraceEvent.Reset) events.get(13);
        assertEquals(1, reset.stamp().generation());
        assertEquals(2, reset.newGeneration());
        assertEquals("here", ((TraceEvent.Mark) events.get(12)).text());
        TraceEvent.Mapped mapped = (TraceEvent.Mapped) events.get(2);
        assertEquals(0x8000_0000L, mapped.length());
        assertTrue(mapped.servedWhileWaiting());
        assertFalse(((TraceEvent.Attached) events.get(19)).attached());
    }

    @Test
    void anAccessThatNeverEndsIsSeenAsUnderWay() throws TraceException {
        MemoryFunction hanging =
                new MemoryFunction() {
                    @Override
                    public CompletionStatus write(
                            int region, long offset, MemorySegment from, int width, long enables) {
                        throw new IllegalStateException("it hangs");
                    }
                };
        RecorderTap tap = RecorderTap.recording(hanging, file, TraceOptions.DEFAULT);
        assertThrows(
                IllegalStateException.class,
                () -> tap.write(0, 0x14, bytes(1, 0, 0x46, 0), 4, PciFunction.ALL_BYTES));
        tap.close();
        TraceEvent.Access access = (TraceEvent.Access) events(file).get(0);
        assertTrue(access.stamp().underWay());
        assertNull(access.status());
        assertEquals(0x460001, access.data().value());
    }

    @Test
    void whatDoesNotFitIsCounted() throws IOException {
        long limit = (1 << 18) + 4096 + 64;
        RecorderTap tap = recording(PATIENT.withLimitBytes(limit).withWindowBytes(1 << 16));
        int header = headerBytes();
        long slots = (limit - header) / TraceFormat.RECORD_BYTES;
        // Every block's last slot is its seal's, and one record is kept back.
        long records = slots - (slots + 1023) / 1024 - 1;
        for (int i = 0; i < records + 99; i++) {
            tap.write(0, 0, bytes(1, 2, 3, 4), 4, PciFunction.ALL_BYTES);
        }
        assertEquals(100, tap.trace().lost());
        tap.close();
        assertEquals(100, tap.trace().lost());
        assertEquals(header + slots * TraceFormat.RECORD_BYTES, Files.size(file));
        try (TraceReader reader = TraceReader.open(file)) {
            TraceEvent last = null;
            for (int i = 0; i <= records; i++) {
                last = reader.next();
            }
            assertEquals(100, ((TraceEvent.Lost) last).count());
            assertNull(reader.next());
            assertEquals(100, reader.lost());
            assertEquals(1, reader.remarks().size());
            assertTrue(reader.remarks().get(0).contains("100 events found no room"));
        }
    }

    private int headerBytes() throws IOException {
        return MemorySegment.ofArray(Files.readAllBytes(file))
                .get(TraceFormat.INT_UNALIGNED, TraceFormat.HEADER_BYTES_AT);
    }

    @Test
    void noThreadsRecordsAreLost() throws Exception {
        int threads = 4;
        int each = "full".equals(System.getProperty("farslot.rounds")) ? 1_000_000 : 50_000;
        RecorderTap tap = recording(PATIENT.withWindowBytes(1 << 16));
        List<Thread> writers = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int number = t;
            writers.add(
                    Thread.ofPlatform()
                            .start(() -> {
                                MemorySegment data = MemorySegment.ofArray(new byte[40]);
                                for (int i = 0; i < each; i++) {
                                    data.set(ValueLayout.JAVA_INT_UNALIGNED, 36, i);
                                    int length = i % 5 == 0 ? 40 : 4;
                                    tap.write(
                                            0,
                                            (long) number << 32 | i,
                                            data.asSlice(40 - length),
                                            4,
                                            -1L);
                                }
                            }));
        }
        for (Thread writer : writers) {
            writer.join();
        }
        tap.close();
        int[] next = new int[threads];
        for (TraceEvent event : events(file)) {
            if (event instanceof TraceEvent.Access access) {
                int thread = (int) (access.offset() >>> 32);
                assertEquals(next[thread]++, (int) access.offset());
                assertTrue(access.data().complete());
                assertEquals(
                        (int) access.offset(),
                        MemorySegment.ofArray(access.data().kept())
                                .get(ValueLayout.JAVA_INT_UNALIGNED, access.data().length() - 4));
            }
        }
        for (int count : next) {
            assertEquals(each, count);
        }
    }

    @Test
    void aTraceIsReadWhileItIsWritten() throws IOException {
        RecorderTap tap = recording(TraceOptions.DEFAULT);
        tap.trace().mark("one");
        try (TraceReader reader = TraceReader.open(file)) {
            assertNotNull(reader.next());
            assertEquals("one", ((TraceEvent.Mark) reader.next()).text());
            assertNull(reader.next());
            assertFalse(reader.closed());
            assertEquals(2, reader.unverified());
        }
        tap.close();
        tap.trace().mark("after the end");
        assertEquals(CompletionStatus.SUCCESS, tap.read(0, 0, bytes(0, 0), 2));
        assertEquals(2, events(file).size());
    }

    @Test
    void aTraceThatCannotBeMadeIsRefusedInASentence() throws IOException {
        Files.createFile(file);
        TraceException exists =
                assertThrows(TraceException.class, () -> recording(TraceOptions.DEFAULT));
        assertTrue(exists.getMessage().contains("the file exists"), exists.getMessage());
        file = folder.resolve("no/such/folder.fst");
        TraceException none =
                assertThrows(TraceException.class, () -> recording(TraceOptions.DEFAULT));
        assertTrue(none.getMessage().contains("its folder does not exist"), none.getMessage());
    }
}
