package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.Direction;
import farslot.core.DmaMap;
import farslot.core.InterruptKind;
import farslot.core.PciFunction;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TracePointTest {
    private static final MemorySegment WORD = MemorySegment.ofArray(new byte[4]);

    @TempDir Path folder;

    private final MemoryFunction function = new MemoryFunction();
    private final TracePoint point = new TracePoint(function);

    private Recording begin(String name) throws TraceException {
        return point.begin(folder.resolve(name), TraceOptions.DEFAULT);
    }

    private void write(long offset) {
        assertEquals(
                CompletionStatus.SUCCESS, point.write(0, offset, WORD, 4, PciFunction.ALL_BYTES));
    }

    private List<Long> offsets(String name) throws TraceException {
        return RecorderTapTest.events(folder.resolve(name)).stream()
                .filter(event -> event instanceof TraceEvent.Access)
                .map(event -> ((TraceEvent.Access) event).offset())
                .toList();
    }

    @Test
    void shouldRecordWhatHappensBetweenBeginAndEndAndNothingElse() throws IOException {
        point.attach(new MemoryHost());
        write(0x10);
        try (Recording recording = begin("one")) {
            write(0x20);
            assertEquals(List.of(recording), point.recordings());
        }
        write(0x30);
        assertEquals(List.of(0x20L), offsets("one"));
        assertEquals(List.of(), point.recordings());
    }

    @Test
    void shouldKeepRecordingsApartWhicheverEndsFirst() throws IOException {
        point.attach(new MemoryHost());
        Recording first = begin("first");
        write(1);
        Recording second = begin("second");
        write(2);
        first.close();
        write(3);
        Recording third = begin("third");
        write(4);
        second.close();
        write(5);
        third.close();
        assertEquals(List.of(1L, 2L), offsets("first"));
        assertEquals(List.of(2L, 3L, 4L), offsets("second"));
        assertEquals(List.of(4L, 5L), offsets("third"));
    }

    @Test
    void shouldRecordTheWayBackToAHostThatWasThereBefore() throws IOException {
        point.attach(new MemoryHost());
        point.map(new DmaMap(0x1000, 0x2000, Direction.READ_WRITE, null, true));
        point.map(new DmaMap(0x8000, 0x1000, Direction.READ, null, true));
        assertEquals(CompletionStatus.SUCCESS, point.unmap(0x8000, 0x1000));
        Recording recording = begin("one");
        function.host.write(1, 0x1000, WORD);
        function.host.interrupt(1, InterruptKind.MSI, 0);
        recording.close();
        function.host.interrupt(1, InterruptKind.MSI, 1);
        List<TraceEvent> events = RecorderTapTest.events(folder.resolve("one"));
        assertTrue(((TraceEvent.Attached) events.get(0)).attached());
        TraceEvent.Mapped map = assertInstanceOf(TraceEvent.Mapped.class, events.get(1));
        assertEquals(0x1000, map.address());
        assertEquals(0x1000, ((TraceEvent.Dma) events.get(2)).address());
        assertEquals(0, ((TraceEvent.Interrupt) events.get(3)).vector());
        assertEquals(4, events.size());
    }

    @Test
    void shouldMarkAllTraces() throws IOException {
        Recording one = begin("one");
        Recording two = begin("two");
        point.mark("here");
        one.close();
        two.close();
        for (String name : List.of("one", "two")) {
            TraceEvent event = RecorderTapTest.events(folder.resolve(name)).getFirst();
            assertEquals("here", ((TraceEvent.Mark) event).text());
        }
    }

    @Test
    void shouldLeaveAloneWhatPassesWhileRecordersComeAndGo() throws Exception {
        point.attach(new MemoryHost());
        AtomicBoolean stop = new AtomicBoolean();
        AtomicBoolean failed = new AtomicBoolean();
        CountDownLatch passed = new CountDownLatch(10_000);
        Thread driver =
                Thread.ofPlatform()
                        .start(() -> {
                            while (!stop.get()) {
                                failed.compareAndSet(
                                        false,
                                        !point.write(0, 0, WORD, 4, PciFunction.ALL_BYTES)
                                                        .isSuccess()
                                                || !function.host
                                                        .read(1, 0, WORD.asSlice(0))
                                                        .isSuccess());
                                passed.countDown();
                            }
                        });
        for (int round = 0; round < 20; round++) {
            try (Recording recording =
                    point.begin(
                            folder.resolve("round" + round),
                            TraceOptions.DEFAULT.withWindowBytes(1 << 16))) {
                assertEquals(0, recording.lost());
            }
        }
        passed.await();
        stop.set(true);
        driver.join();
        assertEquals(false, failed.get());
    }
}
