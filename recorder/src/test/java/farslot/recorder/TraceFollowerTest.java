package farslot.recorder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TraceFollowerTest {
    @TempDir Path folder;

    private TraceWriter writer() throws TraceException {
        return TraceWriter.create(
                folder.resolve("t.fst"),
                MemoryFunction.DESCRIPTION,
                RecorderTapTest.PATIENT.withWindowBytes(1 << 16));
    }

    private static String text(TraceEvent event) {
        return assertInstanceOf(TraceEvent.Mark.class, event).text();
    }

    /** The next event, however long that takes. */
    private static TraceEvent await(TraceFollower follower) throws TraceException {
        TraceEvent event = follower.next();
        while (event == null) {
            Thread.onSpinWait();
            event = follower.next();
        }
        return event;
    }

    @Test
    void shouldGiveEachEventOnceItIsThere() throws IOException {
        TraceWriter writer = writer();
        try (TraceFollower follower = TraceFollower.open(writer.file())) {
            assertNull(follower.next());
            for (int i = 0; i < 1000; i++) {
                writer.mark("a text that is longer than sixteen bytes, number " + i);
                if (i % 10 == 0) {
                    assertEquals(
                            "a text that is longer than sixteen bytes, number " + i / 10,
                            text(follower.next()));
                }
            }
            for (int i = 100; i < 1000; i++) {
                assertEquals(
                        "a text that is longer than sixteen bytes, number " + i,
                        text(follower.next()));
            }
            assertNull(follower.next());
            assertFalse(follower.isOver());
            writer.mark("last");
            writer.close();
            assertFalse(follower.isOver());
            assertEquals("last", text(follower.next()));
            assertNull(follower.next());
            assertTrue(follower.isOver());
            assertEquals(java.util.List.of(), follower.remarks());
        }
    }

    @Test
    void shouldShowWhatHangsAndAgainWhenItHasEnded() throws IOException {
        try (TraceWriter writer = writer();
                TraceFollower follower = TraceFollower.open(writer.file())) {
            long slot = writer.begin(TraceFormat.KIND_READ, 1, 0, 4, 0, 0x10, 0, 200, 200, null);
            writer.mark("behind");
            assertNull(follower.next());
            assertTrue(await(follower).stamp().underWay());
            assertEquals("behind", text(await(follower)));
            assertNull(follower.next());
            byte[] data = new byte[200];
            data[199] = 9;
            writer.end(slot, CompletionStatus.SUCCESS, 0, 0, MemorySegment.ofArray(data), 200);
            TraceEvent.Access read = (TraceEvent.Access) await(follower);
            assertFalse(read.stamp().underWay());
            assertEquals(9, read.data().kept()[199]);
            assertNull(follower.next());
        }
    }

    @Test
    void shouldPassWhatAStoppedThreadHasLeftEmpty() throws IOException {
        try (TraceWriter writer = writer();
                TraceFollower follower = TraceFollower.open(writer.file())) {
            writer.mark("one");
            writer.mark("two");
            writer.mark("three");
            long commit = writer.room().recordsFrom(1).get(TraceFormat.LONG, 0);
            writer.room().recordsFrom(1).set(TraceFormat.LONG, 0, 0);
            assertEquals("one", text(await(follower)));
            assertEquals("three", text(await(follower)));
            assertNull(follower.next());
            writer.room().recordsFrom(1).set(TraceFormat.LONG, 0, commit);
            assertEquals("two", text(await(follower)));
        }
    }
}
