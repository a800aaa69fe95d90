package farslot.lender;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import farslot.link.Caller;
import farslot.link.Entry;
import farslot.link.FollowRequest;
import farslot.link.Grant;
import farslot.link.Lease;
import farslot.link.LinkOptions;
import farslot.link.ObservedEvent;
import farslot.link.Offer;
import farslot.link.Peer;
import farslot.link.RecordFeed;
import farslot.link.RefusedException;
import farslot.link.RuntimeDirectory;
import farslot.link.Wish;
import farslot.posix.OwnProcess;
import farslot.recorder.TraceOrigin;
import farslot.watch.Recordings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Who may do what at a lender, what is said about it to whom, and what is written down. */
@Timeout(60)
class LenderAccessTest {
    private static final Peer OWNER =
            new Peer("uid me (pid 1)", "user:me", "operator", true, OwnProcess.userId(), 1, "");
    private static final Peer ROOT =
            new Peer("uid root (pid 2)", "user:root", "operator", true, 0, 2, "");
    private static final Peer NEIGHBOUR =
            new Peer("uid bob (pid 3)", "user:bob", "v1", true, 4_000_000, 3, "");
    private static final Peer ALICE = proven("alice");
    private static final Peer STRANGER =
            new Peer("10.0.0.9:5 (insecure)", "", "v1", false, -1, -1, "10.0.0.9");

    private final List<String> talk = new CopyOnWriteArrayList<>();
    private final List<AuditEntry> written = new CopyOnWriteArrayList<>();
    private final List<String> revoked = new CopyOnWriteArrayList<>();
    private final List<String> turnedAway = new CopyOnWriteArrayList<>();

    @TempDir Path folder;

    private Path file;
    private RuntimeDirectory directory;
    private Lender lender;
    private Offer offer;

    private static Peer proven(String subject) {
        return new Peer(subject + " at 10.0.0.9:4711", subject, "v1", true, -1, -1, "10.0.0.9");
    }

    @BeforeEach
    void prepare() throws Exception {
        file = folder.resolve("policy.toml");
        directory = RuntimeDirectory.at(folder.resolve("r"));
    }

    @AfterEach
    void close() {
        if (lender != null) {
            lender.close();
        }
    }

    /** Lends n0, n1 and e0 under these rules; null for no file. */
    private void lend(String rules, boolean insecure) throws Exception {
        PolicyFile policy = null;
        if (rules != null) {
            Files.writeString(file, rules);
            policy = PolicyFile.open(file);
        }
        List<Lender.Lendable> lendables = new ArrayList<>();
        for (String name : List.of("n0", "n1", "e0")) {
            CountingFunction function = new CountingFunction();
            lendables.add(
                    new Lender.Lendable(
                            name,
                            function,
                            new Recordings(
                                    name,
                                    TraceOrigin.At.LENDER,
                                    function,
                                    folder.resolve("traces"),
                                    talk::add)));
        }
        lender =
                Lender.open(
                        directory,
                        lendables,
                        List.of(),
                        LinkOptions.named("n0").withInsecure(insecure),
                        new Conditions(policy, written::add),
                        talk::add,
                        () -> {});
        offer = lender.offer();
    }

    private Grant borrow(Peer peer, String function) throws RefusedException {
        return offer.borrow(
                peer,
                new Wish(function),
                new Lease() {
                    @Override
                    public Peer borrower() {
                        return peer;
                    }

                    @Override
                    public void revoke(String sentence) {
                        revoked.add(sentence);
                    }
                });
    }

    private AutoCloseable observe(Peer peer, List<ObservedEvent> events) throws RefusedException {
        return offer.observe(peer, events::add);
    }

    private static void refused(String sentence, Executable what) {
        RefusedException e = assertThrows(RefusedException.class, what);
        assertEquals(RefusedException.Reason.NOT_ALLOWED, e.reason());
        assertEquals(sentence, e.getMessage());
    }

    private List<String> listed(Peer peer) throws RefusedException {
        return offer.list(peer).stream().map(Entry::name).toList();
    }

    private String last() {
        AuditEntry entry = written.getLast();
        return entry.what()
                + " "
                + entry.who().subject()
                + " "
                + entry.action()
                + " "
                + entry.function()
                + ": "
                + entry.why();
    }

    @Test
    void shouldLetNobodyButItsUserAndRootDoAnythingWithoutAFile() throws Exception {
        lend(null, false);
        for (Peer peer : List.of(ALICE, NEIGHBOUR, STRANGER)) {
            refused("You lack the right to borrow n0.", () -> borrow(peer, "n0"));
            refused("You lack the right to observe n0.", () -> offer.list(peer));
            refused("You lack the right to observe n0.", () -> observe(peer, new ArrayList<>()));
            refused(
                    "You lack the right to observe n0.",
                    () -> offer.operate(peer, "status", Map.of()));
            refused(
                    "You lack the right to operate n1.",
                    () -> offer.operate(peer, "reset", Map.of("function", "n1")));
            refused(
                    "You lack the right to operate n0.",
                    () -> offer.operate(peer, "stop", Map.of()));
        }
        for (Peer peer : List.of(OWNER, ROOT)) {
            assertEquals(List.of("n0", "n1", "e0"), listed(peer));
            borrow(peer, "n0").ended(Grant.Ending.RETURNED, "Returned.");
            offer.operate(peer, "reset", Map.of("function", "n1", "kind", "cold"));
            observe(peer, new ArrayList<>()).close();
        }
    }

    @Test
    void shouldTellItsUserAndNotTheAskerWhatWouldAllowIt() throws Exception {
        lend(null, false);
        assertThrows(RefusedException.class, () -> borrow(ALICE, "n0"));
        String advice = talk.getLast();
        assertTrue(advice.startsWith("\"v1\", alice at 10.0.0.9:4711 asked to borrow n0"), advice);
        assertTrue(advice.contains("lend with --policy FILE"), advice);
        assertTrue(
                advice.contains("who = \"alice\", may = \"borrow\", functions = \"n0\""), advice);
        assertEquals("refused alice borrow n0: no rule allows it", last());
    }

    @Test
    void shouldLetAnybodyBorrowAndObserveWhereLinksAreInsecure() throws Exception {
        lend(null, true);
        for (Peer peer : List.of(STRANGER, ALICE)) {
            assertEquals(List.of("n0", "n1", "e0"), listed(peer));
            borrow(peer, "n0").ended(Grant.Ending.RETURNED, "Returned.");
            observe(peer, new ArrayList<>()).close();
            refused(
                    "You lack the right to operate n0.",
                    () -> offer.operate(peer, "peek", Map.of("function", "n0")));
        }
    }

    @Test
    void shouldDoWhatTheFileSaysAlsoWhereLinksAreInsecure() throws Exception {
        lend("[[allow]]\nwho = 'alice'\nmay = 'borrow'\nfunctions = 'n*'\n", true);
        refused("You lack the right to borrow n0.", () -> borrow(STRANGER, "n0"));
        Grant grant = borrow(ALICE, "n1");
        assertEquals(grant.epoch(), written.getLast().epoch());
        assertEquals("granted alice borrow n1: line 1 of " + file, last());
        assertEquals(List.of("n0", "n1"), listed(ALICE));
        refused("You lack the right to borrow e0.", () -> borrow(ALICE, "e0"));
        refused("You lack the right to observe n0.", () -> observe(ALICE, new ArrayList<>()));
        grant.ended(Grant.Ending.ABANDONED, "It fell silent.");
        AuditEntry end =
                written.stream().filter(e -> e.what().equals("ended")).findFirst().orElseThrow();
        assertEquals("abandoned: It fell silent.", end.why());
        assertEquals(grant.epoch(), end.epoch());
        assertEquals(ALICE, end.who());
    }

    @Test
    void shouldNotTellWhoMayNotWhetherThereIsSuchAFunction() throws Exception {
        lend("[[allow]]\nwho = 'alice'\nmay = ['borrow', 'operate']\nfunctions = 'n*'\n", false);
        refused("You lack the right to borrow e0.", () -> borrow(ALICE, "e0"));
        refused("You lack the right to borrow x0.", () -> borrow(ALICE, "x0"));
        RefusedException e = assertThrows(RefusedException.class, () -> borrow(ALICE, "n7"));
        assertEquals(RefusedException.Reason.NOT_FOUND, e.reason());
        assertFalse(e.getMessage().contains("e0"), e.getMessage());
        borrow(OWNER, "n0");
        e = assertThrows(RefusedException.class, () -> borrow(ALICE, "n0"));
        assertTrue(e.getMessage().contains("is borrowed by \"operator\", uid me"), e.getMessage());
        assertTrue(last().startsWith("refused alice borrow n0: n0 is borrowed by"), last());
        RefusedException ambiguous =
                assertThrows(RefusedException.class, () -> offer.operate(ALICE, "reset", Map.of()));
        assertFalse(ambiguous.getMessage().contains("e0"), ambiguous.getMessage());
    }

    @Test
    void shouldNotTakeACertificatesNameForALocalUser() throws Exception {
        lend("[[allow]]\nwho = 'user:bob'\nmay = 'borrow'\n", false);
        borrow(NEIGHBOUR, "n0");
        refused("You lack the right to borrow n1.", () -> borrow(proven("user:bob"), "n1"));
    }

    @Test
    void shouldStopOnlyForWhoMayOperateAll() throws Exception {
        lend("[[allow]]\nwho = 'alice'\nmay = 'operate'\nfunctions = ['n0', 'n1']\n", false);
        refused("You lack the right to operate e0.", () -> offer.operate(ALICE, "stop", Map.of()));
        offer.operate(ALICE, "reset", Map.of("function", "n1", "kind", "cold"));
        assertTrue(last().startsWith("operated alice reset {"), last());
        assertEquals("n0 n1", offer.operate(ALICE, "status", Map.of()).getFirst().get("functions"));
    }

    @Test
    void shouldTellObserversOfWhatTheyMayObserveAlone() throws Exception {
        lend("[[allow]]\nwho = 'alice'\nmay = 'observe'\nfunctions = 'e0'\n", false);
        List<ObservedEvent> events = new CopyOnWriteArrayList<>();
        observe(ALICE, events);
        borrow(OWNER, "n0");
        borrow(OWNER, "e0");
        assertEquals(List.of("e0"), events.stream().map(ObservedEvent::subject).toList());
    }

    @Test
    void shouldEndLeasesAndLinksThatAChangedFileAllowsNoMore() throws Exception {
        String observe = "[[allow]]\nwho = ['alice', 'bob']\nmay = 'observe'\n";
        String borrow = "[[allow]]\nwho = ['alice', 'bob']\nmay = 'borrow'\n";
        lend(observe + borrow, false);
        Caller observing = caller(ALICE, true);
        Caller idle = caller(proven("bob"), false);
        offer.arrived(observing);
        offer.arrived(idle);
        Grant grant = borrow(ALICE, "n0");
        change("[[allow]]\nwho = 'alice'\nmay = 'borrow'\nfunctions = 'n0'\n");
        assertEquals(List.of(), revoked);
        assertEquals(2, turnedAway.size(), turnedAway.toString());
        assertTrue(
                turnedAway.contains(
                        "alice: The policy has changed: you lack the right to observe here."));
        assertTrue(
                turnedAway.contains(
                        "bob: The policy has changed: you lack the right to do anything here."));
        change(observe);
        assertEquals(List.of("The policy has changed: you lack the right to borrow."), revoked);
        grant.ended(Grant.Ending.REVOKED, revoked.getFirst());
        refused("You lack the right to borrow n0.", () -> borrow(ALICE, "n0"));
        assertTrue(written.stream().anyMatch(e -> e.what().equals("policy")));
        assertTrue(written.stream().anyMatch(e -> e.what().equals("ended")));
    }

    private Caller caller(Peer peer, boolean observes) {
        return new Caller() {
            @Override
            public Peer peer() {
                return peer;
            }

            @Override
            public boolean observes() {
                return observes;
            }

            @Override
            public long bufferedBytes() {
                return peer.subject().equals("glutton") ? 2 << 20 : 0;
            }

            @Override
            public void turnAway(String sentence) {
                turnedAway.add(peer.subject() + ": " + sentence);
            }
        };
    }

    /** Until the lender has seen it: it looks by itself, too. */
    private void change(String rules) throws Exception {
        long before = talk.stream().filter(said -> said.contains("it holds now")).count();
        Files.writeString(file, rules);
        do {
            lender.lookAtRights();
        } while (talk.stream().filter(said -> said.contains("it holds now")).count() == before);
    }

    @Test
    void shouldKeepTheLastGoodPolicyAndShowTheTrouble() throws Exception {
        lend("[[allow]]\nwho = 'alice'\nmay = 'borrow'\n", false);
        Files.writeString(file, "[[allow]]\nwho = 7\n");
        while (!offer.operate(OWNER, "status", Map.of()).getFirst().containsKey("trouble")) {
            lender.lookAtRights();
        }
        assertTrue(talk.stream().anyMatch(said -> said.contains("line 1, column 1")), talk + "");
        borrow(ALICE, "n0");
        Files.delete(file);
        String trouble;
        do {
            lender.lookAtRights();
            trouble = offer.operate(OWNER, "status", Map.of()).getFirst().get("trouble");
        } while (!trouble.contains("is gone"));
        borrow(ALICE, "n1");
    }

    @Test
    void shouldKeepEverybodyButItsUserWithinTheLimits() throws Exception {
        lend(
                """
                [[allow]]
                who = 'anybody'
                may = 'borrow'
                [limits]
                connections = 1
                functions = 2
                buffered-bytes = 1048576
                requests-a-second = 3
                """,
                false);
        Caller first = caller(ALICE, false);
        offer.arrived(first);
        assertThrows(RefusedException.class, () -> offer.arrived(caller(ALICE, false)));
        assertTrue(last().contains("alice may have 1 connections"), last());
        offer.left(first);
        offer.arrived(caller(ALICE, false));
        Grant n0 = borrow(ALICE, "n0");
        borrow(ALICE, "n1");
        RefusedException e = assertThrows(RefusedException.class, () -> borrow(ALICE, "e0"));
        assertTrue(e.getMessage().contains("borrow or wait for 2 functions"), e.getMessage());
        n0.ended(Grant.Ending.RETURNED, "Returned.");
        borrow(ALICE, "e0");
        offer.arrived(caller(proven("glutton"), false));
        lender.lookAtRights();
        assertTrue(
                turnedAway.contains(
                        "glutton: glutton may have 1048576 bytes waiting at this lender, and has"
                                + " 2097152."),
                turnedAway.toString());
        int answered = 0;
        while (true) {
            try {
                offer.list(STRANGER);
                answered++;
            } catch (RefusedException over) {
                assertTrue(over.getMessage().contains("3 times a second"), over.getMessage());
                break;
            }
        }
        assertTrue(answered >= 6, answered + " were answered");
        for (int i = 0; i < 100; i++) {
            offer.list(OWNER);
        }
    }

    // Traces.

    private RecordFeed follow(Peer peer, String function, boolean record) throws RefusedException {
        return offer.follow(peer, new FollowRequest(function, record, Map.of()));
    }

    @Test
    void shouldLetOperatorsRecordAndObserversFollow() throws Exception {
        lend(
                """
                [[allow]]
                who = 'alice'
                may = 'operate'
                functions = 'n0'
                [[allow]]
                who = 'user:bob'
                may = 'observe'
                functions = 'n0'
                """,
                false);
        refused("You lack the right to operate n0.", () -> follow(NEIGHBOUR, "n0", true));
        assertEquals("refused user:bob record n0: no rule allows it", last());
        refused("You lack the right to observe n0.", () -> follow(STRANGER, "n0", false));
        refused("You lack the right to operate n1.", () -> follow(ALICE, "n1", true));
        refused("You lack the right to observe none.", () -> follow(NEIGHBOUR, "none", false));
        try (RecordFeed recording = follow(ALICE, "n0", true)) {
            assertEquals("recording alice record n0: line 1 of " + file, last());
            assertTrue(talk.contains("n0 is being recorded by " + ALICE + "."), talk::toString);
            assertEquals(
                    ALICE.toString(),
                    offer.list(NEIGHBOUR).getFirst().details().get("recorded-by"));
            try (RecordFeed followed = follow(NEIGHBOUR, "n0", false)) {
                assertEquals("following user:bob follow n0: line 5 of " + file, last());
                assertTrue(followed.header().length > 0);
            }
            assertEquals("ended user:bob follow n0: the link has ended", last());
            // Who may operate may not therefore observe.
            refused("You lack the right to observe n0.", () -> follow(ALICE, "n0", false));
            refused(
                    "You lack the right to operate n0.",
                    () -> offer.operate(NEIGHBOUR, "mark", Map.of("function", "n0", "text", "x")));
            assertEquals(
                    List.of(Map.of("traces", "1")),
                    offer.operate(ALICE, "mark", Map.of("function", "n0", "text", "x")));
            Map<String, String> off = Map.of("function", "n0", "mode", "BAR0=off");
            refused(
                    "You lack the right to operate n0.",
                    () -> offer.operate(NEIGHBOUR, "mode", off));
            assertEquals(List.of(Map.of("traces", "1")), offer.operate(ALICE, "mode", off));
            assertEquals(0, recording.lost());
        }
        assertEquals("ended alice record n0: the link has ended", last());
        RefusedException nothing =
                assertThrows(RefusedException.class, () -> follow(NEIGHBOUR, "n0", false));
        assertEquals(RefusedException.Reason.NOT_FOUND, nothing.reason());
    }

    @Test
    void shouldGiveNoMoreToAFollowerWhoLosesTheRight() throws Exception {
        String rule = "[[allow]]\nwho = '%s'\nmay = %s\nfunctions = 'n0'\n";
        lend(rule.formatted("alice", "'operate'") + rule.formatted("user:bob", "'observe'"), false);
        RecordFeed recording = follow(ALICE, "n0", true);
        RecordFeed followed = follow(NEIGHBOUR, "n0", false);
        assertNull(followed.over());
        Files.writeString(file, rule.formatted("user:bob", "'observe'"));
        while (recording.over() == null) {
            lender.lookAtRights();
        }
        assertEquals("The policy has changed: you lack the right to operate n0.", recording.over());
        recording.close();
        followed.close();
    }
}
