package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.FollowRequest;
import farslot.link.LinkOptions;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceReader;
import farslot.watch.RemoteTrace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A lender that records is killed at any moment of its work: each trace reads to its end, and has
 * all that its borrower knows to have happened, in order and once.
 *
 * <p>Every round is drawn from a seed that is printed. {@code -Dfarslot.kills.seeds=S,T} draws
 * those again.
 */
@Tag("processes")
@Timeout(value = 2, unit = TimeUnit.HOURS)
class KilledRecordingTest {
    private static final LinkOptions FOLLOWER = LinkOptions.named("viewer").withInsecure(true);
    private static final long SOON_MILLIS = Bench.START.toMillis();

    @TempDir Path folder;

    private Acknowledgements.Found found = new Acknowledgements.Found(0, 0, 0, 0, 0);
    private long flushed;
    private long followed;
    private long copied;

    private static List<Long> seeds() {
        String given = System.getProperty("farslot.kills.seeds");
        if (given != null) {
            return Stream.of(given.split(",", -1)).map(Long::valueOf).toList();
        }
        long first = System.nanoTime();
        int rounds =
                switch (System.getProperty("farslot.rounds", "short")) {
                    case "few" -> 1;
                    case "full" -> 200;
                    default -> 4;
                };
        return Stream.iterate(first, seed -> seed + 1).limit(rounds).toList();
    }

    @Test
    void nothingThatWasAcknowledgedIsMissingWheneverALenderIsKilled() throws Exception {
        List<Long> seeds = seeds();
        say(seeds.size() + " kills, seeds from " + seeds.getFirst());
        for (long seed : seeds) {
            Path files = Files.createDirectory(folder.resolve("seed" + seed));
            try {
                round(new SplittableRandom(seed), files);
            } catch (AssertionError | Exception e) {
                throw new AssertionError("-Dfarslot.kills.seeds=" + seed + ": " + e, e);
            }
            Bench.remove(files);
        }
        say(
                String.format(
                        Locale.ROOT,
                        "%d kills of a lender (%d in the mode flush, %d followed): %d accesses, %d"
                                + " transfers and %d interrupts that were acknowledged are in their"
                                + " traces, and %d events more; %d events are in sealed blocks; the"
                                + " followers have %d",
                        seeds.size(),
                        flushed,
                        followed,
                        found.accesses(),
                        found.transfers(),
                        found.interrupts(),
                        found.beyond(),
                        found.sealed(),
                        copied));
    }

    private static void say(String what) {
        System.out.println("KilledRecordingTest: " + what);
    }

    private void round(SplittableRandom random, Path files) throws Exception {
        boolean flush = random.nextInt(3) == 0;
        boolean follow = random.nextInt(3) == 0;
        // Each access that is flushed waits for the disk.
        CountDownLatch moment = new CountDownLatch(1 + random.nextInt(flush ? 3_000 : 30_000));
        try (Bench bench = Bench.in(files)) {
            Bench.Running lender = lend(bench, files, flush);
            Address address = Address.parse(Bench.address(lender));
            RemoteTrace viewer = follow ? follow(bench, "n0", files) : null;
            try (Borrowed disk = Borrowed.disk(address, moment, random.nextLong());
                    Borrowed teacher = Borrowed.teacher(address, moment)) {
                awaitMoment(moment, lender, disk, teacher);
                lender.kill();
                disk.stop();
                teacher.stop();
                found = found.plus(check(files.resolve("t-n0.fst"), disk));
                found = found.plus(check(files.resolve("t-e0.fst"), teacher));
                if (follow) {
                    Path buffer = onlyFile(bench.runtime().resolve("farslot/traces"));
                    found = found.plus(check(buffer, disk));
                    copied += checkCopy(viewer, buffer);
                }
            }
        }
        flushed += flush ? 1 : 0;
        followed += follow ? 1 : 0;
    }

    private static Bench.Running lend(Bench bench, Path files, boolean flush) {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "lend",
                                Borrowed.DISK + ",image=" + files.resolve("disk"),
                                Borrowed.TEACHER,
                                "--listen",
                                "127.0.0.1:0",
                                "--insecure",
                                "--trace",
                                files.resolve("t.fst").toString(),
                                "--dma",
                                "whole"));
        if (flush) {
            words.addAll(List.of("--mode", "BAR0:0x0-0x1fff=flush"));
        }
        return bench.farslot(words.toArray(String[]::new));
    }

    /** By the lender's control socket: who comes by TCP that proves nothing may not record. */
    private static RemoteTrace follow(Bench bench, String function, Path files) throws Exception {
        Path socket = bench.runtime().resolve("farslot/" + function + ".lender.sock");
        return RemoteTrace.follow(
                ControlLink.connect(new Address.Unix(socket), FOLLOWER),
                new FollowRequest(function, true, Map.of("dma", "whole")),
                files.resolve("copy.fst"),
                TraceOptions.DEFAULT);
    }

    private static void awaitMoment(
            CountDownLatch moment, Bench.Running lender, Borrowed... functions)
            throws InterruptedException {
        while (!moment.await(100, TimeUnit.MILLISECONDS)) {
            for (Borrowed function : functions) {
                assertFalse(
                        function.isOver(),
                        () -> function.failure() + "\n" + lender.console().lastLines(20));
            }
        }
    }

    private static Acknowledgements.Found check(Path file, Borrowed function) throws Exception {
        try (TraceReader trace = TraceReader.open(file)) {
            return function.acknowledged().assertAreIn(trace);
        } catch (AssertionError e) {
            throw new AssertionError(file.getFileName() + ": " + e.getMessage(), e);
        }
    }

    private static Path onlyFile(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertEquals(1, all.size(), all::toString);
            return all.getFirst();
        }
    }

    @Test
    void theNextLenderKeepsWhatAKilledOneHadRecordedForAViewer() throws Exception {
        try (Bench bench = Bench.in(folder)) {
            Bench.Running killed = bench.farslot("lend", Borrowed.TEACHER);
            killed.console().await("Lending e0", Bench.START);
            try (RemoteTrace viewer = follow(bench, "e0", folder)) {
                killed.kill();
                assertTrue(viewer.awaitOver(SOON_MILLIS));
            }
            Bench.Running next = bench.farslot("lend", Borrowed.TEACHER);
            next.console().await("e0-lost.fst.", Bench.START);
            next.console().await("Lending e0", Bench.START);
            try (RemoteTrace viewer =
                    follow(bench, "e0", Files.createDirectory(folder.resolve("again")))) {
                viewer.stop();
                assertTrue(viewer.awaitOver(SOON_MILLIS));
                assertTrue(viewer.isOrderly(), viewer.why());
            }
        }
    }

    /** What a viewer has is the beginning of what was recorded for it. */
    private static long checkCopy(RemoteTrace viewer, Path buffer) throws Exception {
        try (viewer) {
            assertTrue(viewer.awaitOver(SOON_MILLIS));
            assertFalse(viewer.isOrderly(), viewer.why());
        }
        assertEquals(0, viewer.figures().missed());
        long events = 0;
        try (TraceReader copy = TraceReader.open(viewer.file());
                TraceReader original = TraceReader.open(buffer)) {
            TraceEvent event = copy.next();
            for (; !isEndOfBroken(event); event = copy.next()) {
                TraceEvent there = original.next();
                assertEquals(there.getClass(), event.getClass());
                assertEquals(there.stamp().number(), event.stamp().number());
                assertEquals(there.stamp().nanos(), event.stamp().nanos());
                events++;
            }
            assertNull(copy.next());
            assertEquals(0, copy.damaged(), () -> copy.remarks().toString());
            assertEquals(0, copy.unverified(), () -> copy.remarks().toString());
        }
        return events;
    }

    private static boolean isEndOfBroken(TraceEvent event) {
        return event instanceof TraceEvent.Mark mark
                && mark.text().startsWith("This copy ends before the recording did: ");
    }
}
