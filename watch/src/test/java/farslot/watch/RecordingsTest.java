package farslot.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.core.CompletionStatus;
import farslot.core.FunctionDescription;
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
import farslot.recorder.RecorderTap;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is recorded here and followed over a link, from its beginning to its end. */
@Timeout(60)
class RecordingsTest {
    private static final TraceOptions ALL = TraceOptions.DEFAULT.withLimitBytes(1L << 40);
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
        return follow(file, record, arguments, ALL);
    }

    private RemoteTrace follow(
            String file, boolean record, Map<String, String> arguments, TraceOptions keep)
            throws Exception {
        ControlLink link =
                ControlLink.connect(
                        new Address.Unix(folder.resolve("s")), LinkOptions.named("viewer"));
        links.add(link);
        return RemoteTrace.follow(
                link, new FollowRequest("f0", record, arguments), folder.resolve(file), keep);
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
        awaitNobody();
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
    void shouldMissWhatComesWhileTooMuchIsNotReadAndCountIt() throws Exception {
        RemoteTrace trace = follow("t.fst", true, Map.of());
        long most = 1 << 17;
        trace.keepUnread(most);
        write(10_000);
        while (trace.figures().records() + trace.figures().missed() < 10_000) {
            Thread.onSpinWait();
        }
        assertTrue(trace.figures().missed() > 0);
        assertTrue(Files.size(trace.file()) <= most);
        trace.readTo(trace.figures().bytes());
        write(10);
        end(trace);
        long came = 0;
        long missing = 0;
        for (TraceEvent event : events("t.fst")) {
            came += event instanceof TraceEvent.Access ? 1 : 0;
            if (event instanceof TraceEvent.Mark mark && mark.text().contains("are missing here")) {
                missing += Long.parseLong(mark.text().replaceAll("[^0-9].*", ""));
            }
        }
        assertEquals(10_010, came + missing);
        assertEquals(missing, trace.figures().missed());
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
        TraceEvent.Mark end = assertInstanceOf(TraceEvent.Mark.class, events("t.fst").getLast());
        assertTrue(end.text().startsWith("This copy ends before the recording did: "), end.text());
    }

    @Test
    void shouldFindWhatAKilledProcessOfThisMachineHadRecordedForOthers() throws Exception {
        String here = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        Path traces = Files.createDirectory(folder.resolve("traces"));
        String lives = "f0-" + ProcessHandle.current().pid() + "-99.fst";
        left(traces.resolve("f0-" + gone.pid() + "-1.fst"), here);
        left(traces.resolve("f0-" + gone.pid() + "-2.fst"), "elsewhere");
        left(traces.resolve("f1-" + gone.pid() + "-1.fst"), here);
        left(traces.resolve(lives), here);
        Files.writeString(traces.resolve("f0-" + gone.pid() + "-3.fst"), "no trace");
        Files.writeString(traces.resolve("f0-" + gone.pid() + "-1.fst.1"), "the part before it");
        new Recordings("f0", TraceOrigin.At.LENDER, new Register(), traces, talk::add).close();
        String told = talk.poll(20, TimeUnit.SECONDS);
        assertTrue(told.contains("was killed; what it had is in "), told);
        assertTrue(told.contains("f0-lost.fst"), told);
        assertEquals(1, events("traces/f0-lost.fst").size());
        assertEquals(
                Stream.of(
                                "f0-lost.fst",
                                "f0-lost.fst.1",
                                "f0-" + gone.pid() + "-2.fst",
                                "f0-" + gone.pid() + "-3.fst",
                                "f1-" + gone.pid() + "-1.fst",
                                lives)
                        .sorted()
                        .toList(),
                buffers().stream().sorted().toList());
        assertEquals(0, talk.size());
    }

    /** A trace with one access in it. */
    private static void left(Path file, String machine) throws Exception {
        TraceOrigin origin = new TraceOrigin(TraceOrigin.At.LENDER, "f0", "", "", machine, 0);
        try (RecorderTap tap =
                RecorderTap.recording(new Register(), file, ALL.withOrigin(origin))) {
            tap.write(0, 0, WORD, 4, PciFunction.ALL_BYTES);
        }
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
        RemoteTrace trace = follow("t.fst", true, Map.of(), ALL.withLimitBytes(1 << 18));
        while (!trace.awaitOver(0)) {
            write(100);
        }
        trace.close();
        assertEquals("The limit of 262144 bytes is reached.", trace.why());
        assertTrue(Files.size(folder.resolve("t.fst")) <= 1 << 18);
        assertTrue(events("t.fst").size() > 1000);
    }

    @Test
    void shouldGoOnInAnotherFileWhenOneIsAsLongAsItMayBecome() throws Exception {
        TraceOptions keep = ALL.withLimitBytes(8 << 20).withFiles(2).withForceMillis(1);
        RemoteTrace trace = follow("t.fst", true, Map.of("dma", "whole"), keep);
        int written = 0;
        while (!Files.exists(folder.resolve("t.fst.1")) || written < 250_000) {
            write(1000);
            written += 1000;
        }
        end(trace);
        assertEquals(0, trace.figures().missed());
        assertEquals(List.of("t.fst", "t.fst.1"), files("t.fst"));
        List<TraceEvent> older = events("t.fst.1");
        List<TraceEvent> newer = events("t.fst");
        assertTrue(Files.size(folder.resolve("t.fst.1")) <= 8 << 20);
        assertTrue(older.size() > 90_000, "most of the limit is used");
        TraceEvent.Access last = (TraceEvent.Access) older.getLast();
        TraceEvent.Access first = (TraceEvent.Access) newer.getFirst();
        assertEquals((last.offset() + 4) % 4000, first.offset(), "nothing lies between them");
        assertTrue(first.stamp().number() > last.stamp().number());
        assertEquals(3996, ((TraceEvent.Access) newer.getLast()).offset());
        assertThrows(TraceException.class, () -> follow("t.fst.0", true, Map.of(), tooShort()));
        Files.delete(folder.resolve("t.fst"));
        assertThrows(TraceException.class, () -> follow("t.fst", true, Map.of(), keep));
    }

    private static TraceOptions tooShort() {
        return ALL.withLimitBytes(1 << 20).withFiles(2);
    }

    private List<String> files(String prefix) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith(prefix))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void shouldRecordWhatTheFollowerAsksFor() throws Exception {
        Map<String, String> what =
                Map.of(
                        "where",
                        "write and offset >= 0x10",
                        "mode",
                        "BAR0:0x0-0x7=count *:0x18-0x1b=off");
        RemoteTrace trace = follow("t.fst", true, what);
        write(8);
        end(trace);
        List<Long> offsets = offsets("t.fst");
        assertEquals(List.of(0x10L, 0x14L, 0x1cL), offsets);
        TraceEvent.Counted counted = (TraceEvent.Counted) events("t.fst").getLast();
        assertEquals(2, counted.writes(), "what is only counted comes in the end");
    }

    private List<Long> offsets(String file) throws TraceException {
        return events(file).stream()
                .filter(event -> event instanceof TraceEvent.Access)
                .map(event -> ((TraceEvent.Access) event).offset())
                .toList();
    }

    @Test
    void shouldEndBehindWhatTheFollowerWaitsForAndSendAllBefore() throws Exception {
        RemoteTrace trace = follow("t.fst", true, Map.of("until", "offset == 0x4e1c"));
        write(6000);
        assertTrue(trace.awaitOver(20_000));
        assertTrue(trace.isOrderly());
        assertEquals("The recording of f0 has ended, since offset == 0x4e1c.", trace.why());
        trace.close();
        List<Long> offsets = offsets("t.fst");
        assertEquals(5000, offsets.size());
        assertEquals(0x4e1cL, offsets.getLast());
        awaitNobody();
    }

    @Test
    void shouldGiveThoseWhoFollowAllOfATraceThatEndsByItself() throws Exception {
        FunctionDescription description = recordings.function().describe();
        recordings.keep(
                folder.resolve("own.fst"),
                RecordingOptions.of(
                        Map.of("until", "offset == 0x4e1c"), TraceOptions.DEFAULT, description));
        RemoteTrace trace = follow("t.fst", false, Map.of());
        write(6000);
        assertTrue(trace.awaitOver(20_000));
        assertTrue(trace.isOrderly(), trace.why());
        trace.close();
        assertEquals(5000, offsets("t.fst").size());
        RefusedException nothing =
                assertThrows(RefusedException.class, () -> follow("u.fst", false, Map.of()));
        assertEquals(RefusedException.Reason.NOT_FOUND, nothing.reason(), "it has ended");
    }

    @Test
    void shouldSendTheEndOfARingOnceItHasEnded() throws Exception {
        Map<String, String> ring = Map.of("ring", "131072", "until", "offset == 0xbb7c");
        RemoteTrace trace = follow("t.fst", true, ring);
        RemoteTrace live = follow("live.fst", false, Map.of());
        PciFunction function = recordings.function();
        for (int i = 0; i < 12_000; i++) {
            assertEquals(0, trace.figures().records(), "nothing comes before the end");
            function.write(0, 4L * i, WORD, 4, PciFunction.ALL_BYTES);
            // So small a ring has no room for more at once.
            while (i % 500 == 0 && live.figures().records() < i) {
                Thread.onSpinWait();
            }
        }
        assertTrue(trace.awaitOver(20_000));
        trace.close();
        assertEquals(0, trace.figures().missed(), trace.why());
        List<Long> offsets = offsets("t.fst");
        assertEquals(0xbb7cL, offsets.getLast());
        assertTrue(offsets.size() >= 131072 / 64 - 20, offsets.size() + " are kept");
        assertTrue(offsets.size() < 6000, offsets.size() + " are kept");
        assertEquals(
                offsets.getLast() - 4L * (offsets.size() - 1), offsets.getFirst(), "and no others");
        assertTrue(live.awaitOver(20_000));
        awaitNobody();
    }

    @Test
    void shouldSendARingWhenTheFollowerEndsIt() throws Exception {
        RemoteTrace trace = follow("t.fst", true, Map.of("ring", "1048576"));
        write(10);
        recordings.mark("here");
        end(trace);
        assertEquals(11, events("t.fst").size());
    }

    @Test
    void shouldKeepARingWhoseFollowerWasLost() throws Exception {
        follow("t.fst", true, Map.of("ring", "1048576"));
        write(10);
        links.getFirst().close();
        String told = talk.poll(20, TimeUnit.SECONDS);
        assertTrue(told.contains("f0-lost.fst"), told);
        assertEquals(10, events("traces/f0-lost.fst").size());
    }

    /** What a follower has is kept nowhere else. */
    private void awaitNobody() throws IOException {
        while (!recordings.by().isEmpty() || !buffers().isEmpty()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void shouldRecordRangesInAnotherWayWhileItRuns() throws Exception {
        RemoteTrace trace = follow("t.fst", true, Map.of("mode", "BAR0:0x8-0xb=off"));
        write(4);
        assertEquals(1, recordings.changeBy("BAR0:0x0-0x7=off BAR0:0x8-0xb=record"));
        write(4);
        assertThrows(RefusedException.class, () -> recordings.changeBy("BAR0=offf"));
        assertThrows(RefusedException.class, () -> recordings.changeBy(" "));
        end(trace);
        assertEquals(List.of(0L, 4L, 0xcL, 8L, 0xcL), offsets("t.fst"));
        awaitNobody();
        assertThrows(RefusedException.class, () -> recordings.changeBy("BAR0=off"));
        RemoteTrace ring = follow("r.fst", true, Map.of("ring", "1048576"));
        RefusedException flush =
                assertThrows(RefusedException.class, () -> recordings.changeBy("BAR0=flush"));
        assertTrue(flush.getMessage().contains("a ring is recorded"), flush.getMessage());
        StringBuilder many = new StringBuilder();
        for (int i = 0; i < 257; i++) {
            many.append("BAR0:").append(2 * i).append("=off ");
        }
        RefusedException refused =
                assertThrows(RefusedException.class, () -> recordings.changeBy(many.toString()));
        assertTrue(refused.getMessage().contains("More than 256 ranges"), refused.getMessage());
        write(1);
        end(ring);
        assertEquals(List.of(0L), offsets("r.fst"), "nothing was changed");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "dmaa  | whole             | did you mean \"dma\"?",
                "dma   | some              | does not say what is kept of DMA",
                "dma   | head:             | does not say what is kept of DMA",
                "where | offset ==         | --where: ",
                "where | offsett == 1      | did you mean \"offset\"?",
                "until | ((                | --until: ",
                "mode  | BAR0=of           | did you mean \"off\"?",
                "mode  | BAR0=off BAR9=off | --mode: There is no region \"BAR9\"",
                "guest-marks | perhaps     | neither \"yes\" nor \"no\"",
                "ring  | 64M               | a decimal number is wanted",
                "ring  | 12                | 128 KiB is the least",
                "ring  | 268435457         | 256 MiB is the most",
                "ring  | 999999999999999999| 256 MiB is the most",
            })
    void shouldRefuseAnOptionThatMeansNothing(String name, String value, String sentence)
            throws Exception {
        RefusedException refused =
                assertThrows(
                        RefusedException.class, () -> follow("t.fst", true, Map.of(name, value)));
        assertEquals(RefusedException.Reason.BAD_ARGUMENT, refused.reason());
        assertTrue(refused.getMessage().contains(sentence), refused.getMessage());
        assertFalse(Files.exists(folder.resolve("t.fst")));
        assertEquals(List.of(), recordings.by());
    }

    @Test
    void shouldLetAnAccessWaitUntilItsFollowerKeepsIt() throws Exception {
        RemoteTrace trace = follow("t.fst", true, Map.of("mode", "BAR0:0x10-0xff=flush-remote"));
        write(4);
        for (int i = 0; i < 50; i++) {
            long offset = 0x10 + 4L * i;
            recordings.function().write(0, offset, WORD, 4, PciFunction.ALL_BYTES);
            // The file can be read while it grows: it has the access, perhaps under way.
            try (TraceReader reader = TraceReader.open(folder.resolve("t.fst"))) {
                TraceEvent last = null;
                for (TraceEvent e = reader.next(); e != null; e = reader.next()) {
                    last = e;
                }
                assertEquals(offset, ((TraceEvent.Access) last).offset());
            }
        }
        end(trace);
        List<TraceEvent> events = events("t.fst");
        assertEquals(55, events.size(), "the modes, and each access once");
        for (TraceEvent event : events) {
            assertFalse(event instanceof TraceEvent.Access access && access.stamp().underWay());
        }
    }

    @Test
    void shouldGoOnWhenTheFollowerDoesNotAnswer() throws Exception {
        ControlLink link =
                ControlLink.connect(
                        new Address.Unix(folder.resolve("s")), LinkOptions.named("mute"));
        links.add(link);
        // It takes no records, and so says nothing of them.
        link.follow(new FollowRequest("f0", true, Map.of("mode", "*=flush-remote")));
        long begun = System.nanoTime();
        write(200);
        long took = System.nanoTime() - begun;
        assertTrue(took >= 1_000_000_000, "one waits a second: " + took);
        assertTrue(took < 20_000_000_000L, "and no other: " + took);
        link.close();
        assertTrue(talk.poll(20, TimeUnit.SECONDS).contains("f0-lost.fst"));
        write(1);
        List<TraceEvent> events = events("traces/f0-lost.fst");
        assertEquals(202, events.size());
        assertEquals(
                "200 accesses of the mode flush-remote went on without another computer's word",
                ((TraceEvent.Setting) events.getLast()).setting());
    }

    @Test
    void shouldRefuseToFlushAPartOfARing() {
        Map<String, String> both = Map.of("ring", "1048576", "mode", "BAR0=flush");
        RefusedException refused =
                assertThrows(RefusedException.class, () -> follow("t.fst", true, both));
        assertEquals(RefusedException.Reason.BAD_ARGUMENT, refused.reason());
        assertTrue(refused.getMessage().contains("A ring is kept in memory"), refused.getMessage());
    }

    @Test
    void shouldRefuseInSentencesAndLeaveNothing() throws Exception {
        RefusedException nothing =
                assertThrows(RefusedException.class, () -> follow("t.fst", false, Map.of()));
        assertEquals(RefusedException.Reason.NOT_FOUND, nothing.reason());
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
