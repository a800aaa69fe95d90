package farslot.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.PciFunction;
import farslot.link.Address;
import farslot.link.ClockRelation;
import farslot.link.ControlLink;
import farslot.link.FollowRequest;
import farslot.link.LinkOptions;
import farslot.link.LinkServer;
import farslot.link.Offer;
import farslot.link.Peer;
import farslot.link.RecordFeed;
import farslot.link.RefusedException;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceOrigin;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is recorded here and followed over a link, from its beginning to its end. */
@Timeout(60)
class RecordingsTest {
    private static final long ALL = 1L << 40;
    private static final MemorySegment WORD = MemorySegment.ofArray(new byte[4]);

    private final BlockingQueue<String> talk = new LinkedBlockingQueue<>();
    private final List<ControlLink> links = new ArrayList<>();

    /** Short: socket paths have 107 bytes. */
    private Path folder;

    private Recordings recordings;
    private LinkServer server;

    @BeforeEach
    void open() throws IOException {
        folder = Files.createTempDirectory("fs");
        recordings =
                new Recordings(
                        "f0",
                        TraceOrigin.At.LENDER,
                        new Register(),
                        folder.resolve("traces"),
                        talk::add);
        server =
                LinkServer.open(
                        LinkOptions.named("f0"),
                        new Recorder(),
                        List.of(new Address.Unix(folder.resolve("s"))));
    }

    @AfterEach
    void close() throws IOException {
        links.forEach(ControlLink::close);
        server.close("The test is over.");
        recordings.close();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** Offers nothing but what is recorded. */
    private final class Recorder implements Offer {
        @Override
        public List<Map<String, String>> operate(
                Peer peer, String action, Map<String, String> arguments) {
            return List.of();
        }

        @Override
        public AutoCloseable observe(
                Peer peer, java.util.function.Consumer<farslot.link.ObservedEvent> observer) {
            return () -> {};
        }

        @Override
        public RecordFeed follow(Peer peer, FollowRequest request) throws RefusedException {
            return recordings.follow(peer.name(), request);
        }
    }

    private RemoteTrace follow(String file, boolean record, Map<String, String> arguments)
            throws Exception {
        ControlLink link =
                ControlLink.connect(
                        new Address.Unix(folder.resolve("s")), LinkOptions.named("viewer"));
        links.add(link);
        return RemoteTrace.follow(
                link, new FollowRequest("f0", record, arguments), folder.resolve(file), ALL);
    }

    private void write(int count) {
        PciFunction function = recordings.function();
        for (int i = 0; i < count; i++) {
            assertEquals(
                    CompletionStatus.SUCCESS,
                    function.write(0, 4L * i, WORD, 4, PciFunction.ALL_BYTES));
        }
    }

    private void end(RemoteTrace trace) throws Exception {
        trace.stop();
        assertTrue(trace.awaitOver(20_000));
        assertTrue(trace.isOrderly(), trace.why());
        trace.close();
    }

    private List<TraceEvent> events(String file) throws TraceException {
        try (TraceReader reader = TraceReader.open(folder.resolve(file))) {
            List<TraceEvent> events = new ArrayList<>();
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                events.add(event);
            }
            assertTrue(reader.closed());
            assertEquals(List.of(), reader.remarks());
            return events;
        }
    }

    private List<String> buffers() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("traces"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void shouldRecordForAFollowerFromItsFirstToItsLastMoment() throws Exception {
        write(3);
        RemoteTrace trace = follow("t.fst", true, Map.of("dma", "whole"));
        assertEquals(List.of("viewer"), recordings.by());
        write(5000);
        assertEquals(1, recordings.mark("here"));
        end(trace);
        write(3);
        List<TraceEvent> events = events("t.fst");
        assertEquals(5001, events.size());
        for (int i = 0; i < 5000; i++) {
            assertEquals(4L * i, ((TraceEvent.Access) events.get(i)).offset());
        }
        assertEquals("here", ((TraceEvent.Mark) events.getLast()).text());
        assertEquals(0, trace.figures().missed());
        while (!recordings.by().isEmpty()) {
            Thread.onSpinWait();
        }
        assertEquals(List.of(), buffers(), "what a follower has is kept nowhere else");
    }

    @Test
    void shouldLetOthersFollowWhatIsRecordedFromItsBeginning() throws Exception {
        Path own = folder.resolve("own.fst");
        recordings.keep(own, TraceOptions.DEFAULT);
        write(10);
        RemoteTrace trace = follow("t.fst", false, Map.of());
        write(10);
        end(trace);
        assertEquals(20, events("t.fst").size());
        write(10);
        recordings.close();
        assertEquals(30, events("own.fst").size());
    }

    @Test
    void shouldTellInTheTraceWhoHasTheFunction() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        recordings.leaseBegun(
                "v1",
                "alice at 10.0.0.9",
                7,
                () -> {
                    asked.countDown();
                    return new ClockRelation(1_000_000, 500, 0, 0);
                });
        assertEquals(1, asked.getCount(), "nobody wants to know yet");
        RemoteTrace trace = follow("t.fst", true, Map.of());
        recordings.leaseEnded("v1", "alice at 10.0.0.9", 7, "She returned it.");
        recordings.leaseBegun("v2", "bob at 10.0.0.8", 8, () -> null);
        end(trace);
        List<TraceEvent> events = events("t.fst");
        TraceEvent.Lease ended = assertInstanceOf(TraceEvent.Lease.class, events.get(0));
        assertFalse(ended.begun());
        assertEquals("She returned it.", ended.why());
        TraceEvent.Lease begun = assertInstanceOf(TraceEvent.Lease.class, events.get(1));
        assertTrue(begun.begun());
        assertEquals(8, begun.epoch());
        try (TraceReader reader = TraceReader.open(folder.resolve("t.fst"))) {
            assertEquals("f0", reader.origin().function());
            assertEquals(TraceOrigin.At.LENDER, reader.origin().at());
            assertEquals("v1", reader.origin().slot());
            assertEquals(7, reader.origin().epoch());
            assertEquals(1_000_000, reader.clock().orElseThrow().offsetNanos());
        }
    }

    @Test
    void shouldKeepWhatAFollowerCouldNotTakeBeforeItWasLost() throws Exception {
        RemoteTrace trace = follow("t.fst", true, Map.of());
        write(10);
        links.getFirst().close();
        assertTrue(trace.awaitOver(20_000));
        assertFalse(trace.isOrderly());
        trace.close();
        String told = talk.poll(20, TimeUnit.SECONDS);
        assertTrue(told.contains("f0-lost.fst"), told);
        assertEquals(List.of("f0-lost.fst"), buffers());
        assertEquals(10, events("traces/f0-lost.fst").size());
        assertEquals(List.of(), recordings.by());
    }

    @Test
    void shouldGiveFollowersTheRestWhenTheProcessLeaves() throws Exception {
        RemoteTrace trace = follow("t.fst", true, Map.of());
        write(10_000);
        recordings.finish();
        assertTrue(trace.awaitOver(20_000));
        trace.close();
        assertEquals(10_000, events("t.fst").size());
    }

    @Test
    void shouldEndWhenTheFileIsAsLongAsItMayBecome() throws Exception {
        ControlLink link =
                ControlLink.connect(
                        new Address.Unix(folder.resolve("s")), LinkOptions.named("viewer"));
        links.add(link);
        RemoteTrace trace =
                RemoteTrace.follow(
                        link,
                        new FollowRequest("f0", true, Map.of()),
                        folder.resolve("t.fst"),
                        1 << 18);
        while (!trace.awaitOver(0)) {
            write(100);
        }
        trace.close();
        assertEquals("The limit of 262144 bytes is reached.", trace.why());
        assertTrue(Files.size(folder.resolve("t.fst")) <= 1 << 18);
        assertTrue(events("t.fst").size() > 1000);
    }

    @Test
    void shouldRefuseInSentencesAndLeaveNothing() throws Exception {
        RefusedException nothing =
                assertThrows(RefusedException.class, () -> follow("t.fst", false, Map.of()));
        assertEquals(RefusedException.Reason.NOT_FOUND, nothing.reason());
        for (Map<String, String> wrong :
                List.of(Map.of("dmaa", "whole"), Map.of("dma", "some"), Map.of("dma", "head:"))) {
            RefusedException refused =
                    assertThrows(RefusedException.class, () -> follow("t.fst", true, wrong));
            assertEquals(RefusedException.Reason.BAD_ARGUMENT, refused.reason());
        }
        assertFalse(Files.exists(folder.resolve("t.fst")));
        assertThrows(RefusedException.class, () -> recordings.markBy("here"));
        for (int i = 0; i < Recordings.MOST; i++) {
            follow("t" + i, true, Map.of());
        }
        RefusedException many =
                assertThrows(RefusedException.class, () -> follow("t.fst", true, Map.of()));
        assertEquals(RefusedException.Reason.UNAVAILABLE, many.reason());
        assertThrows(RefusedException.class, () -> follow("t.fst", false, Map.of("dma", "whole")));
        assertThrows(RefusedException.class, () -> recordings.markBy(" "));
        assertEquals(Recordings.MOST, recordings.markBy("here"));
    }

    @Test
    void shouldNotOverwriteAFile() throws Exception {
        Files.writeString(folder.resolve("t.fst"), "mine");
        assertThrows(TraceException.class, () -> follow("t.fst", true, Map.of()));
        assertEquals("mine", Files.readString(folder.resolve("t.fst")));
        while (!recordings.by().isEmpty()) {
            Thread.onSpinWait();
        }
    }
}
