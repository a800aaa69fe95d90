package farslot.bench;

import farslot.core.PciFunction;
import farslot.lender.Lender.Lendable;
import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.FollowRequest;
import farslot.link.LinkException;
import farslot.link.RefusedException;
import farslot.recorder.TraceException;
import farslot.recorder.TraceOptions;
import farslot.recorder.TraceOrigin;
import farslot.watch.Recordings;
import farslot.watch.RemoteTrace;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * How fast a follower gets a recording over TCP, from its question to a whole file of its own. The
 * events were recorded before, so that neither end shares a core with who makes them: what is
 * measured is the way. Its baseline sends the same bytes in pieces of the same size and throws them
 * away, which is less than the follower does.
 */
final class TraceBench {
    private static final int EVENTS = 2_000_000;

    /** Of one RECORDS, at the most. */
    private static final int PIECE_BYTES = 0x20000;

    private static final int RECORD_BYTES = 64;
    private static final int REPLY_BYTES = 44;
    private static final String NAME = "recorded";
    private static final int PATIENCE_MILLIS = 60_000;

    private TraceBench() {}

    static List<Row> run(Workbench bench, Rounds rounds) throws IOException {
        int pieces = Math.max(1, rounds.of(EVENTS) * RECORD_BYTES / PIECE_BYTES);
        int events = pieces * (PIECE_BYTES / RECORD_BYTES);
        Path folder = bench.file();
        Peer lender = bench.keep(Peer.farSide("recorded", folder.toString(), "" + events));
        lender.line();
        Peer follower =
                bench.keep(Peer.farSide("follower", lender.line(), bench.file().toString()));
        Peer socket = bench.tcpSocket(PIECE_BYTES, REPLY_BYTES);
        Contest follow =
                new Contest(
                        "trace.follow",
                        "1/s",
                        Target.ratioAtLeast(0.3),
                        Contest.perSecond(Workbench.turn(follower, "follow " + events), 1),
                        Contest.perSecond(
                                Workbench.turn(socket, "post " + pieces + " 1"),
                                (double) events / pieces));
        return List.of(follow.run(rounds, bench.progress()));
    }

    /** A function of which so many events are recorded, each of one record. */
    static Lendable recorded(PciFunction function, Path folder, int events) throws IOException {
        Recordings recordings =
                new Recordings(NAME, TraceOrigin.At.LENDER, function, null, sentence -> {});
        Files.createDirectories(folder);
        try {
            recordings.keep(folder.resolve("t.fst"), TraceOptions.DEFAULT);
        } catch (TraceException e) {
            throw new IOException(e.getMessage(), e);
        }
        MemorySegment word = MemorySegment.ofArray(new byte[Integer.BYTES]);
        for (int i = 0; i < events; i++) {
            recordings.function().write(0, i & 0xffff, word, 4, PciFunction.ALL_BYTES);
        }
        return new Lendable(NAME, function, recordings);
    }

    /**
     * The follower's process: answers for each line how many nanoseconds each of the events took
     * until it was in the file.
     */
    static void answer(Address address, Path file, PrintStream answers) throws Exception {
        BufferedReader orders =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String order = orders.readLine(); order != null; order = orders.readLine()) {
            int events = Integer.parseInt(order.substring(order.indexOf(' ') + 1));
            answers.println(follow(address, file, events));
            Files.delete(file);
        }
    }

    private static double follow(Address address, Path file, int events)
            throws LinkException, RefusedException, TraceException, InterruptedException {
        ControlLink link = ControlLink.connect(address, FarSide.options());
        long begun = System.nanoTime();
        RemoteTrace trace =
                RemoteTrace.follow(
                        link,
                        new FollowRequest(NAME, false, Map.of()),
                        file,
                        TraceOptions.DEFAULT.withLimitBytes(Long.MAX_VALUE));
        // What is there is wanted, and no more.
        trace.stop();
        boolean over = trace.awaitOver(PATIENCE_MILLIS);
        double each = (double) (System.nanoTime() - begun) / events;
        trace.close();
        RemoteTrace.Figures figures = trace.figures();
        if (!over || !trace.isOrderly() || figures.records() != events || figures.missed() > 0) {
            throw new IllegalStateException(
                    "Of " + events + " events came: " + figures + "; " + trace.why());
        }
        return each;
    }
}
