package farslot.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import farslot.cli.ExitCode;
import farslot.core.CompletionStatus;
import farslot.core.InProcessHost;
import farslot.core.PciFunction;
import farslot.core.Region;
import farslot.link.Address;
import farslot.link.ControlLink;
import farslot.link.LinkOptions;
import farslot.link.RemoteFunction;
import farslot.link.RuntimeDirectory;
import farslot.link.Wish;
import farslot.recorder.TraceEvent;
import farslot.recorder.TraceReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Viewers on another machine than the lender's: a network namespace, and identities of their own.
 * The borrower is on the lender's machine.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class RemoteViewerTest {
    /** Whether figures are wanted: as long and as fast as it takes. */
    private static final boolean FULL =
            System.getProperty("farslot.rounds", "short").equals("full");

    private static final int LIVENESS = 0x04;

    /** So slow is the way to a slow viewer: some 15,000 events a second. */
    private static final String SLOW = "8mbit";

    private static final Pattern GAP = Pattern.compile("(\\d+) records are missing here");

    private final MemorySegment word = Arena.ofAuto().allocate(4);
    private final List<AutoCloseable> open = new ArrayList<>();
    private NamespacePair machines;
    private SiteUser alice;
    private String there;
    private Address near;
    private int marks;

    @BeforeEach
    void lendOnAnotherMachine() throws Exception {
        assumeTrue(NamespacePair.isPossible(), "network namespaces need root and the program ip");
        machines = opened(NamespacePair.create());
        alice = opened(new SiteUser(machines.inFirst()).compiled(FULL));
        alice.run(
                ExitCode.OK,
                "trust",
                "init",
                "lab",
                "--as",
                "alice",
                "--host",
                NamespacePair.FIRST_ADDRESS);
        Path policy = alice.home().resolve("p.toml");
        Files.writeString(
                policy,
                """
                [[allow]]
                who = "bob"
                may = ["observe", "operate"]
                functions = "e0"

                [[allow]]
                who = "carol"
                may = "observe"
                functions = "e0"

                [[allow]]
                who = "dave"
                may = "borrow"
                functions = "e0"
                """);
        SiteUser.Running lender =
                alice.start(
                        "lend",
                        "edu,name=e0",
                        "--listen",
                        NamespacePair.FIRST_ADDRESS + ":0",
                        "--policy",
                        policy.toString(),
                        "--trace",
                        alice.home().resolve("own.fst").toString(),
                        "--limit",
                        "8M",
                        "--files",
                        "2",
                        "--json");
        lender.await("\n}");
        Matcher port = Pattern.compile("10\\.213\\.7\\.1:(\\d+)").matcher(lender.data());
        assertTrue(port.find(), lender.data());
        there = "e0@" + port.group();
        near =
                new Address.Unix(
                        new RuntimeDirectory(alice.home())
                                .socket("e0", RuntimeDirectory.Role.LENDER));
    }

    private <T extends AutoCloseable> T opened(T closeable) {
        open.add(closeable);
        return closeable;
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    /** Somebody of the site on the other machine. */
    private SiteUser viewer(String name) throws IOException {
        SiteUser viewer = opened(new SiteUser(machines.inSecond()).compiled(FULL));
        String bundle = viewer.home().resolve("bundle.pem").toString();
        alice.run(ExitCode.OK, "trust", "issue", name, "-o", bundle);
        viewer.run(ExitCode.OK, "trust", "import", bundle);
        return viewer;
    }

    private RemoteFunction borrow() throws Exception {
        LinkOptions options = LinkOptions.named("driver");
        RemoteFunction edu =
                opened(RemoteFunction.borrow(near, new Wish("e0"), options, why -> {}));
        new InProcessHost(edu, (kind, vector) -> {});
        word.set(java.lang.foreign.ValueLayout.JAVA_INT, 0, 2);
        PciFunction function = edu;
        success(function.write(Region.CONFIGURATION, 4, word.asSlice(0, 2), 2, 3));
        return edu;
    }

    private static void success(CompletionStatus status) {
        assertEquals(CompletionStatus.SUCCESS, status);
    }

    private void post(PciFunction edu, int count) {
        for (int i = 0; i < count; i++) {
            edu.write(0, LIVENESS, word, 4, PciFunction.ALL_BYTES);
        }
        success(edu.read(0, LIVENESS, word, 4));
    }

    /** Waits until the lender says that it is so. */
    private void await(String detail, boolean there) throws Exception {
        try (ControlLink link = ControlLink.connect(near, LinkOptions.named("test"))) {
            boolean is;
            do {
                is = link.list().getFirst().details().containsKey(detail);
            } while (is != there);
        }
    }

    @Test
    void aViewerFollowsLiveAndWhoMayNotIsRefusedByName() throws Exception {
        RemoteFunction edu = borrow();
        SiteUser bob = viewer("bob");
        SiteUser carol = viewer("carol");
        SiteUser.Running seen = carol.start("trace", "show", there, "--follow");
        await("followed-by", true);
        Path file = bob.home().resolve("e0.fst");
        SiteUser.Running recorded =
                bob.start("trace", "record", there, "-o", file.toString(), "--json");
        await("recorded-by", true);
        recorded.await("Recording");
        post(edu, 1);
        seen.await("LIVENESS");
        bob.run(ExitCode.OK, "trace", "mark", there, "the cable is out");
        seen.await("the cable is out");
        recorded.end();
        assertTrue(recorded.data().contains("\"missed\" : 0"), recorded.data() + recorded.talk());
        assertTrue(bob.run(ExitCode.OK, "trace", "show", file.toString()).contains("LIVENESS"));
        // To observe is not to operate, and to borrow is neither.
        String mayOnlyObserve =
                carol.run(ExitCode.REFUSED, "trace", "record", there, "-o", "/dev/null/x.fst");
        assertTrue(mayOnlyObserve.contains("lack the right to operate e0"), mayOnlyObserve);
        SiteUser dave = viewer("dave");
        String mayOnlyBorrow = dave.run(ExitCode.REFUSED, "trace", "show", there, "--follow");
        assertTrue(mayOnlyBorrow.contains("lack the right to observe e0"), mayOnlyBorrow);
        // Another site's alice is nobody here.
        SiteUser mallory = opened(new SiteUser(machines.inSecond()));
        mallory.run(ExitCode.OK, "trust", "init", "lab", "--as", "alice");
        String wrong = mallory.run(ExitCode.REFUSED, "trace", "show", there, "--follow");
        assertFalse(wrong.contains("LIVENESS"), wrong);
        assertTrue(wrong.contains("certificate"), wrong);
    }

    @Test
    void aSlowViewerIsToldHowManyItMissedAndTheSumIsRight() throws Exception {
        int writes = 8_000_000;
        RemoteFunction edu = borrow();
        SiteUser bob = viewer("bob");
        Path file = bob.home().resolve("e0.fst");
        SiteUser.Running viewer =
                bob.start("trace", "record", there, "-o", file.toString(), "--json");
        viewer.await("Recording");
        machines.slowTheWayToSecond(SLOW);
        post(edu, writes);
        machines.letGo();
        bob.run(ExitCode.OK, "trace", "mark", there, "all was written");
        viewer.end();
        long came = 0;
        long missing = 0;
        try (TraceReader reader = TraceReader.open(file)) {
            assertTrue(reader.closed());
            for (TraceEvent event = reader.next(); event != null; event = reader.next()) {
                came += event instanceof TraceEvent.Access ? 1 : 0;
                missing += missing(event);
            }
        }
        assertTrue(missing > 0, viewer.data() + viewer.talk());
        assertEquals(writes + 1, came + missing, viewer.data());
        assertTrue(viewer.data().contains("\"missed\" : " + missing), viewer.data());
        assertTrue(viewer.talk().contains(missing + " missed here"), viewer.talk());
    }

    private static long missing(TraceEvent event) {
        if (event instanceof TraceEvent.Mark mark) {
            Matcher gap = GAP.matcher(mark.text());
            return gap.find() ? Long.parseLong(gap.group(1)) : 0;
        }
        return 0;
    }

    /**
     * Prints how fast the borrower is while nobody looks, while a viewer follows who keeps up, and
     * while one does who cannot; in turns. It is recorded all the time. Says nothing of what is
     * fast enough: docs/performance.md.
     */
    @Test
    void theSpeedOfTheWorkloadIsShownWithoutAViewerWithOneAndWithASlowOne() throws Exception {
        int rounds = FULL ? 9 : 2;
        long nanos = TimeUnit.MILLISECONDS.toNanos(FULL ? 2000 : 300);
        RemoteFunction edu = borrow();
        SiteUser carol = viewer("carol");
        double[] alone = new double[rounds];
        double[] fast = new double[rounds];
        double[] slow = new double[rounds];
        accesses(edu, nanos);
        for (int round = 0; round < rounds; round++) {
            alone[round] = accesses(edu, nanos);
            fast[round] = viewed(edu, carol, nanos, false);
            slow[round] = viewed(edu, carol, nanos, true);
        }
        show("without a viewer", alone);
        show("with a viewer", fast);
        show("with a slow viewer", slow);
    }

    private double viewed(RemoteFunction edu, SiteUser who, long nanos, boolean slowly)
            throws Exception {
        SiteUser.Running viewer = who.start("trace", "show", there, "--follow", "--where", "mark");
        await("followed-by", true);
        String begins = mark();
        viewer.await(begins);
        if (slowly) {
            machines.slowTheWayToSecond(SLOW);
        }
        double speed = accesses(edu, nanos);
        if (slowly) {
            machines.letGo();
        }
        viewer.await(mark());
        viewer.end();
        await("followed-by", false);
        return speed;
    }

    /** Marks the trace, by a text of its own. */
    private String mark() throws Exception {
        String text = "mark number " + ++marks;
        try (ControlLink link = ControlLink.connect(near, LinkOptions.named("test"))) {
            link.operate("mark", Map.of("function", "e0", "text", text));
        }
        return text;
    }

    /** Accesses a second: sixteen posted writes, and a read that waits for them. */
    private double accesses(RemoteFunction edu, long nanos) {
        long begun = System.nanoTime();
        long count = 0;
        while (System.nanoTime() - begun < nanos) {
            post(edu, 16);
            count += 17;
        }
        return count * 1e9 / (System.nanoTime() - begun);
    }

    private static void show(String what, double[] speeds) {
        double[] sorted = speeds.clone();
        Arrays.sort(sorted);
        assertTrue(sorted[0] > 0);
        System.out.printf(
                Locale.ROOT,
                "workload %-20s %,10.0f accesses/s (%,.0f to %,.0f in %d rounds)%n",
                what,
                sorted[sorted.length / 2],
                sorted[0],
                sorted[sorted.length - 1],
                sorted.length);
    }
}
